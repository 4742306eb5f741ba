"""Games in very different units: the weighted simplex, the factors, and what they are for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq, linprog

import solverkit as sk
from solverkit.kinds.inclusion import game
from solverkit_halpern.pdhg.scaled_game import factors_of, project


def test_projection_onto_a_weighted_simplex_by_bisection() -> None:
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 300):
        for shift in (0.0, 1e6, -1e6):
            weights = np.exp(rng.uniform(-4, 4, n))
            v = rng.standard_normal(n) * 10.0 ** rng.uniform(-3, 3) + shift * weights

            def missing(t: float, v: np.ndarray = v, weights: np.ndarray = weights) -> float:
                return float(weights @ np.maximum(v - t * weights, 0.0)) - 1.0

            top = float((v / weights).max())
            t = brentq(missing, top - 1 / float(weights.min()) ** 2 - 1e-6 * abs(top), top, xtol=1e-300, rtol=1e-15)
            found = project(v, weights)
            assert weights @ found == pytest.approx(1.0, rel=1e-12)
            np.testing.assert_allclose(found, np.maximum(v - t * weights, 0.0), atol=1e-9 * max(1.0, abs(t)))


def test_projection_with_equal_weights_is_that_of_the_simplex() -> None:
    from solverkit.operators.proximal import Simplex

    v = np.random.default_rng(1).standard_normal(50)
    np.testing.assert_allclose(project(v, np.ones(50)), Simplex().project(v), atol=1e-14)


def test_factors_follow_the_units_and_are_none_without_any() -> None:
    rng = np.random.default_rng(2)
    A = rng.standard_normal((40, 60))
    assert factors_of(A) is None
    assert factors_of(A + 1e6) is None
    assert factors_of(np.full((5, 5), 3.0)) is None
    rows = np.logspace(-2, 2, 40)
    centred = (A - A.mean(0) - A.mean(1)[:, None] + A.mean()) * rows[:, None]
    found = factors_of(centred)
    assert found is not None
    assert np.corrcoef(np.log(found[0]), -np.log(rows))[0, 1] > 0.8


def _value(A: np.ndarray) -> float:
    """Of the game, by HiGHS."""
    p, q = A.shape
    least = linprog(
        np.append(np.zeros(p), 1.0),
        A_ub=np.hstack([A.T, -np.ones((q, 1))]),
        b_ub=np.zeros(q),
        A_eq=[np.append(np.ones(p), 0.0)],
        b_eq=[1.0],
        bounds=[(0, None)] * p + [(None, None)],
    )
    return float(least.fun)


@pytest.mark.parametrize("seed", [100, 101, 102])
def test_games_that_the_plain_coordinates_cannot_solve(seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = np.exp(rng.normal(0, 1, (60, 1))) * np.exp(rng.normal(0, 1, (1, 80)))
    A = rng.standard_normal((60, 80)) * units
    plain = sk.solve(game(A), method="halpern", tol=1e-5, options={"ruiz": 0}, max_calls=6000)
    found = sk.solve(game(A), method="halpern", tol=1e-5, max_calls=6000)
    assert found.success
    assert not plain.success
    assert found.fun == pytest.approx(_value(A), abs=1e-5 * np.abs(A).mean())


def test_a_scaled_run_goes_on_as_if_it_had_not_stopped(tmp_path: object) -> None:
    A = np.diag(np.logspace(0, 3, 10))
    A[0, 1] = 1.0
    whole = sk.solve(game(A), method="halpern", tol=1e-9, max_iter=4)
    sk.solve(game(A), method="halpern", tol=1e-9, max_iter=2, out=str(tmp_path))
    resumed = sk.resume(str(tmp_path), problem=game(A), max_iter=4)
    for name in ("x", "y"):
        np.testing.assert_array_equal(whole.point[name], resumed.point[name])
