"""The independent check of a sequence's answer: every system made again, every residual recomputed in float64.

| term | value | tolerance |
|---|---|---|
| residual | max_t ||b_t - A_t x_t|| / ||b_t|| | min(rtol, tol), plus one percent |
| oracles | only where a function makes the systems: largest change of a few systems made twice | 0 |

b_t is made from the stored x_{t-1} where the sequence depends on it, so that each system is held to what its method was
given, and an error does not count twice. Where b_t = 0 only x_t = 0 solves the system, and anything else has the
residual infinity. The one percent is for methods that stop by a residual of their own recursion, which differs from the
true one by rounding.

An answer solves all systems or it does not: a large residual makes the point INFEASIBLE. Blocks `cost` and `arm` are
the method's word, and the facts made from them say so; `regret.py` holds them against what fixed parameters cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from solverkit.kinds.base import Certificate, Point, Term
from solverkit.kinds.linear_sequence.called import Called
from solverkit.kinds.linear_sequence.problem import COST, SOLUTIONS, LinearSequence

ALLOWANCE = 1.01
REPEATED = 5  # systems that are made twice
SAFE = 1e-140  # a norm above this has lost nothing to underflow

Facts = dict[str, float | str | bool]


def certify(problem: LinearSequence, point: Point, tol: float = 1e-6, seed: int = 0) -> Certificate:
    """The verdict on a point. Never raises: what cannot be computed is UNVERIFIED and says why."""
    if SOLUTIONS not in point:
        return Certificate((), unverified=f"block '{SOLUTIONS}' is missing")
    shape = (problem.T, problem.n)
    x = np.asarray(point[SOLUTIONS])
    if x.shape != shape or x.dtype.kind not in "fiu":
        return Certificate(
            (), unverified=f"block '{SOLUTIONS}' has shape {x.shape}; problem {problem.name!r} has {shape}"
        )
    try:
        with np.errstate(all="ignore"):
            return _certify(problem, x.astype(float, copy=False), point, float(tol), seed)
    except Exception as error:  # a function that makes systems is foreign code
        return Certificate((), unverified=f"{type(error).__name__}: {error}")


def residuals(problem: LinearSequence, x: np.ndarray) -> Iterator[float]:
    """||b_t - A_t x_t|| / ||b_t|| for t = 0, ..., T - 1, with b_t made from row t - 1 of x, (T, n)."""
    previous = problem.initial
    for t, solution in enumerate(x):
        system = problem.system(t, previous)
        yield relative_residual(system.matrix, solution, system.rhs)
        previous = solution


def relative_residual(matrix: Any, x: np.ndarray, rhs: np.ndarray) -> float:
    """||rhs - matrix x|| / ||rhs||; 0 or infinity where rhs is zero. NaN where anything is NaN."""
    r = rhs - matrix @ x
    with np.errstate(over="ignore"):
        norm, size = float(np.linalg.norm(r)), float(np.linalg.norm(rhs))
    if size > SAFE and norm < np.inf:
        return norm / size
    scale = float(np.abs(rhs).max(initial=0.0))  # squares of what is so small, or so large, say nothing
    if scale > 0:
        return float(np.linalg.norm(r / scale) / np.linalg.norm(rhs / scale))
    largest = float(np.abs(r).max(initial=0.0))
    return largest if largest == 0 or np.isnan(largest) else np.inf


def _certify(problem: LinearSequence, x: np.ndarray, point: Point, tol: float, seed: int) -> Certificate:
    found = np.fromiter(residuals(problem, x), float)
    limit = ALLOWANCE * problem.target(tol)
    wrong = ~(found <= limit)
    worst = int(np.argmax(np.where(np.isnan(found), np.inf, found)))
    note = ""
    if wrong.any():
        note = f"{int(wrong.sum())} of {problem.T} systems are not solved, the first is system {int(np.argmax(wrong))}"
    terms = [Term("residual", float(found[worst]), limit, feasibility=True, note=note)]
    facts: Facts = {
        "worst_system": float(worst),
        "unsolved": float(wrong.sum()),
        "median_residual": float(np.median(found)),
    }
    facts |= _cost(problem, point)
    if isinstance(problem.systems, Called):
        terms.append(Term("oracles", _change(problem, x, seed), 0.0))
    return Certificate(tuple(terms), facts)


def _cost(problem: LinearSequence, point: Point) -> Facts:
    """The total of the method's `cost` block, labelled as its word."""
    cost = point.get(COST)
    if cost is None or np.shape(cost) != (problem.T,):
        return {}
    return {"total_cost": float(np.sum(cost)), "total_cost_source": "the method's word"}


def _change(problem: LinearSequence, x: np.ndarray, seed: int) -> float:
    """How much a system differs when it is made a second time, relative to its size."""
    change = 0.0
    for t in np.random.default_rng(seed).choice(problem.T, min(REPEATED, problem.T), replace=False):
        previous = x[t - 1] if t else problem.initial
        once, again = problem.system(int(t), previous), problem.system(int(t), previous)
        for one, other in ((once.matrix.data, again.matrix.data), (once.rhs, again.rhs)):
            size = max(float(np.abs(one).max(initial=0.0)), np.finfo(float).tiny)
            change = max(change, float(np.abs(one - other).max(initial=0.0)) / size)
    return change
