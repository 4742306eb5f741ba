"""Wrong answers to bilevel problems, and the judge that calls them wrong: F and f alone, at an exact follower's answer.

A point is wrong where it is not a lower solution (f above its minimum by more than GAP, relative, or F away from what
the follower's answer gives), or where F(x, y*(x)) is above that of the known answer near by. What cannot be told from a
right answer by these numbers is not made.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize

from solverkit.kinds.base import Point
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.sets import Box, Free

GAP = 2e-6  # of f, relative to max(1, |f|): twice what the certificate allows
RISE = 1.5e-4  # of F, relative to |F| + 1 + |grad F|, where y is not the follower's answer: 1.5 times what it allows
FALL = 1e-5  # of F(x, y*(x)) below, where x is not the leader's
SIZES = (1.0, 1e-1, 1e-2, 1e-3)


def follower(problem: Bilevel, x: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """y*(x) of a strongly convex lower level, free or in a box, from y: L-BFGS, then Newton with dense Hessians."""
    n, m, bounds = problem.n, problem.m, None
    if isinstance(problem.lower_set, Box):
        low, high = np.broadcast_to(problem.lower_set.lower, m), np.broadcast_to(problem.lower_set.upper, m)
        bounds = list(zip(low, high, strict=True))
    elif problem.lower_constraints.count or not isinstance(problem.lower_set, Free):
        return None

    def at(v: np.ndarray) -> np.ndarray:
        return np.concatenate([x, v])

    found = minimize(
        lambda v: (problem.lower(at(v)), problem.lower_gradient(at(v))[n:]),
        y,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 500, "gtol": 1e-12, "ftol": 1e-16},
    )
    v = found.x
    for _ in range(30):
        slope = problem.lower_gradient(at(v))[n:]
        free = np.ones(len(v), bool)
        if bounds is not None:
            free = ~(((v <= low) & (slope > 0)) | ((v >= high) & (slope < 0)))
        if np.abs(slope[free]).max(initial=0.0) < 1e-13:
            break
        hessian = problem.lower_hessian(at(v)).toarray()[n:, n:]
        step = np.zeros(len(v))
        step[free] = -np.linalg.lstsq(hessian[np.ix_(free, free)], slope[free], rcond=None)[0]
        fresh = v + step
        if bounds is not None:
            fresh = np.clip(fresh, low, high)
        if not problem.lower(at(fresh)) <= problem.lower(at(v)) + 1e-12:
            break
        v = fresh
    return np.asarray(v)


def wrong_points(problem: Bilevel, answer: Point, rng: np.random.Generator) -> Iterator[tuple[str, Point]]:
    """(sort, point) of what is no answer. `answer` is a certified one."""
    n, z = problem.n, problem.flat(answer)
    x, y = z[:n], z[n:]
    exact = follower(problem, x, y)
    best, size = np.inf if exact is None else problem.upper(np.concatenate([x, exact])), 1 + np.abs(x)

    def judged(sort: str, x_: np.ndarray, y_: np.ndarray, near: bool) -> Iterator[tuple[str, Point]]:
        exact = follower(problem, x_, y)
        if exact is None:
            return
        there, made = np.concatenate([x_, exact]), np.concatenate([x_, y_])
        f, F = problem.lower(there), problem.upper(there)
        gap = problem.lower(made) - f > GAP * max(1.0, abs(f))
        allowed = RISE * (abs(F) + 1 + float(np.abs(problem.upper_gradient(there)).max()))
        apart = abs(problem.upper(made) - F) > allowed
        worse = near and F - best > FALL * max(1.0, abs(best))
        if gap or apart or worse:
            yield sort, problem.blocks(made)

    for relative in SIZES:
        moved = problem.upper_set.project(x + relative * size * rng.standard_normal(n))
        answer_there = follower(problem, moved, y)
        if answer_there is not None and relative < 1:
            yield from judged(f"x off by {relative:g}, its own y", moved, answer_there, True)
        yield from judged(f"x off by {relative:g}, the y of the answer", moved, y, False)
        if answer_there is not None:
            yield from judged(f"the y of an x that is off by {relative:g}", x, answer_there, False)
        shift = relative * (1 + np.abs(y)) * rng.standard_normal(len(y))
        yield from judged(f"y off by {relative:g}", x, problem.lower_set.project(y + shift), False)
    yield from _along_flat(problem, x, y, judged)
    for sort, other in (("start", problem.flat(problem.start(rng))), ("zero", np.zeros(len(z)))):
        yield from judged(sort, problem.upper_set.project(other[:n]), problem.lower_set.project(other[n:]), False)
    yield from judged("the leader's own y", x, _leaders(problem, x, y), False)


def _along_flat(problem: Bilevel, x: np.ndarray, y: np.ndarray, judged) -> Iterator[tuple[str, Point]]:  # type: ignore[no-untyped-def]
    """y moved along the flattest direction of f, both ways: f and its gradient hardly change."""
    n = problem.n
    hessian = problem.lower_hessian(np.concatenate([x, y])).toarray()[n:, n:]
    values, vectors = np.linalg.eigh(hessian)
    for gap in (1e-5, 1e-6, 1e-7):
        for sign in (1, -1):
            length = np.sqrt(2 * gap / max(values[0], 1e-12))
            made = problem.lower_set.project(y + sign * length * vectors[:, 0])
            yield from judged(f"y along the flattest direction, a gap of {gap:g}", x, made, False)


def _leaders(problem: Bilevel, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y that is best for the leader, whatever the follower wants."""
    n = problem.n
    found = minimize(
        lambda v: (problem.upper(np.concatenate([x, v])), problem.upper_gradient(np.concatenate([x, v]))[n:]),
        y,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 100},
    )
    return problem.lower_set.project(np.asarray(found.x))
