"""Is a proximal map that of the function it says? For maps that stand in a problem, whoever wrote them.

With p = prox(v, s) the vector g = (v - p) / s is a subgradient of h at p. So, for any v, s, t,

| what | holds |
|---|---|
| the step | prox(p + t g, t) = p |
| monotone | <p - p', g - g'> >= 0 |
| the value | h(p') >= h(p) + <g, p' - p> |
| the conjugate | h(p) + h*(g) = <p, g>, and h(p') + h*(g) >= <p', g> |

A map that forgets its step breaks the first, one of another multiple of h the third, a wrong constant in h* the last.
What is broken is relative to the sizes that enter. Nothing here sees a map whose prox, value and conjugate are all
those of one other function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from solverkit.kinds.oracles import Discrepancy

if TYPE_CHECKING:
    from solverkit.kinds.composite.parts import Simple
    from solverkit.operators.proximal import ProximalMap

STEPS = (1.0, 0.1, 3.0)
EXACT = 1e-6
"""Relative to what enters: a map that is itself an iteration is known to no more."""

ROUNDING = 16 * float(np.finfo(float).eps)
"""Of z and p, in what they are the difference of: far out a right g is known to few digits."""

LOST = 1e3
"""Where z is so much larger than p = z - step g, rounding may put p outside of the domain by more than `value` lets."""


Seen = tuple[np.ndarray, np.ndarray, np.ndarray]
"""p, a subgradient there, and the sizes of what it is a difference of, which its rounding goes with."""


def proximal_map(part: ProximalMap, v: np.ndarray, seed: int) -> Discrepancy:
    """The worst of the table at v and near it, and which line it is; at most EXACT where the map is right."""
    rng, size = np.random.default_rng(seed), 1 + np.abs(v)
    found = Discrepancy(0.0, "")
    seen: list[Seen] = []
    for step in STEPS:
        z = v + size * rng.uniform(-1, 1, len(v))
        p = np.asarray(part.prox(z, step), dtype=float)
        g = _known(z - p, np.abs(z) + np.abs(p)) / step
        other = STEPS[1] if step == STEPS[0] else STEPS[0]
        again = np.asarray(part.prox(p + other * g, other), dtype=float)
        lost = ROUNDING * (1 + other / step) * float(np.linalg.norm(np.abs(z) + np.abs(p)))  # in p + other g
        apart = float(np.abs(again - p).max(initial=0.0) - lost) / (1 + float(np.abs(p).max(initial=0.0)))
        found = _worse(found, apart, "proximal map: its step")
        seen.append((p, g, (np.abs(z) + np.abs(p)) / step))  # the last: what g is a difference of
    found = _worse(found, _backward(seen), "proximal map: not monotone")
    return _worse(
        _worse(found, _below(part.value, seen), "proximal map and value"), _conjugate(part, seen), "conjugate"
    )


def simple(part: Simple, v: np.ndarray, seed: int) -> Discrepancy:
    """The same of chi: its steps in the Euclidean geometry, and `lowest`, which bounds the answer from below."""
    rng, size = np.random.default_rng(seed), 1 + np.abs(v)
    found = Discrepancy(0.0, "")
    seen: list[Seen] = []
    for weight in STEPS:
        slope, centre = rng.standard_normal(len(v)), v + size * rng.uniform(-1, 1, len(v))
        if part.geometry == "entropy":
            centre = np.abs(centre) / np.abs(centre).sum()
        u = np.asarray(part.step(slope, centre, weight), dtype=float)
        entering = np.abs(slope) + weight * (np.abs(u) + np.abs(centre))
        seen.append((u, _known(-slope - weight * (u - centre), entering), entering))
    if part.geometry == "euclidean":
        found = _worse(found, _below(part.value, seen, part.strong), "chi: its step and value")
    for _, slope, _ in seen:
        least = float(part.lowest(-slope))  # minus infinity, as rounding of the slope may have it, is below everything
        for u, _, _ in seen:
            value, rise = float(part.value(u)), float(slope @ u)
            if np.isfinite(value):
                entering = 1 + abs(value) + abs(rise) + abs(least)
                found = _worse(found, max(least + rise - value, 0.0) / entering, "chi: its lowest value")
    return found


def _known(g: np.ndarray, entering: np.ndarray) -> np.ndarray:
    """g without the entries that are rounding alone: where h is zero nothing else is left of it."""
    return np.where(np.abs(g) <= 1e-12 * entering, 0.0, g)


def _worse(found: Discrepancy, value: float, what: str) -> Discrepancy:
    return found if value <= found.value else Discrepancy(value, what)


def _backward(seen: list[Seen]) -> float:
    worst = 0.0
    for p, g, size in seen:
        for q, k, other in seen:
            entering = (
                float((np.linalg.norm(p) + np.linalg.norm(q)) * (np.linalg.norm(size) + np.linalg.norm(other))) or 1.0
            )
            worst = max(worst, -float((p - q) @ (g - k)) / entering)
    return worst


def _below(value: Callable[[np.ndarray], object], seen: list[Seen], strong: float = 0) -> float:
    """How far h(p') lies below h(p) + <g, p' - p> + (strong / 2) ||p' - p||^2; infinite where h(p) is."""
    values = [float(np.asarray(value(p))) for p, _, _ in seen]
    if not np.isfinite(values).all():
        lost = any(np.abs(g).max() > LOST * (1 + np.abs(p).max()) for p, g, _ in seen)
        return 0.0 if lost else float("inf")
    worst = 0.0
    others = [(q, there) for (q, _, _), there in zip(seen, values, strict=True)]
    for (p, g, size), here in zip(seen, values, strict=True):
        along = [(q, float(np.asarray(value(q)))) for q in (p / 2, 1.5 * p)]  # a multiple of h shows best along p
        for q, there in others + along:
            rise = float(g @ (q - p)) + strong / 2 * float((q - p) @ (q - p))
            entering = abs(here) + abs(there) + float(size @ (np.abs(q) + np.abs(p)))
            worst = max(worst, (here + rise - there) / entering if entering > 0 else 0.0)
    return worst


def _conjugate(part: ProximalMap, seen: list[Seen]) -> float:
    worst = 0.0
    for p, g, size in seen:
        try:
            dual = float(np.asarray(part.conjugate(g)))
        except NotImplementedError:
            return worst
        for q, _, _ in seen:
            value, product = float(np.asarray(part.value(q))), float(q @ g)
            entering = 1 + abs(value) + float(np.abs(q) @ np.abs(g))
            if not np.isfinite(dual):  # g is a subgradient: only rounding may put it outside of the domain of h*
                worst = worst if np.abs(p).max() > LOST * np.abs(g).max() else float("inf")
            else:
                apart = abs(value + dual - product) if q is p else product - value - dual
                worst = max(worst, (apart - ROUNDING * float(np.abs(q) @ size)) / entering)
    return worst
