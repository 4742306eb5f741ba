"""Composite problems of the figures, with seeds, and their minimal values by Clarabel."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array

from solverkit.kinds.base import Block
from solverkit.kinds.composite.linear_maps import GridDifferences
from solverkit.kinds.composite.losses import RowLoss, spectral_norm
from solverkit.kinds.composite.problem import Composite
from solverkit.kinds.composite.terms import Euclidean, Outer
from solverkit.operators.proximal import L1, Box, Free


def fused_lasso(
    condition: float, n: int = 100, rows: int = 60, weight: float = 0.2, box: float | None = 10.0, seed: int = 0
) -> Composite:
    """||A x - b||^2 / 2 + weight TV(x) + (1/condition) ||x||^2 / 2 on a box, with ||A|| = 1, so L = 1."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((rows, n))
    A /= spectral_norm(A)
    truth = np.repeat(rng.standard_normal(10), -(-n // 10))[:n] * 3
    b = A @ truth + 0.05 * rng.standard_normal(rows)
    part = Free() if box is None else Box(-box, box)
    return Composite(
        name=f"fused-lasso-{n}",
        variable=Block("x", (n,), np.zeros(n)),
        smooth=RowLoss("least-squares", A, b),
        simple=Euclidean(n, part, 1 / condition),
        structured=Outer(GridDifferences((n,)), L1(weight)),
    )


def differences(n: int) -> csr_array:
    """(n - 1, n)."""
    return csr_array(diags_array([-np.ones(n), np.ones(n - 1)], offsets=[0, 1], shape=(n - 1, n)))


def clarabel(problem: Composite, weight: float = 0.2, box: float | None = 10.0) -> tuple[float, np.ndarray]:
    """(min Psi, minimizer) of a `fused_lasso`."""
    import cvxpy as cp

    smooth: Any = problem.smooth
    simple: Any = problem.simple
    x = cp.Variable(problem.n)
    objective = 0.5 * smooth.scale * cp.sum_squares(smooth.A @ x - smooth.b) + weight * cp.norm1(
        differences(problem.n) @ x
    )
    objective += 0.5 * simple.strong * cp.sum_squares(x)
    limits = [] if box is None else [x >= -box, x <= box]
    tight = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}
    cp.Problem(cp.Minimize(objective), limits).solve(solver="CLARABEL", **tight)
    found = np.asarray(x.value, dtype=float)
    found = found if box is None else np.clip(found, -box, box)
    return problem.objective({"x": found}), found


def dense_regression(
    rows: int, n: int, weight: float, strong: float, correlation: float = 0.0, seed: int = 0
) -> Composite:
    """||A x - b||^2 / (2 N) + weight TV(x) + (strong / 2) ||x||^2: a dense A, neighbouring columns correlated.

    x is piecewise constant with 20 levels. The columns follow a moving average of `correlation` per step."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((rows, n))
    for j in range(1, n if correlation else 0):
        A[:, j] = correlation * A[:, j - 1] + np.sqrt(1 - correlation**2) * A[:, j]
    truth = np.repeat(rng.standard_normal(20), -(-n // 20))[:n]
    b = A @ truth + rng.standard_normal(rows)
    return Composite(
        name=f"dense-{rows}-{n}",
        variable=Block("x", (n,), np.zeros(n)),
        smooth=RowLoss("least-squares", A, b, 1 / rows),
        simple=Euclidean(n, Free(), strong),
        structured=Outer(GridDifferences((n,)), L1(weight)),
    )
