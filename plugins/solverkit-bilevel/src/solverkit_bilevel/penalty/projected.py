"""Minimization of a smooth function over a simple set: the outer and the inner loop of the penalty method alike.

    min phi(v)   s.t.  v in V

    V a box or free:   p = -H g on the free coordinates, -g on those that g pushes against their bound;  v+ = P(v + t p)
    any other V:       p = P(v - a g) - v,  a the Barzilai-Borwein step;                               v+ = v + t p

H is L-BFGS restricted to the free coordinates (two-metric projection, Bertsekas 1982); the second line is the spectral
projected gradient of Birgin, Martinez and Raydan (2000), monotone. t is found by bisection for the weak Wolfe
conditions (Lewis and Overton 2013). Where values differ by rounding alone, slopes decide (the approximate Wolfe
condition of Hager and Zhang 2005), so that gradients can be followed to the accuracy of their own rounding.

| here | meaning |
|---|---|
| Walk | where a minimization stands: v, phi(v), its gradient, curvature pairs |
| residual | ||P(v - g) - v||_2, 0 exactly at a stationary point |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from solverkit.operators.sets import Box, Free, Product, SimpleSet

Evaluate = Callable[[np.ndarray], tuple[float, np.ndarray]]

ARMIJO, WOLFE = 1e-4, 0.9
TRIALS = 25  # of one line search
CURVED = 1e-12  # least s'y / y'y of a pair
STEP_RANGE = (1e-12, 1e12)  # of the spectral step
NOISE = {"float64": 1e-11, "float32": 1e-5}  # relative differences of values that may be rounding
PATIENCE = 30  # iterations in which the residual must halve, once values no longer fall


@dataclass
class Walk:
    """Where a minimization stands: arrays and numbers alone, so that a checkpoint holds it."""

    v: np.ndarray  # (n,)
    value: float
    gradient: np.ndarray  # (n,)
    moves: list[np.ndarray] = field(default_factory=list)  # differences of v
    turns: list[np.ndarray] = field(default_factory=list)  # and of the gradient
    bends: list[float] = field(default_factory=list)  # their products, > 0
    step: float = 0.0  # spectral step; 0: none yet

    def forget(self) -> None:
        """Drop the curvature."""
        self.moves, self.turns, self.bends, self.step = [], [], [], 0.0

    def remember(self, v: np.ndarray, value: float, gradient: np.ndarray, memory: int) -> None:
        """Move there and keep the pair."""
        move, turn = v - self.v, gradient - self.gradient
        bent, long = float(move @ turn), float(turn @ turn)
        if bent > CURVED * long and long > 0:
            self.moves, self.turns = [*self.moves, move][-memory:], [*self.turns, turn][-memory:]
            self.bends = [*self.bends, bent][-memory:]
            self.step = float(np.clip(float(move @ move) / bent, *STEP_RANGE))
        self.v, self.value, self.gradient = v, value, gradient


class Domain:
    """V with what the directions need to know of it."""

    def __init__(self, simple: SimpleSet, n: int) -> None:
        self.simple = simple
        bounds = _bounds(simple, n)
        self.boxed = bounds is not None
        self.unbounded = isinstance(simple, Free)
        self.lower, self.upper = bounds if bounds is not None else (np.full(n, -np.inf), np.full(n, np.inf))

    def project(self, v: np.ndarray) -> np.ndarray:
        """The nearest point of V."""
        if self.unbounded:
            return v
        return np.clip(v, self.lower, self.upper) if self.boxed else self.simple.project(v)

    @np.errstate(over="ignore")
    def residual(self, v: np.ndarray, gradient: np.ndarray) -> float:
        """||P(v - g) - v||."""
        if self.unbounded:
            return float(np.sqrt(gradient @ gradient))
        return float(np.linalg.norm(self.project(v - gradient) - v))

    def free(self, v: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Coordinates of a box that a step along -g may change, bool."""
        return ~(((v <= self.lower) & (gradient > 0)) | ((v >= self.upper) & (gradient < 0)))


def _bounds(simple: SimpleSet, n: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The set as a box; None where it is none."""
    if isinstance(simple, Free):
        return np.full(n, -np.inf), np.full(n, np.inf)
    if isinstance(simple, Box):
        return np.broadcast_to(simple.lower, n).copy(), np.broadcast_to(simple.upper, n).copy()
    if not isinstance(simple, Product):
        return None
    lower, upper = np.full(n, -np.inf), np.full(n, np.inf)
    for at, part in simple.parts:
        inside = _bounds(part, at.stop - at.start)
        if inside is None:
            return None
        lower[at], upper[at] = inside
    return lower, upper


def advance(walk: Walk, evaluate: Evaluate, domain: Domain, noise: float, memory: int = 10) -> bool:
    """One iteration in place; False where no step along any direction goes down."""
    for fresh in (False, True):
        if fresh:
            if not walk.moves and not walk.step:
                break
            walk.forget()
        found = _search(walk, evaluate, domain, _direction(walk, domain), noise)
        if found is not None:
            walk.remember(*found, memory)
            return True
    return False


def _direction(walk: Walk, domain: Domain) -> np.ndarray:
    g = walk.gradient
    if not domain.boxed:
        step = walk.step or 1.0 / max(1.0, float(np.abs(g).max(initial=0.0)))
        return domain.project(walk.v - step * g) - walk.v
    if not walk.moves:
        return -g / max(1.0, float(np.abs(g).max(initial=0.0)))
    if domain.unbounded:
        return _two_loops(g, walk.moves, walk.turns, walk.bends)[0]
    free = domain.free(walk.v, g)
    pairs = [(move * free, turn * free) for move, turn in zip(walk.moves, walk.turns, strict=True)]
    kept = [(move, turn, float(move @ turn)) for move, turn in pairs]
    kept = [pair for pair in kept if pair[2] > CURVED * float(pair[1] @ pair[1]) > 0]
    if not kept:
        return -g / max(1.0, float(np.abs(g).max(initial=0.0)))
    moves, turns, bends = (list(part) for part in zip(*kept, strict=True))
    direction, scale = _two_loops(np.where(free, g, 0.0), moves, turns, bends)
    return np.where(free, direction, -scale * g)


def _two_loops(
    g: np.ndarray, moves: list[np.ndarray], turns: list[np.ndarray], bends: list[float]
) -> tuple[np.ndarray, float]:
    """(-H g, the scale of H's first guess)."""
    q, weights = g.copy(), []
    for move, turn, bent in zip(reversed(moves), reversed(turns), reversed(bends), strict=True):
        weights.append(float(move @ q) / bent)
        q -= weights[-1] * turn
    scale = bends[-1] / float(turns[-1] @ turns[-1])
    q *= -scale
    for move, turn, bent, weight in zip(moves, turns, bends, reversed(weights), strict=True):
        q -= (weight + float(turn @ q) / bent) * move
    return q, scale


def _search(
    walk: Walk, evaluate: Evaluate, domain: Domain, direction: np.ndarray, noise: float
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """The first v + t p that falls enough and is no longer as steep, else the lowest that falls enough, else None."""
    best: tuple[np.ndarray, float, np.ndarray] | None = None
    short, long, size = 0.0, np.inf if domain.boxed else 1.0, 1.0
    slack = noise * (1e-3 + abs(walk.value))
    last = walk.v
    for _ in range(TRIALS):
        v = domain.project(walk.v + size * direction) if domain.boxed else walk.v + size * direction
        if best is not None and np.array_equal(v, last):  # every coordinate is at its bound
            break
        move, last = v - walk.v, v
        rate = float(walk.gradient @ move)
        if not np.abs(move).max(initial=0.0) > 1e-16 * (1.0 + float(np.abs(walk.v).max(initial=0.0))):
            break
        value, gradient = evaluate(v)
        slope = float(gradient @ move) if np.isfinite(value) else np.nan
        if rate < 0 and _falls(value - walk.value, slope, rate, slack):
            if best is None or value <= best[1] + slack:
                best = v, value, gradient
            if slope >= WOLFE * rate or size >= long:
                break
            short = size
        else:
            long = size
        size = 4 * size if long == np.inf else (short + long) / 2
    return best


def _falls(change: float, slope: float, rate: float, slack: float) -> bool:
    """Armijo, or by slopes where the change of the value is no more than rounding."""
    if not (np.isfinite(change) and np.isfinite(slope)):
        return False
    return change <= ARMIJO * rate or (change <= slack and slope <= (2 * ARMIJO - 1) * rate)


# without a bound, values run off to infinity; `_falls` asks for finite ones
@np.errstate(over="ignore", invalid="ignore")
def minimize(
    evaluate: Evaluate, domain: Domain, walk: Walk, tol: float, limit: int, noise: float, memory: int = 20
) -> tuple[Walk, int]:
    """Iterate in place until residual <= tol, the limit, or rounding ends it. Returns the walk and its iterations."""
    best, since = np.inf, 0
    for k in range(limit):
        residual = domain.residual(walk.v, walk.gradient)
        if not residual > tol:
            return walk, k
        before = walk.value
        since = 0 if residual <= 0.5 * best else since + 1
        best = min(best, residual) if since else residual
        if not advance(walk, evaluate, domain, noise, memory):
            return walk, k
        if since >= PATIENCE and not walk.value < before - noise * 1e-3 * (1e-3 + abs(before)):
            return walk, k + 1
    return walk, limit
