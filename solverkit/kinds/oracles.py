"""Are the oracles what they say? Directional derivatives against central differences, for any kind of problem.

For r : R^n -> R^k with a claimed derivative J(z) d, along a random d with entries of the size of 1 + |z_i|,

    D(t) = (r(z + t d) - r(z - t d)) / 2t,      t = eps^(1/3) (2, 1, 1/2),

and, row by row, with D+ and D- the one-sided quotients,

    discrepancy = max(0, dist(J d, [D-, D+] or D) - 4 spread(D)) / max(|D|, |J d|, floor).

`spread`, the largest difference of the three D, is rounding and truncation together as they really are, so a stiff but
right oracle raises no alarm; the one-sided interval lets every subgradient of a kink pass. A wrong sign gives 2, a
missing factor two 1/2, a zero derivative 1. A flipped gradient that happens to vanish at z is seen from a second point
close by. An oracle is asked twice at z, and what changes counts as well. Where the comparison fails, or r is not finite
at z +- t d, the steps shrink; a smaller step counts only where its own rounding is little beside the discrepancy that
it would explain. Where r is finite on one side at every step, one-sided quotients are used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

DIRECTIONS = 3
STEP = float(np.finfo(float).eps) ** (1 / 3)
AWAY = 1e-2  # distance of the second point, times 1 + |z_i|
SHRINK = (1.0, 1e-2, 1e-4, 1e-6)  # of the step, where r is stiff or its domain ends
CLEAR = 0.1  # a smaller step counts only where rounding and truncation leave this share of the discrepancy in doubt
TOLERANCE = 1e-4  # for the term of a certificate

Vector = Callable[[np.ndarray], np.ndarray]
Along = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Oracle:
    """A value and the directional derivative that is claimed for it: `value(z)` (k,), `along(z, d)` (k,)."""

    name: str
    value: Vector
    along: Along


@dataclass(frozen=True)
class Discrepancy:
    """The worst relative discrepancy of all oracles, and whose it is. NaN where an oracle could not be checked."""

    value: float
    oracle: str


def consistency(oracles: Sequence[Oracle], z: np.ndarray, seed: int) -> Discrepancy:
    """Check every oracle at z along DIRECTIONS directions, and at a point close by along one."""
    rng = np.random.default_rng(seed)
    size = 1 + np.abs(z)
    base = [(z, size * rng.choice([-1.0, 1.0], len(z)) * rng.uniform(0.5, 1.0, len(z))) for _ in range(DIRECTIONS)]
    near = z + AWAY * size * rng.uniform(-1, 1, len(z))
    base.append((near, size * rng.uniform(0.5, 1.0, len(z)) * rng.choice([-1.0, 1.0], len(z))))
    worst = Discrepancy(0.0, "")
    for oracle in oracles:
        for k, (point, direction) in enumerate(base):
            found = discrepancy(oracle, point, direction)
            if k == 0:
                found = max(found, changed(oracle, point, direction))
            if np.isnan(found):
                if k == DIRECTIONS:  # outside the domain: the point itself was checked
                    continue
                return Discrepancy(float("nan"), oracle.name)
            if found > worst.value:
                worst = Discrepancy(found, oracle.name)
    return worst


def changed(oracle: Oracle, z: np.ndarray, direction: np.ndarray) -> float:
    """How much the derivative differs when it is asked again, after another point: stale, noisy or random."""
    first = np.asarray(oracle.along(z, direction), dtype=float)
    oracle.along(z + STEP * direction, direction)
    again = np.asarray(oracle.along(z, direction), dtype=float)
    size = max(float(np.abs(first).max(initial=0.0)), float(np.abs(again).max(initial=0.0)))
    return float(np.abs(first - again).max(initial=0.0)) / size if size > 0 else 0.0


def discrepancy(oracle: Oracle, z: np.ndarray, direction: np.ndarray) -> float:
    """The worst row of one oracle along one direction, as in the module; NaN where it is finite nowhere near z."""
    center = np.asarray(oracle.value(z), dtype=float)
    if center.size == 0:
        return 0.0
    claimed = np.asarray(oracle.along(z, direction), dtype=float)
    if not (np.isfinite(center).all() and np.isfinite(claimed).all()) or claimed.shape != center.shape:
        return float("nan")
    worst = float("nan")
    for one_sided in (False, True):
        for shrink in SHRINK:
            quotients = _quotients(oracle, z, direction, center, STEP * shrink, one_sided)
            if quotients is None:
                continue
            excess, doubt = _compare(claimed, *quotients)
            if np.isnan(worst):
                worst = excess
            elif doubt <= CLEAR * worst:
                worst = min(worst, excess)
            if worst <= TOLERANCE:
                return worst
        if not np.isnan(worst):
            return worst
    return worst


def _quotients(oracle: Oracle, z: np.ndarray, direction: np.ndarray, center: np.ndarray, step: float, one_sided: bool):
    """(D, low, high, spread, rounding) of each row, or None where r is not finite on the sides that are asked for."""
    ahead = {t: np.asarray(oracle.value(z + t * direction), dtype=float) for t in (2 * step, step, step / 2)}
    behind = {t: np.asarray(oracle.value(z - t * direction), dtype=float) for t in ahead}
    forward = all(np.isfinite(value).all() for value in ahead.values())
    backward = all(np.isfinite(value).all() for value in behind.values())
    if not (forward or backward if one_sided else forward and backward):
        return None
    plus = {t: (ahead[t] - center) / t for t in ahead} if forward else {}
    minus = {t: (center - behind[t]) / t for t in behind} if backward else {}
    if forward and backward:
        three = np.array([(plus[t] + minus[t]) / 2 for t in ahead])
        low, high = np.minimum(plus[step], minus[step]), np.maximum(plus[step], minus[step])
    else:
        three = np.array(list((plus or minus).values()))
        low = high = three[1]
    size = np.max([np.abs(value) for value in (ahead if forward else behind).values()], axis=0) + np.abs(center)
    return three[1], low, high, np.ptp(three, axis=0), np.finfo(float).eps * size / step


def _compare(claimed, middle, low, high, spread, rounding) -> tuple[float, float]:
    """(the worst discrepancy, the worst allowance for rounding and truncation), both relative."""
    apart = np.maximum(np.maximum(low - claimed, claimed - high), 0.0)
    # within the kink's interval, but only where there is a kink: elsewhere the middle is what counts
    smooth = high - low <= 1e-2 * np.maximum(np.abs(high), np.abs(low))
    apart = np.where(smooth, np.abs(claimed - middle), apart)
    allowance = 4 * spread + 10 * rounding
    size = np.maximum(np.maximum(np.abs(middle), np.abs(claimed)), 1e-300)
    excess = np.maximum(apart - allowance, 0.0)
    return float((excess / size).max(initial=0.0)), float((allowance / size).max(initial=0.0))


def transposed(vjp: Along, along: Along, z: np.ndarray, outputs: int, seed: int) -> float:
    """|w'(J d) - (J'w)'d| relative to the sizes that enter, for random d and w: rounding where both are one matrix."""
    rng = np.random.default_rng(seed)
    if outputs == 0:
        return 0.0
    weights, direction = rng.uniform(0.5, 1, outputs), rng.uniform(0.5, 1, len(z)) * rng.choice([-1.0, 1.0], len(z))
    forward, back = along(z, direction), vjp(z, weights)
    one, two = weights * forward, back * direction
    size = float(np.abs(one).sum() + np.abs(two).sum())
    return abs(float(one.sum() - two.sum())) / size if size > 0 else 0.0
