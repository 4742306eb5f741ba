"""Wrong answers to nonlinear problems, of many sorts, and a judge of local optimality that shares no code with the
certificate: values, constraints and SciPy's SLSQP inside small boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import Bounds, least_squares, minimize
from scipy.sparse import csr_array, issparse

import solverkit as sk
from solverkit.kinds.base import Point
from solverkit.kinds.nonlinear.problem import BOUND_MULTIPLIERS, MULTIPLIERS, Nonlinear

FALL = 1e-6  # of f inside a box, relative, that makes a point no local optimum
BOXES = (1e-2, 1e-3)  # half their width, times 1 + |x_j|
FEASIBLE = 1e-9  # of the judge's own points
SIZES = (1e-1, 1e-2, 1e-3, 1e-4)


# -- the judge


def dense(matrix: Any) -> np.ndarray:
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


def violation(problem: Nonlinear, x: np.ndarray) -> float:
    """The worst broken row or bound, absolute, over 1 + its bound."""
    c = problem.constraints(x)
    worst = 0.0
    for value, lower, upper in ((c, problem.lower, problem.upper), (x, problem.lowest, problem.highest)):
        for bound, short in ((lower, lower - value), (upper, value - upper)):
            there = np.isfinite(bound)
            worst = max(worst, float((short[there] / (1 + np.abs(bound[there]))).max(initial=0.0)))
    return worst


def no_answer(problem: Nonlinear, x: np.ndarray, rng: np.random.Generator) -> str:
    """Why x is no local optimum; empty where nothing better was found near by."""
    if problem.objective_function.degree == 0:
        there = _nearest(problem, x)
        far = np.inf if there is None else float((np.abs(there - x) / (1 + np.abs(x))).max())
        return "" if far <= 1e-3 else f"no feasible point within {far:.1e}"
    if violation(problem, x) > 1e-4:
        return "infeasible"
    f, slope = problem.value(x), problem.gradient(x)
    allowed = FALL * (max(1.0, abs(f)) + float(np.abs(slope * (1 + np.abs(x))).max(initial=0.0)))
    for half in BOXES:
        low = np.maximum(x - half * (1 + np.abs(x)), problem.lowest)
        high = np.minimum(x + half * (1 + np.abs(x)), problem.highest)
        high = np.maximum(high, low)
        for start in (x, *(rng.uniform(low, high) for _ in range(3))):
            found = _slsqp(problem, problem.value, problem.gradient, np.clip(start, low, high), low, high)
            if found is not None and problem.value(found) < f - allowed:
                return f"f falls by {f - problem.value(found):.1e} within {half:g}"
    return ""


def _slsqp(problem, value, gradient, start, low, high, rows=None) -> np.ndarray | None:
    """A feasible point of small value in a box; None where none was found."""
    kept = np.arange(problem.m) if rows is None else rows
    lower, upper = problem.lower[kept], problem.upper[kept]
    equal = lower == upper
    sides = []
    for kind, at, sign, bound in (
        ("eq", np.flatnonzero(equal), 1.0, lower),
        ("ineq", np.flatnonzero(~equal & np.isfinite(lower)), 1.0, lower),
        ("ineq", np.flatnonzero(~equal & np.isfinite(upper)), -1.0, upper),
    ):
        if len(at):
            sides.append(
                {
                    "type": kind,
                    "fun": lambda x, at=at, s=sign, b=bound: s * (problem.constraints(x)[kept][at] - b[at]),
                    "jac": lambda x, at=at, s=sign: s * dense(problem.jacobian(x))[kept][at],
                }
            )
    try:
        found = minimize(
            value,
            start,
            jac=gradient,
            method="SLSQP",
            bounds=Bounds(low, high),
            constraints=sides,
            options={"maxiter": 60, "ftol": 1e-13},
        )
    except (ValueError, np.linalg.LinAlgError):
        return None
    if not np.isfinite(found.x).all():
        return None
    x = np.clip(found.x, low, high)
    return x if rows is not None or violation(problem, x) <= FEASIBLE else None


def _nearest(problem: Nonlinear, x: np.ndarray) -> np.ndarray | None:
    """A feasible point from x by least squares; None where there is none."""

    def short(z):
        c = problem.constraints(z)
        return c - np.clip(c, problem.lower, problem.upper)

    def slopes(z):
        return dense(problem.jacobian(z)) * (short(z) != 0)[:, None]

    low, high = np.minimum(problem.lowest, problem.highest), problem.highest
    inside = np.clip(x, low, high)
    fixed = high - low <= 0
    if fixed.any():
        low, high = np.where(fixed, low - 1e-14, low), np.where(fixed, high + 1e-14, high)
    try:
        found = least_squares(
            short, inside, slopes, bounds=(low, high), xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=200
        )
    except ValueError:
        return None
    return found.x if violation(problem, found.x) <= 1e-7 else None


# -- wrong answers


def wrong_points(
    problem: Nonlinear, answer: Point, rng: np.random.Generator, draws: int = 2
) -> Iterator[tuple[str, Point]]:
    """(sort, point): what is no answer, or only by chance. `answer` may carry multipliers."""
    x = problem.flat(answer)
    carried = {name: answer[name] for name in (MULTIPLIERS, BOUND_MULTIPLIERS) if name in answer}
    size = 1 + np.abs(x)

    def point(z: np.ndarray, **blocks: np.ndarray) -> Point:
        return {**problem.blocks(z), **blocks}

    feasible = []
    for relative in SIZES:
        for _ in range(draws):
            moved = np.clip(x + relative * size * rng.uniform(-1, 1, len(x)), problem.lowest, problem.highest)
            yield f"off by {relative:g}", point(moved)
            yield f"off by {relative:g}, its multipliers", point(moved, **carried)
            back = _nearest(problem, moved)
            if back is not None and np.abs((back - x) / size).max() > 0.1 * relative:
                feasible.append(back)
                yield f"feasible, off by {relative:g}", point(back)
                yield f"feasible, off by {relative:g}, its multipliers", point(back, **carried)
    one = x.copy()
    one[int(rng.integers(len(x)))] += 1e-3
    yield "one entry off", point(one, **carried)
    yield from _with_other_multipliers(problem, [*feasible[:2], one], carried, rng, point)
    yield from _of_neighbours(problem, x, rng, point)
    if len(x) > 1:
        yield "entries swapped", point(np.roll(x, 1))
    yield "negated", point(-x)
    yield "start", problem.start(rng)
    yield "zero", point(np.zeros(len(x)))


def _with_other_multipliers(problem, points, carried, rng, point) -> Iterator[tuple[str, Point]]:
    y = np.asarray(carried.get(MULTIPLIERS, np.ones(problem.m)), float)
    z = np.asarray(carried.get(BOUND_MULTIPLIERS, np.zeros(problem.n)), float)
    for x in points:
        for label, factor in (("negated", -1.0), ("halved", 0.5), ("1e12 times", 1e12), ("1e-12 times", 1e-12)):
            yield f"multipliers {label}", point(x, **{MULTIPLIERS: factor * y, BOUND_MULTIPLIERS: factor * z})
        huge = 1e12 * rng.choice([-1.0, 1.0], problem.m)
        yield "huge multipliers", point(x, **{MULTIPLIERS: huge})
        rest = -(problem.gradient(x) + problem.vjp(x, huge)) if problem.m else -problem.gradient(x)
        yield "huge multipliers, the rest on bounds", point(x, **{MULTIPLIERS: huge, BOUND_MULTIPLIERS: rest})


def _of_neighbours(problem, x, rng, point) -> Iterator[tuple[str, Point]]:
    """Optima of another objective, or without a row; maxima; stationary points of the Lagrangian."""
    size = 1 + np.abs(x)
    low, high = np.maximum(x - 3 * size, problem.lowest), np.minimum(x + 3 * size, problem.highest)
    tilt = rng.normal(size=len(x)) * (0.1 * np.abs(problem.gradient(x)).max(initial=0.0) + 1e-2)
    searches = [
        (
            "optimum of another objective",
            lambda z: problem.value(z) + tilt @ z,
            lambda z: problem.gradient(z) + tilt,
            None,
        ),
        ("maximum", lambda z: -problem.value(z), lambda z: -problem.gradient(z), None),
    ]
    searches += [
        ("optimum without a row", problem.value, problem.gradient, np.delete(np.arange(problem.m), row))
        for row in range(min(problem.m, 3))
    ]
    for sort, value, gradient, rows in searches:
        found = _slsqp(problem, value, gradient, x, low, high, rows)
        if found is not None and (sort == "maximum" or np.abs((found - x) / size).max() > 1e-5):
            yield sort, point(found)
    for _ in range(2):
        start = np.clip(x + size * rng.normal(size=len(x)), problem.lowest, problem.highest)
        found = _slsqp(problem, lambda z: -problem.value(z), lambda z: -problem.gradient(z), start, low, high)
        if found is not None:
            yield "maximum", point(found)
        saddle = _stationary(problem, start, rng)
        if saddle is not None and np.abs((saddle[0] - x) / size).max() > 1e-5:
            yield "stationary point", point(saddle[0])
            yield "stationary point, its multipliers", point(saddle[0], **{MULTIPLIERS: saddle[1]})


def _stationary(problem, start, rng) -> tuple[np.ndarray, np.ndarray] | None:
    """(x, y) with grad f + J'y = 0 and the equations and a random half of the inequalities met."""
    n, equal = problem.n, problem.lower == problem.upper
    held = np.flatnonzero(equal | (rng.random(problem.m) < 0.5))
    side = np.where(np.isfinite(problem.lower), problem.lower, problem.upper)[held]

    def residual(w):
        y = np.zeros(problem.m)
        y[held] = w[n:]
        pulled = problem.vjp(w[:n], y) if problem.m else 0.0
        return np.concatenate([problem.gradient(w[:n]) + pulled, problem.constraints(w[:n])[held] - side])

    try:
        found = least_squares(residual, np.concatenate([start, np.zeros(len(held))]), max_nfev=100, xtol=1e-15)
    except ValueError:
        return None
    if not np.isfinite(found.x).all() or np.abs(found.fun).max(initial=0.0) > 1e-9:
        return None
    y = np.zeros(problem.m)
    y[held] = found.x[n:]
    return found.x[:n], y


def answer(problem: Nonlinear) -> Point:
    """The file's point, or the one that `sketched-newton` finds, with its multipliers where they belong together."""
    found = sk.solve(problem, method="sketched-newton", tol=1e-8, max_iter=200).point
    point = problem.expected.get("point")
    if point is None:
        return dict(found)
    near = np.abs(problem.flat(point) - problem.flat(found)).max() <= 1e-4
    return {**found, **point} if near else dict(point)


def stopped(problem: Nonlinear) -> Iterator[tuple[str, Point]]:
    """Points of runs that were cut short, with the multipliers of that moment."""
    for steps in (1, 2, 3, 5):
        yield f"after {steps} steps", dict(sk.solve(problem, method="sketched-newton", max_iter=steps).point)


# -- wrong oracles


class Wrong:
    """A function of which one derivative is changed."""

    def __init__(self, function: Any, oracle: str, change: Callable[[Any], Any]) -> None:
        self.function, self.oracle, self.change = function, oracle, change

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.function, name)
        return value if name != self.oracle else lambda *given: self.change(value(*given))


def wrong_oracles(problem: Nonlinear, point: Point) -> Iterator[tuple[str, Nonlinear]]:
    """(sort, problem) with one oracle of f or c changed in sign, size, or one entry; those that are zero are left."""
    x, rng = problem.flat(point), np.random.default_rng(0)
    for part in ("objective_function", "constraint_function"):
        function = getattr(problem, part)
        if function is None or function.degree == 0:
            continue
        weights, d = rng.uniform(0.5, 1, function.outputs), rng.uniform(0.5, 1, problem.n)
        given = {
            "gradient": (x,),
            "jacobian": (x,),
            "vjp": (x, weights),
            "jvp": (x, d),
            "hessian": (x, weights),
            "hvp": (x, weights, d),
        }
        del given["jacobian" if part == "objective_function" else "gradient"]
        if part == "objective_function":
            del given["vjp"], given["jvp"]
        if function.degree == 1:
            del given["hessian"], given["hvp"]
        for oracle, arguments in given.items():
            if np.abs(_array(getattr(function, oracle)(*arguments))).max(initial=0.0) < 1e-3:
                continue
            for sort, change in CHANGES.items():
                yield f"{oracle} of {part}, {sort}", replace(problem, **{part: Wrong(function, oracle, change)})


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.toarray()) if issparse(value) else np.array(value, dtype=float)


def _one_entry(value: Any) -> Any:
    changed = _array(value)
    largest = np.unravel_index(int(np.abs(changed).argmax()), changed.shape)
    changed[largest] *= 1.05
    if changed.ndim == 2 and changed.shape[0] == changed.shape[1]:
        changed[largest[::-1]] = changed[largest]  # a Hessian stays symmetric
    return csr_array(changed) if issparse(value) else changed


CHANGES: dict[str, Callable[[Any], Any]] = {
    "negated": lambda value: -1.0 * value,
    "zero": lambda value: 0.0 * value,
    "doubled": lambda value: 2.0 * value,
    "one entry wrong": _one_entry,
}
