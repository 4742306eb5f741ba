"""The independent check of a composite answer: everything recomputed in float64 from the problem's own oracles.

| term | value | scaling | tolerance |
|---|---|---|---|
| feasibility | how far x breaks the inequalities of the set X | 1 + ||x||_inf | tol |
| gap | Psi(x) - l, l the best lower bound at hand (`bound.py`) | 1 + |Psi(x)| | tol |
| oracles | grad f and subgradients against differences, K against K'; chi and g by `kinds/maps.py` | 1 | 1e-4 |
| convexity | where f is an expression or code: how far it lies below its linearizations | 1 | 1e-8 |

The bound linearizes f at `anchor` and at x, whichever is better, with the point's `dual`, or its `cuts`. Where the gap
is open the core improves the dual by itself, by up to `ASCENT` steps from the point's own, or from scratch; of an h
that is a loss of data by rows it works out one as well. So a point without any dual may be certified, and no dual can
make a wrong point look right: the bound holds whatever y and z are.

A certified x satisfies Psi(x) <= min Psi + tol (1 + |Psi(x)|). Where chi is not strongly convex and nothing bounds Psi,
that is so for all u within `NEAR` (1 + ||x||) of x (`bound.Near`), and for those further away that `farther` meets.
And with chi mu-strongly convex ||x - x*||^2 <= 2 gap / mu, which is a fact of the certificate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from solverkit.kinds import maps
from solverkit.kinds.base import Certificate, Point, Term
from solverkit.kinds.composite import bound, farther, polish
from solverkit.kinds.composite.level import l1_weight, nonnegative, reach
from solverkit.kinds.composite.problem import ANCHOR, CUTS, DUAL, WEIGHTS, Composite
from solverkit.kinds.oracles import TOLERANCE, Oracle, consistency, transposed

ASCENT = 1000
"""Steps by which the core improves a dual, at most."""

WORK = 2e8
"""Numbers of x and y together that it touches for that, at most: fewer steps for large problems."""

NEAR = 10.0
"""Where nothing bounds Psi everywhere: the bound holds at distances up to so many times 1 + ||x|| from x."""

DISTANCES = np.geomspace(1e-2, 1e3, 12)
"""How far from x convexity is looked at, times 1 + |x|, at a random pair each. A small dent shows to near ones."""

Facts = dict[str, float | str | bool]


def certify(problem: Composite, point: Point, tol: float = 1e-6, seed: int = 0) -> Certificate:
    """The verdict on a point. Never raises: what cannot be computed is UNVERIFIED and says why."""
    try:
        x = problem.flat(point)
    except (KeyError, ValueError, TypeError) as error:
        text = f"block {error} is missing" if isinstance(error, KeyError) else str(error)
        return Certificate((), unverified=text)
    if not np.isfinite(x).all():
        return Certificate((), unverified="the point is not finite")
    try:
        with np.errstate(all="ignore"):
            return _certify(problem, x, point, float(tol), seed)
    except Exception as error:  # an oracle may be foreign code
        return Certificate((), unverified=f"{type(error).__name__}: {error}")


def _certify(problem: Composite, x: np.ndarray, point: Point, tol: float, seed: int) -> Certificate:
    terms = [Term("feasibility", problem.simple.violation(x), tol, 1 + float(np.abs(x).max()), feasibility=True)]
    x = _nearest(problem, x) if terms[0].ok else x
    value = problem.objective(problem.blocks(x))
    if not np.isfinite(value):
        if terms[0].ok:
            return Certificate((), {"objective": value}, f"Psi is {value} at the point")
        return Certificate(tuple(terms), {"objective": value})
    facts: Facts = {"objective": value}
    value = float(value)
    scale = 1 + abs(value)
    here = bound.Linearized.at(problem, x)
    near = None if problem.simple.strong + here.strong > 0 else _near(problem, x, value)
    lower, note = _lower(problem, here, near, point, value - tol * scale, seed)
    if value - lower <= tol * scale and near is not None and not near.everywhere:
        lower, note = _farther(problem, x, value, seed, (lower, note))
    facts["lower_bound"] = lower
    strong = problem.simple.strong + bound.curvature(problem)
    if strong > 0:
        facts["distance_bound"] = float(np.sqrt(2 * max(value - lower, 0.0) / strong))
    terms.append(Term("gap", float(value - lower), tol, scale, note=note))
    terms += _oracles(problem, x, seed)
    return Certificate(tuple(terms), facts)


def _nearest(problem: Composite, x: np.ndarray) -> np.ndarray:
    """x itself, moved into X where rounding put it outside, so that Psi is finite there."""
    return x if np.isfinite(problem.simple.value(x)) else _within(problem, x)


def _within(problem: Composite, z: np.ndarray) -> np.ndarray:
    """The point of X next to z: f and h need to be convex there alone."""
    if problem.simple.geometry == "entropy":
        z = np.maximum(z, 1e-300)
    return problem.simple.step(np.zeros_like(z), z, 1e12)


def _lower(
    problem: Composite, here: bound.Linearized, near: bound.Near | None, point: Point, enough: float, seed: int
) -> tuple[float, str]:
    """The best lower bound at hand, and what to say of it; none better than `enough` is looked for."""
    x, lines = here.z, [here]
    anchor = point.get(ANCHOR)
    if anchor is not None and np.size(anchor) == problem.n and np.isfinite(anchor).all():
        z = _within(problem, np.asarray(anchor, dtype=float).ravel())
        lines += [bound.Linearized.at(problem, z)] if np.isfinite(z).all() else []
    found = []
    rows = getattr(problem.nonsmooth, "rows_form", None)
    if rows is not None:  # a loss of data is the maximum over a y for its rows as well
        problem = replace(problem, structured=rows, nonsmooth=None) if CUTS not in point else problem
    if problem.structured is None:
        found.append(_with_cuts(problem, lines, x, point, near))
        if found[0][0] >= enough:
            return found[0]
        if rows is None:
            return _polished(problem, x, np.zeros(0), 0.0, near, enough, found[0])
        problem = replace(problem, structured=rows, nonsmooth=None)
    found.append(_with_dual(problem, lines, point, near, enough, seed))
    return max(found, key=lambda each: each[0] if each[0] == each[0] else -np.inf)


def _farther(problem: Composite, x: np.ndarray, value: float, seed: int, found: tuple[float, str]) -> tuple[float, str]:
    """What is found, or no more than Psi at a better point far away."""
    norm = 0.0 if problem.structured is None else bound.norm_of(problem, seed)
    gain, distance = farther.drop(problem, x, value, norm, lambda z: _within(problem, z))
    if gain > 0 and value - gain < found[0]:
        return value - gain, f"Psi is lower by {gain:.3g} at the distance {distance:.3g} of x"
    return found


def _near(problem: Composite, x: np.ndarray, value: float) -> bound.Near:
    """Where Psi is bounded if nothing is strongly convex: where it is below Psi(x), if that is known, or close to x."""
    size, most = float(np.linalg.norm(x)), reach(problem.simple, x)
    if most < np.inf:
        return bound.Near(x, max(most, 1e-300), everywhere=True)
    weight = l1_weight(problem.simple)
    if weight > 0 and nonnegative(problem):  # weight ||u||_1 <= Psi(u) <= Psi(x)
        return bound.Near(x, value / weight + size, everywhere=True)
    return bound.Near(x, NEAR * (1 + size))


def _with_dual(
    problem: Composite, lines: list[bound.Linearized], point: Point, near: bound.Near | None, enough: float, seed: int
) -> tuple[float, str]:
    assert problem.structured is not None
    dual, given = _dual(problem, point)
    found = [(bound.with_dual(problem, line, dual, near), line) for line in lines]
    first, line = max(found, key=lambda each: each[0] if each[0] == each[0] else -np.inf)
    if first >= enough:
        return first, _said(near, "" if given else "no dual was given")
    norm = bound.norm_of(problem, seed)
    steps = int(np.clip(WORK / (problem.n + problem.structured.rows), 30, ASCENT))
    steps = steps // 5 if given else steps  # a method's own dual is near the best, or the gap is open for a reason
    rounds = 1 if near is None else 5
    best = first
    for _ in range(rounds):
        dual = bound.inside(problem, bound.ascend(problem, line, dual, norm, steps // rounds, enough, near))
        best = max(best, *(bound.with_dual(problem, each, dual, near) for each in lines))
        if best >= enough:
            break
    if best < enough and near is not None:
        polished, _ = _polished(problem, lines[-1].z, dual, norm, near, enough, (best, ""))
        best = max(best, polished)
    if not best > first:
        return first, _said(near, "" if given else "no dual was given")
    whose = "the dual was improved by the certificate" if given else "the dual is the certificate's own"
    return best, _said(near, whose)


def _polished(
    problem: Composite,
    x: np.ndarray,
    y: np.ndarray,
    norm: float,
    near: bound.Near | None,
    enough: float,
    found: tuple[float, str],
) -> tuple[float, str]:
    """What is found, or better by points at which f is linearized that the core finds itself (`polish.py`)."""
    if near is None or problem.nonsmooth is not None:
        return found
    for z, dual in polish.pairs(problem, x, y, norm):
        line = bound.Linearized.at(problem, z)
        if problem.structured is None:
            value = bound.with_cuts(problem, line, z[None, :], np.ones(1), near)
        else:
            value = bound.with_dual(problem, line, bound.inside(problem, dual), near)
        if value > found[0]:
            found = value, _said(near, "f was linearized at a point of the certificate's own")
        if value >= enough:
            break
    return found


def _said(near: bound.Near | None, text: str) -> str:
    """The note of the gap, with the distance up to which it holds where it does not hold everywhere."""
    parts = [text] if text else []
    if near is not None and not near.everywhere:
        parts.append(
            f"chi is not strongly convex: on an unbounded X it holds up to the distance {near.radius:.3g} of x"
        )
    return "; ".join(parts)


def _dual(problem: Composite, point: Point) -> tuple[np.ndarray, bool]:
    """The point's dual, moved into the domain of g*; zeros moved there without one."""
    assert problem.structured is not None
    y = point.get(DUAL)
    usable = y is not None and np.size(y) == problem.structured.rows and bool(np.isfinite(y).all())
    start = np.asarray(y, dtype=float).ravel() if usable else np.zeros(problem.structured.rows)
    return bound.inside(problem, start), usable


def _with_cuts(
    problem: Composite, lines: list[bound.Linearized], x: np.ndarray, point: Point, near: bound.Near | None
) -> tuple[float, str]:
    cuts, weights, note = x[None, :], np.ones(1), ""
    if problem.nonsmooth is not None:
        given, shares = point.get(CUTS), point.get(WEIGHTS)
        if given is not None and shares is not None and np.shape(given) == (np.size(shares), problem.n):
            shares = np.maximum(np.asarray(shares, dtype=float).ravel(), 0.0)
            if np.isfinite(given).all() and 0 < shares.sum() < np.inf:
                cuts = np.array([_within(problem, cut) for cut in np.asarray(given, dtype=float)])
                weights = shares / shares.sum()
        else:
            note = "h is linearized at x alone: no cuts were given"
    lower = max(bound.with_cuts(problem, line, cuts, weights, near) for line in lines)
    return lower, _said(near, note)


def _known(part: object) -> bool:
    """Whether a part is of the core's own formulas, whose convexity and derivatives need no look."""
    return bool(getattr(part, "known", False))


def _oracles(problem: Composite, x: np.ndarray, seed: int) -> list[Term]:
    checked = []
    if not _known(problem.smooth):
        checked.append(
            Oracle(
                "f",
                lambda z: np.array([problem.smooth_value(z)]),
                lambda z, d: np.array([float(problem.smooth_gradient(z) @ d)]),
            )
        )
    if problem.nonsmooth is not None and not _known(problem.nonsmooth):
        checked.append(
            Oracle(
                "h",
                lambda z: np.array([problem.nonsmooth_value(z)]),
                lambda z, d: np.array([float(problem.subgradient(z) @ d)]),
            )
        )
    worst = consistency(checked, x, seed)
    value, note = worst.value, worst.oracle and f"worst: {worst.oracle}"
    if problem.structured is not None:
        apart = transposed(
            lambda _, y: problem.adjoint(y), lambda _, d: problem.forward(d), x, problem.structured.rows, seed
        )
        if not apart <= 1e-8:
            value, note = max(value, 1.0), "K and K' are not transposes of each other"
    told = [maps.simple(problem.simple, x, seed)]
    if problem.structured is not None:
        told.append(maps.proximal_map(problem.structured.outer, problem.forward(x), seed))
    for found in told:
        if not found.value <= maps.EXACT:
            value, note = max(value, found.value, 1.0), f"worst: {found.oracle}"
    return [Term("oracles", value, TOLERANCE, note=note), Term("convexity", _bend(problem, x, seed), 1e-8)]


def _bend(problem: Composite, x: np.ndarray, seed: int) -> float:
    """How far f, or an h known by subgradients, lies below a linearization, relative to the sizes that enter."""
    rng, size, worst = np.random.default_rng(seed), 1 + np.abs(x), 0.0
    if _known(problem.smooth) and (problem.nonsmooth is None or _known(problem.nonsmooth)):
        return worst
    for distance in DISTANCES:
        z, w = (x + distance * size * rng.uniform(-1, 1, len(x)) for _ in range(2))
        z, w = _within(problem, np.abs(z) if problem.simple.geometry == "entropy" else z), _within(problem, w)
        for made, seen in ((z, w), (z, x), (x, w)):
            if not _known(problem.smooth):
                worst = max(worst, _below(problem.smooth_value, problem.smooth_gradient, made, seen))
            if problem.nonsmooth is not None and not _known(problem.nonsmooth):
                worst = max(worst, _below(problem.nonsmooth_value, problem.subgradient, made, seen))
    return worst


def _below(
    value: Callable[[np.ndarray], float],
    gradient: Callable[[np.ndarray], np.ndarray],
    z: np.ndarray,
    w: np.ndarray,
) -> float:
    first, second = value(z), value(w)
    rise = float(gradient(z) @ (w - z))
    entering = abs(first) + abs(second) + abs(rise)
    below = first + rise - second
    return max(below / entering, 0.0) if entering > 0 else 0.0
