"""A start at which every oracle is finite: log and square roots have no gradient at the edge of their domain.

Tried in this order, each clipped to the bounds: 0, 1, -1, 1/2 (1 first where there are second-order cones, which have
no gradient at the tip), and a point inside all affine inequalities,

    max s   s.t.   A x + s <= upper,  A x - s >= lower,  x within its bounds by s,   s <= 1
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack, vstack

from solverkit.kinds.nonlinear.problem import Nonlinear

P = TypeVar("P", bound=Nonlinear)


def inside(problem: P, A: csr_array, lower: np.ndarray, upper: np.ndarray, cones: bool = False) -> P:
    """The problem with such a start; A x within [lower, upper] are all its affine rows, bounds among them.

    0, clipped, where none is found."""
    first = np.clip(np.zeros(problem.n), problem.lowest, problem.highest)
    for number in (1.0, 0.0, -1.0, 0.5) if cones else (0.0, 1.0, -1.0, 0.5):
        x = np.clip(np.full(problem.n, number), problem.lowest, problem.highest)
        if usable(problem, x):
            return _starting(problem, x)
    x = _middle(problem, A, lower, upper)
    return _starting(problem, first if x is None or not usable(problem, x) else x)


def usable(problem: Nonlinear, x: np.ndarray) -> bool:
    """Whether values and first derivatives are finite."""
    with np.errstate(all="ignore"):
        parts: list[np.ndarray | float] = [problem.value(x), problem.gradient(x), problem.constraints(x)]
        jacobian = problem.jacobian(x)
    parts.append(jacobian if isinstance(jacobian, np.ndarray) else jacobian.data)
    return all(bool(np.all(np.isfinite(part))) for part in parts)


def _starting(problem: P, x: np.ndarray) -> P:
    blocks = problem.blocks(x)
    return replace(problem, variables=tuple(replace(b, start=blocks[b.name]) for b in problem.variables))


def _middle(problem: Nonlinear, A: csr_array, lower: np.ndarray, upper: np.ndarray) -> np.ndarray | None:
    n = problem.n
    rows = csr_array(vstack([A, csr_array((np.ones(n), (np.arange(n), np.arange(n))), shape=(n, n))]))
    low, high = np.concatenate([lower, problem.lowest]), np.concatenate([upper, problem.highest])
    equal = low == high
    over, under = np.isfinite(high) & ~equal, np.isfinite(low) & ~equal
    slack = csr_array(np.ones((int(over.sum() + under.sum()), 1)))
    found = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=hstack([vstack([rows[over], -rows[under]]), slack]),
        b_ub=np.concatenate([high[over], -low[under]]),
        A_eq=hstack([rows[equal], csr_array((int(equal.sum()), 1))]),
        b_eq=low[equal],
        bounds=[(None, None)] * n + [(None, 1.0)],
        method="highs",
    )
    return None if found.x is None else found.x[:n]
