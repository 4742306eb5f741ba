"""A dear f: dense least squares of 50,000 rows and 5,000 unknowns (2 GB) with TV, to a certified gap of 1e-3.

Sliding, Condat-Vu and Clarabel one after the other in one process on one thread; L by 20 power iterations with a tenth
added is given to both first-order methods and not in their times. Clarabel gets the normal equations, 5,000 squared,
and their product is in its time: with the rows themselves it needs more memory than is here. `SOLVERKIT_DEAR="rows n"`
in the environment makes it smaller.
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

import solverkit as sk
from solverkit.kinds.composite.problem import Composite
from tests.figures.composite._models import dense_regression, differences

WEIGHT, STRONG, TOL = 0.3, 1e-3, 1e-3


def lipschitz(problem: Composite) -> float:
    """L, ten percent above 20 power iterations."""
    smooth: Any = problem.smooth
    v = np.random.default_rng(0).standard_normal(problem.n)
    size = 0.0
    for _ in range(20):
        v = smooth.A.T @ (smooth.A @ (v / np.linalg.norm(v)))
        size = float(np.linalg.norm(v))
    return 1.1 * smooth.scale * size


def clarabel(problem: Composite) -> tuple[float, float]:
    """(seconds, Psi) at relative gap TOL."""
    import cvxpy as cp

    smooth: Any = problem.smooth
    begun = time.perf_counter()
    factor = np.linalg.cholesky(smooth.scale * (smooth.A.T @ smooth.A) + STRONG * np.eye(problem.n))
    slope = smooth.scale * (smooth.A.T @ smooth.b)
    x = cp.Variable(problem.n)
    objective = 0.5 * cp.sum_squares(factor.T @ x) - slope @ x + WEIGHT * cp.norm1(differences(problem.n) @ x)
    tolerance = {"tol_gap_abs": TOL, "tol_gap_rel": TOL, "tol_feas": TOL}
    cp.Problem(cp.Minimize(objective)).solve(solver="CLARABEL", time_limit=200.0, **tolerance)
    seconds = time.perf_counter() - begun
    return seconds, float("nan") if x.value is None else problem.objective({"x": np.asarray(x.value)})


def main() -> None:
    rows, n = (int(size) for size in os.environ.get("SOLVERKIT_DEAR", "50000 5000").split())
    problem = dense_regression(rows, n, WEIGHT, STRONG)
    bound = lipschitz(problem)
    print(f"{rows} x {n}, L = {bound:.3g}, mu = {STRONG:g}\n")
    print("| method | gradients | pairs of products | seconds | Psi | certified |")
    print("|---|---|---|---|---|---|")
    for method in ("accelerated-gradient-sliding", "condat-vu"):
        result = sk.solve(problem, method=method, options={"lipschitz": bound}, tol=TOL, max_time=240)
        counts = result.counts
        work = f"{counts['njev']} | {counts['nmul'] // 2} | {result.timing['solve']:.1f}"
        print(f"| {method} | {work} | {result.fun:.6f} | {result.success} |", flush=True)
    seconds, value = clarabel(problem)
    print(f"| Clarabel, normal equations | | | {seconds:.1f} | {value:.6f} | |", flush=True)
