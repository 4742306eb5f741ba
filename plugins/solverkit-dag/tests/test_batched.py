"""The closed forms on tensors against the compiled ones, on the CPU and on whatever device there is."""

from __future__ import annotations

import numpy as np
import pytest
from dag_cases import dag, linear_model

from solverkit.errors import UsageError
from solverkit.kinds.dag.certificate import certify
from solverkit_dag.kernels import factor as compiled_factor
from solverkit_dag.kernels import neighbourhood as compiled

torch = pytest.importorskip("torch")
from solverkit_dag import batched  # noqa: E402

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture(params=DEVICES)
def batch(request: pytest.FixtureRequest) -> tuple:
    """Grams (numpy), Grams, orders on the device."""
    grams = np.stack([(lambda X: X.T @ X / len(X))(linear_model(9, seed)[0]) for seed in range(3)])
    orders = np.stack([np.random.default_rng(seed).permutation(9) for seed in range(3)])
    return grams, torch.as_tensor(grams, device=request.param), torch.as_tensor(orders, device=request.param)


def test_the_same_numbers_as_the_compiled_kernels(batch: tuple) -> None:
    grams, S, orders = batch
    upper, inverse = batched.factor(S, orders)
    moved, swapped = batched.insertions(upper, inverse).cpu().numpy(), batched.swaps(upper).cpu().numpy()
    for k in range(3):
        one = compiled_factor.factor(grams[k], orders[k].cpu().numpy())
        scale = np.square(np.diag(one[0])).sum()
        np.testing.assert_allclose(moved[k], compiled.insertions(*one), atol=1e-11 * scale)
        np.testing.assert_allclose(swapped[k], compiled.swaps(one[0]), atol=1e-11 * scale)


def test_descent_ends_where_no_neighbour_is_better(batch: tuple) -> None:
    grams, S, orders = batch
    found, score = batched.descend(S, orders)
    for k in range(3):
        order = found[k].cpu().numpy()
        upper, inverse = compiled_factor.factor(grams[k], order)
        problem = dag(linear_model(9, k)[0])
        W = compiled_factor.weights(order, upper, inverse)
        assert certify(problem, {"W": W, "order": order.astype(float)}, 1e-9).status.name == "CERTIFIED"
        assert float(score[k]) == pytest.approx(problem.score_of(W), rel=1e-11)


def test_a_singular_member_is_named(batch: tuple) -> None:
    _, S, orders = batch
    S[1] = 1.0
    with pytest.raises(UsageError, match="matrix 1 of the batch"):
        batched.factor(S, orders)
