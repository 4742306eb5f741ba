"""Small composite problems with minimizers by Clarabel, whose run is not ours."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from solverkit.kinds.base import Block
from solverkit.kinds.composite.linear_maps import GridDifferences, Matrix
from solverkit.kinds.composite.losses import RowLoss
from solverkit.kinds.composite.problem import Composite
from solverkit.kinds.composite.terms import Entropy, Euclidean, Outer
from solverkit.operators.proximal import L1, Box, Free

TIGHT = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}


def fused(condition: float = 30.0, n: int = 24, loss: Any = "least-squares", seed: int = 0) -> Composite:
    """A loss of 16 rows + 0.1 TV + ||x||^2 / (2 condition) on a box; ||A|| = 1."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((16, n))
    A /= np.linalg.norm(A, 2)
    b = A @ np.repeat(rng.standard_normal(4), n // 4) * 3
    b = np.where(b >= 0, 1.0, -1.0) if loss == "logistic" else b
    return Composite(
        name="fused",
        variable=Block("x", (n,), np.zeros(n)),
        smooth=RowLoss(loss, A, b),
        simple=Euclidean(n, Box(-4.0, 4.0), 1 / condition),
        structured=Outer(GridDifferences((n,)), L1(0.1)),
    )


def portfolio(n: int = 12, seed: int = 0) -> Composite:
    """Squares, the l1 norm of a few exposures and entropy on the simplex."""
    rng = np.random.default_rng(seed)
    A, K = rng.standard_normal((20, n)), rng.standard_normal((5, n))
    return Composite(
        name="portfolio",
        variable=Block("x", (n,), np.full(n, 1 / n)),
        smooth=RowLoss("least-squares", A, rng.standard_normal(20), 1 / 20),
        simple=Entropy(n, 0.05, rng.standard_normal(n) * 0.1),
        structured=Outer(Matrix(K), L1(0.1)),
    )


def free(n: int = 10, strong: float = 0.0) -> Composite:
    """More rows than unknowns, no set, chi not strongly convex unless asked for."""
    rng = np.random.default_rng(3)
    A = rng.standard_normal((30, n))
    return Composite(
        name="free",
        variable=Block("x", (n,), np.zeros(n)),
        smooth=RowLoss("least-squares", A, A @ np.repeat([1.0, -1.0], n // 2), 1 / 30),
        simple=Euclidean(n, Free(), strong),
        structured=Outer(GridDifferences((n,)), L1(0.05)),
    )


@lru_cache
def answer(case: str, condition: float = 30.0, seed: int = 0) -> tuple[float, np.ndarray]:
    """(min Psi, minimizer) of `fused` or `portfolio` by Clarabel."""
    import cvxpy as cp

    problem = fused(condition, seed=seed) if case == "fused" else portfolio(seed=seed)
    smooth: Any = problem.smooth
    simple: Any = problem.simple
    x = cp.Variable(problem.n)
    K = np.stack([problem.structured.forward(e) for e in np.eye(problem.n)], axis=1)
    objective = 0.5 * smooth.scale * cp.sum_squares(smooth.A @ x - smooth.b) + 0.1 * cp.norm1(K @ x)
    if case == "fused":
        objective += 0.5 * simple.strong * cp.sum_squares(x)
        cp.Problem(cp.Minimize(objective), [x >= -4, x <= 4]).solve(solver="CLARABEL", **TIGHT)
        found = np.clip(x.value, -4, 4)
    else:
        objective += -simple.strong * cp.sum(cp.entr(x)) + simple.slope @ x
        cp.Problem(cp.Minimize(objective), [cp.sum(x) == 1]).solve(solver="CLARABEL", **TIGHT)
        found = np.maximum(x.value, 0) / np.maximum(x.value, 0).sum()
    return problem.objective({"x": found}), found
