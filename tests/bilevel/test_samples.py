"""Objectives that are means over samples: batches against one sample at a time, and what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array

torch = pytest.importorskip("torch")

from solverkit.engine.counting import Ledger, counted  # noqa: E402
from solverkit.errors import InvalidProblem, UsageError  # noqa: E402
from solverkit.kinds.bilevel.build import bilevel  # noqa: E402

N, D, K = 23, 4, 3
RNG = np.random.default_rng(5)
A = RNG.normal(size=(N, D)) * (RNG.random((N, D)) < 0.6)
LABELS = RNG.integers(0, K, N)
Y = np.eye(K)[LABELS]
DATA = {"A": A, "labels": LABELS, "Y": Y}
CLEANING = "mean(sigmoid(x)*(log(sum(exp(A @ W), 1)) - sum(Y*(A @ W), 1))) + 1e-2*normsq(W)"
BATCH = np.array([3, 3, 0, 22, 7])


def cleaning(data=DATA):
    return bilevel(
        upper={
            "variables": {"x": {"shape": N}},
            "minimize": "cross_entropy(A @ W, labels)",
            "samples": ["A", "labels"],
        },
        lower={"variables": {"W": {"shape": [D, K]}}, "minimize": CLEANING, "samples": ["A", "Y", "x"]},
        data=data,
    )


def cleaning_in_python():
    def upper(W, A, labels):
        return torch.nn.functional.cross_entropy(A @ W, labels)

    def lower(x, W, A, Y):
        scores = A @ W
        return (torch.sigmoid(x) * (torch.logsumexp(scores, 1) - (Y * scores).sum(1))).mean() + 1e-2 * (W**2).sum()

    return bilevel(
        upper={"variables": {"x": {"shape": N}}, "minimize": upper, "samples": ["A", "labels"]},
        lower={"variables": {"W": {"shape": [D, K]}}, "minimize": lower, "samples": ["A", "Y", "x"]},
        data=DATA,
    )


def one_lower(z, i):
    """f_i by hand."""
    x, W = z[:N], z[N:].reshape(D, K)
    scores = A[i] @ W
    loss = np.log(np.exp(scores).sum()) - scores[LABELS[i]]
    return loss / (1 + np.exp(-x[i])) + 1e-2 * (W**2).sum()


def one_upper(z, i):
    scores = A[i] @ z[N:].reshape(D, K)
    return np.log(np.exp(scores).sum()) - scores[LABELS[i]]


def slope(fun, z):
    """Central differences."""
    step = 1e-5
    return np.array([(fun(z + step * e) - fun(z - step * e)) / (2 * step) for e in np.eye(len(z))])


@pytest.mark.parametrize("make", [cleaning, cleaning_in_python, lambda: cleaning({**DATA, "A": csr_array(A)})])
@pytest.mark.parametrize("samples", [BATCH, np.arange(N), np.array([9])])
def test_batches_are_means_of_single_samples(make, samples):
    problem = make()
    z, direction = np.random.default_rng(0).normal(size=(2, N + D * K))
    for level, one in (("upper", one_upper), ("lower", one_lower)):
        value, gradient, hvp = (getattr(problem, f"{level}_batch{what}") for what in ("", "_gradient", "_hvp"))
        assert value(z, samples) == pytest.approx(np.mean([one(z, i) for i in samples]), rel=1e-12)
        by_hand = slope(lambda z, one=one: np.mean([one(z, i) for i in samples]), z)
        assert np.allclose(gradient(z, samples), by_hand, atol=1e-8)
        differences = (gradient(z + 1e-5 * direction, samples) - gradient(z - 1e-5 * direction, samples)) / 2e-5
        assert np.allclose(hvp(z, direction, samples), differences, atol=1e-8)
        assert np.array_equal(hvp(z, direction, samples), hvp(z, direction, samples))


def test_all_samples_give_the_objective():
    problem, everything = cleaning(), np.arange(N)
    z, direction = np.random.default_rng(1).normal(size=(2, N + D * K))
    assert problem.lower_samples == problem.upper_samples == N
    assert {"upper-samples", "lower-samples"} <= problem.provides
    assert problem.lower_batch(z, everything) == pytest.approx(problem.lower(z), rel=1e-13)
    assert np.allclose(problem.lower_batch_gradient(z, everything), problem.lower_gradient(z), atol=1e-14)
    assert np.allclose(problem.upper_batch_hvp(z, direction, everything), problem.upper_hvp(z, direction), atol=1e-14)


def test_products_follow_the_point_and_the_batch():
    """The graph that one product leaves for the next is not used elsewhere."""
    problem = cleaning()
    z, direction = np.random.default_rng(2).normal(size=(2, N + D * K))
    first = problem.lower_batch_hvp(z, direction, BATCH)
    moved = problem.lower_batch_hvp(z + 0.5, direction, BATCH)
    other = problem.lower_batch_hvp(z + 0.5, direction, BATCH[:2])
    assert not np.allclose(first, moved)
    assert not np.allclose(moved, other)
    z[:] += 0.5  # in place: what was kept is a copy
    assert np.array_equal(problem.lower_batch_hvp(z, direction, BATCH), moved)


def test_blocks_of_a_lower_level_are_samples():
    """Many lower problems that share x: sample i is block y[i]."""
    C = np.random.default_rng(3).normal(size=(6, 2))
    problem = bilevel(
        upper={"variables": {"x": {"shape": 2}}, "minimize": "mean(sum((y - C)**2, 1))", "samples": ["y", "C"]},
        lower={
            "variables": {"y": {"shape": [6, 2]}},
            "minimize": "mean(0.5*sum(y**2, 1) - sum(C*y, 1) - y @ x)",
            "samples": ["y", "C"],
        },
        data={"C": C},
    )
    z = np.random.default_rng(4).normal(size=14)
    gradient = problem.lower_batch_gradient(z, np.array([4, 1]))
    y = z[2:].reshape(6, 2)
    expected = np.zeros((6, 2))
    expected[[4, 1]] = (y - C - z[:2])[[4, 1]] / 2
    assert np.allclose(gradient[2:].reshape(6, 2), expected, atol=1e-14)
    assert np.allclose(gradient[:2], -y[[4, 1]].mean(axis=0))


def test_lists_of_operations_are_kept_by_length():
    problem, rng = cleaning(), np.random.default_rng(0)
    kept = problem.lower_summands.terms._tapes
    kept.clear()
    for _ in range(5):
        problem.lower_batch_gradient(rng.normal(size=N + D * K), rng.integers(0, N, 6))
    assert len(kept) == 1


def test_calls_are_counted_by_samples():
    ledger = Ledger()
    problem = counted(cleaning(), ledger)
    problem.lower_batch_gradient(np.zeros(N + D * K), BATCH)
    problem.upper_batch_hvp(np.zeros(N + D * K), np.ones(N + D * K), BATCH[:2])
    assert ledger.counts()["ncomp"] == 7


def test_single_precision_and_pickle():
    problem = cleaning()
    moved, z = problem.to("cpu", "float32"), np.random.default_rng(6).normal(size=N + D * K)
    gradient = moved.lower_batch_gradient(z, BATCH)
    assert gradient.dtype == np.float32
    assert np.allclose(gradient, problem.lower_batch_gradient(z, BATCH), atol=1e-6)
    again = pickle.loads(pickle.dumps(problem))
    assert again.fingerprint() == problem.fingerprint()
    assert np.array_equal(again.lower_batch_gradient(z, BATCH), problem.lower_batch_gradient(z, BATCH))


def test_the_fingerprint_sees_data_and_what_is_sampled():
    one = {"variables": {"x": {"shape": N}}, "minimize": "mean(x*a) + mean(b)"}
    data = {"a": np.ones(N), "b": np.ones(N)}

    def made(samples, data=data):
        upper = {**one, "samples": samples}
        lower = {"variables": {"y": {}}, "minimize": "y**2"}
        return bilevel(upper, lower, data=data).fingerprint()

    prints = [made(["x", "a"]), made(["x", "a", "b"]), made([]), made(["x", "a"], {**data, "a": 2 * np.ones(N)})]
    assert len(set(prints)) == 4
    assert prints[0] == made(["x", "a"])


# -- what is refused


def refused(**upper):
    lower = {"variables": {"W": {"shape": [D, K]}}, "minimize": "normsq(W)"}
    with pytest.raises(InvalidProblem) as error:
        bilevel({"variables": {"x": {"shape": N, "start": 1}}, **upper}, lower, data={**DATA, "short": np.ones(N - 1)})
    return str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "sum(x*A[:, 0])",
        f"sum(x*A[:, 0])/{N}",
        "mean(x*A[:, 0]) + sum(x**2)",
        "mean(x)**2",
        "norm(x)",
    ],
)
def test_what_is_no_mean_is_refused(text):
    assert "Write mean(...) instead of sum(...)" in refused(minimize=text, samples=["x", "A"])


def test_a_regularizer_of_what_is_not_sampled_is_none_of_that():
    lower = {"variables": {"W": {"shape": D}}, "minimize": "mean((A @ W - x)**2) + sum(W**2)", "samples": ["A", "x"]}
    assert bilevel({"variables": {"x": {"shape": N}}, "minimize": "normsq(x)"}, lower, data=DATA).lower_samples == N


def test_names_of_samples():
    assert "'short' has 22 rows, and x, A 23" in refused(minimize="mean(x)", samples=["x", "A", "short"])
    assert "'foo' is neither data nor a variable" in refused(minimize="mean(x)", samples=["x", "foo"])
    assert "named twice" in refused(minimize="mean(x)", samples=["x", "x"])
    assert "list of names" in refused(minimize="mean(x)", samples="x")


def test_labels_that_are_numbers_too():
    text = "cross_entropy(A @ W, labels) + mean(labels*x)"
    assert "another name" in refused(minimize=text, samples=["x", "A", "labels"])


def test_samples_out_of_range():
    problem = cleaning()
    for samples in ([N], [-1], [], [0.5]):
        with pytest.raises(UsageError, match="samples"):
            problem.lower_batch(np.zeros(N + D * K), np.array(samples))


def test_a_function_of_unknown_names():
    assert "takes 'nothing'" in refused(minimize=lambda x, A, nothing: (x * A[:, 0]).mean(), samples=["x", "A"])


# -- a Summands object


class Squares:
    """f_i(z) = 1/2 (z_0 - c_i)^2 z_1^2, by hand."""

    c = np.array([1.0, 2.0, 4.0])
    count = 3

    def value(self, z, samples):
        return float(np.mean(0.5 * (z[0] - self.c[samples]) ** 2 * z[1] ** 2))

    def gradient(self, z, samples):
        d = z[0] - self.c[samples]
        return np.array([np.mean(d) * z[1] ** 2, np.mean(d**2) * z[1]])

    def hvp(self, z, direction, samples):
        d = z[0] - self.c[samples]
        mixed = 2 * np.mean(d) * z[1]
        return np.array([[z[1] ** 2, mixed], [mixed, np.mean(d**2)]]) @ direction

    def to(self, device, dtype):
        return self

    def digest(self):
        return "squares"


class Sums(Squares):
    def value(self, z, samples):
        return len(samples) * super().value(z, samples)


def test_terms_by_hand():
    lower = {"variables": {"y": {}}, "minimize": Squares()}
    problem = bilevel({"variables": {"x": {}}, "minimize": "x + y"}, lower)
    z = np.array([0.5, 2.0])
    assert problem.lower(z) == pytest.approx(0.5 * np.mean((0.5 - Squares.c) ** 2) * 4)
    assert np.allclose(problem.lower_gradient(z), slope(problem.lower, z), atol=1e-8)
    assert problem.lower_samples == 3
    assert np.allclose(problem.lower_hessian(z).toarray()[:, 0], problem.lower_hvp(z, np.array([1.0, 0.0])))
    with pytest.raises(InvalidProblem, match="not a mean"):
        bilevel({"variables": {"x": {}}, "minimize": "x + y"}, {**lower, "minimize": Sums()})


def test_torch_imported_around_the_function():
    """A closure over the module torch is no closure over a tensor."""
    import torch as local

    def made(weight, scale):
        def lower(x, y):
            return (weight * (y - x) ** 2).sum() * scale + 0 * local.exp(x).sum()

        return bilevel({"variables": {"x": {}}, "minimize": "x + y"}, {"variables": {"y": {}}, "minimize": lower})

    one = made(local.ones(1), 1.0)
    assert one.lower(np.array([1.0, 3.0])) == 4
    prints = {made(local.full((1,), w), s).fingerprint() for w in (1.0, 2.0) for s in (1.0, 2.0)}
    assert len(prints) == 4
    assert one.fingerprint() in prints
