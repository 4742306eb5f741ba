"""Wrong solutions of sequences of linear systems, and right ones by sparse elimination."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

from solverkit.kinds.linear_sequence.problem import LinearSequence

SMALL = 20_000_000  # entries of all matrices together that are worth solving here


def solved(problem: LinearSequence) -> np.ndarray:
    """(T, n), every system by elimination, with the right-hand side that follows from the solution before."""
    x, previous = np.zeros((problem.T, problem.n)), problem.initial
    for t in range(problem.T):
        system = problem.system(t, previous)
        if t == 0 or not problem.systems.constant:
            factor = splu(csc_array(system.matrix))
        previous = x[t] = factor.solve(system.rhs)
    return x


def wrong_solutions(
    problem: LinearSequence, x: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray]]:
    """(sort, (T, n)): each leaves some system with a relative residual above 1e-6, or has a wrong shape."""
    T, n = x.shape
    for relative in (1e-1, 1e-2, 1e-3, 1e-4):
        yield f"off by {relative:g}", x * (1 + relative * rng.choice([-1.0, 1.0], x.shape))
        for t in {0, T // 2, T - 1}:
            one = x.copy()
            one[t] *= 1 + relative * rng.choice([-1.0, 1.0], n)
            yield f"system {t} off by {relative:g}", one
    for t in {0, T // 2, T - 1}:
        for sort, row in (("zero", 0.0), ("not a number", np.nan), ("infinite", np.inf), ("negated", -x[t])):
            one = x.copy()
            one[t] = row
            yield f"system {t} {sort}", one
    yield "scaled", 2 * x
    yield "entries shifted", np.roll(x, 1, axis=1)
    yield "a row short", x[:-1]
    yield "transposed", x[:-1] if n == T else x.T.copy()
    yield "one dimension", x.ravel()
    yield "complex", x + 0j
