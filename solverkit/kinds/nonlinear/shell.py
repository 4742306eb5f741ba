"""The least f in a shell about the point: ways down that are no lines, along curved rows and into corners.

    min f(x + t u)   s.t.  the rows and bounds,   s u_j >= 1/2,   |u|_inf <= 1,

from u = d, with d_j the largest entry of d, and s its sign; by SLSQP (Kraft 1988), f and the rows in units of what they
change by there. What it answers is a place to look at, and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import issparse

from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.problem import Nonlinear

LARGEST = 50  # variables, and rows
ITERATIONS = 30
ACCURACY = 1e-9
NEAREST = 0.5  # |u_j|

Where = Callable[[np.ndarray], Local]


def fits(problem: Nonlinear) -> bool:
    """Whether the problem is small enough for a search in shells."""
    return max(problem.n, problem.m) <= LARGEST


def least_in_shell(local: Local, d: np.ndarray, width: float) -> np.ndarray | None:
    """x, (n,); None where bounds leave no shell.

    d : (n,) u to begin with;  width : t"""
    problem = local.problem
    j = int(np.abs(d).argmax())
    low, high = np.full(problem.n, -1.0), np.full(problem.n, 1.0)
    (low if d[j] > 0 else high)[j] = NEAREST * np.sign(d[j])
    low = np.maximum(low, (problem.lowest - local.x) / width)
    high = np.minimum(high, (problem.highest - local.x) / width)
    if not np.all(low <= high):
        return None
    seen: dict[bytes, Local] = {}

    def at(u: np.ndarray) -> Local:
        return seen.setdefault(u.tobytes(), Local(problem, local.x + width * u, local.seed))

    u = np.clip(d, low, high)
    unit = _or_one(width * np.abs(at(u).gradient).max(initial=0.0))
    try:
        found = minimize(
            lambda u: (at(u).value - local.value) / unit,
            u,
            jac=lambda u: at(u).gradient * (width / unit),
            bounds=np.column_stack([low, high]),
            constraints=_constraints(local, at, _or_one(width * np.maximum(at(u).norms, local.norms)), width),
            method="SLSQP",
            options={"maxiter": ITERATIONS, "ftol": ACCURACY},
        )
    except (ValueError, FloatingPointError):  # where f or a row is not defined
        return None
    return local.x + width * found.x if np.isfinite(found.x).all() else None


def _constraints(local: Local, at: Where, units: np.ndarray, width: float) -> list[dict[str, Any]]:
    """The rows in SciPy's form: equalities, and what is not to fall below 0."""
    problem = local.problem

    def values(u: np.ndarray, bound: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        return (at(u).rows - bound)[chosen] / units[chosen]

    def slopes(u: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        jacobian = at(u).jacobian[chosen]
        jacobian = jacobian.toarray() if issparse(jacobian) else np.asarray(jacobian)
        return jacobian * (width / units[chosen])[:, None]

    equal = problem.lower == problem.upper
    sides = [
        ("eq", 1.0, problem.lower, np.flatnonzero(equal)),
        ("ineq", 1.0, problem.lower, np.flatnonzero(np.isfinite(problem.lower) & ~equal)),
        ("ineq", -1.0, problem.upper, np.flatnonzero(np.isfinite(problem.upper) & ~equal)),
    ]
    return [
        {
            "type": kind,
            "fun": lambda u, sign=sign, bound=bound, chosen=chosen: sign * values(u, bound, chosen),
            "jac": lambda u, sign=sign, chosen=chosen: sign * slopes(u, chosen),
        }
        for kind, sign, bound, chosen in sides
        if len(chosen)
    ]


def _or_one(size: Any) -> Any:
    return np.where(size > 0, size, 1.0)
