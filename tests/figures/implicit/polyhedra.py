"""Projections onto polyhedra: cold, warm, and by one fresh solve of Clarabel, OSQP and CVXPY (where installed)."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import numpy as np
from scipy.sparse import csc_matrix, csr_array, diags_array, eye_array, random_array

from solverkit.operators.polyhedral_projection import PolyhedralProjector
from solverkit.operators.qp import solve_qp

DRIFT = 1e-2
FRESH = 1_000  # variables, up to which all are asked; above, the factors of scattered rows fill up: Clarabel alone


def scattered(n: int, rng: np.random.Generator) -> tuple[csr_array, np.ndarray, np.ndarray, np.ndarray]:
    """n / 2 random rows of three entries, a tenth of them equations: A, lower, upper, a point outside."""
    A = csr_array(random_array((n // 2, n), density=6 / n, rng=rng, data_sampler=rng.standard_normal))
    inside = rng.normal(size=n)
    upper = A @ inside + 0.1 * rng.random(n // 2)
    lower = np.where(np.arange(n // 2) < n // 20, A @ inside, -np.inf)
    upper[: n // 20] = lower[: n // 20]
    return A, lower, upper, inside + rng.normal(size=n)


def chain(n: int, rng: np.random.Generator) -> tuple[csr_array, np.ndarray, np.ndarray, np.ndarray]:
    """|v_i - v_(i+1)| <= 0.1."""
    A = csr_array(diags_array([np.ones(n - 1), -np.ones(n - 1)], offsets=[0, 1], shape=(n - 1, n)))
    return A, np.full(n - 1, -0.1), np.full(n - 1, 0.1), np.cumsum(rng.normal(size=n)) * 0.3


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and the result."""
    start = process_time()
    found = function()
    return 1e3 * (process_time() - start), found


def osqp_solve(A: csr_array, lower: np.ndarray, upper: np.ndarray, u: np.ndarray) -> np.ndarray:
    """OSQP at its tightest that is practical."""
    import osqp  # type: ignore[import-not-found,unused-ignore]

    solver = osqp.OSQP()
    settings = {"verbose": False, "eps_abs": 1e-9, "eps_rel": 1e-9, "max_iter": 20_000, "polishing": True}
    solver.setup(csc_matrix(eye_array(len(u))), -u, csc_matrix(A), lower, upper, **settings)
    return solver.solve(raise_error=False).x


def cvxpy_solve(A: csr_array, lower: np.ndarray, upper: np.ndarray, u: np.ndarray) -> np.ndarray:
    """As a user writes it."""
    import cvxpy as cp  # type: ignore[import-not-found,unused-ignore]

    w = cp.Variable(len(u))
    low, high = np.isfinite(lower), np.isfinite(upper)
    rows = [A[high] @ w <= upper[high], A[low] @ w >= lower[low]]
    cp.Problem(cp.Minimize(cp.sum_squares(w - u)), rows).solve(solver=cp.CLARABEL)
    return w.value


def main() -> None:
    others: dict[str, Callable[..., np.ndarray]] = {
        "clarabel": lambda A, lo, hi, u: solve_qp(csr_array(eye_array(len(u))), -u, A, lo, hi).v,
        "osqp": osqp_solve,
        "cvxpy": cvxpy_solve,
    }
    print(f"{'rows':<10}{'n':>7}{'cold':>9}{'warm':>9}{'row left':>10}", end="")
    print("".join(f"{name:>11}{'differs':>9}" for name in others) + "   ms of CPU; largest differences in a coordinate")
    for name, make in (("scattered", scattered), ("chain", chain)):
        for n in (100, 1_000, 10_000):
            rng = np.random.default_rng(0)
            A, lower, upper, u = make(n, rng)
            projector = PolyhedralProjector(A, lower, upper)
            cold, found = timed(lambda: projector.project(u))  # noqa: B023
            warm = []
            for _ in range(10):
                u = u + DRIFT * rng.normal(size=n)
                spent, found = timed(lambda: projector.project(u, found.multiplier))  # noqa: B023
                warm.append(spent)
            print(f"{name:<10}{n:>7}{cold:>9.2f}{median(warm):>9.2f}{found.violation:>10.0e}", end="", flush=True)
            asked = others if n <= FRESH or name == "chain" else {"clarabel": others["clarabel"]}
            for solve in asked.values():
                try:
                    spent, point = timed(lambda: solve(A, lower, upper, u))  # noqa: B023
                    print(f"{spent:>11.1f}{np.abs(point - found.point).max():>9.0e}", end="", flush=True)
                except ImportError:
                    print(f"{'-':>11}{'-':>9}", end="")
            print()
