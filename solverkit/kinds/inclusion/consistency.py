"""Are the oracles of an inclusion what they say? The `oracles` term of the certificate.

| what | against | tolerance |
|---|---|---|
| components F_i / (n q_i) | F: their mean under q; samples first beyond EVERY of them | 1e-8, beyond noise |
| equally likely components | F: the means over the parts of a random partition | 1e-8 |
| F of a saddle problem | central differences of its payoff (`kinds/oracles.py`) | 1e-4 |
| F | itself, evaluated twice | 1e-8 |
| resolvents | their own step, monotone, and the value they come with (`kinds/maps.py`) | 1e-6 |
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds import maps
from solverkit.kinds.base import Term
from solverkit.kinds.inclusion.local import inside
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.oracles import TOLERANCE, Discrepancy, Oracle, consistency

EVERY = 512  # more components are sampled first, and added up where samples disagree
DIGITS = 44  # of the smallest weight
BLOCK = 4096  # components asked for at once
PARTS = 7  # into which equally likely components are split, beside a single one
BATCH, ROUNDS, DEVIATIONS = 256, 16, 6  # of samples, where there are more of them
AWAY = 0.1  # distance of the second point, times 1 + |u_i|
EXACT = 1e-8


def oracle_term(problem: Inclusion, u: np.ndarray, seed: int) -> Term:
    """The worst discrepancy at u and at a point close by, with whose it is."""
    rng = np.random.default_rng(seed)
    near = inside(problem, u + AWAY * (1 + np.abs(u)) * rng.uniform(-1, 1, len(u)))
    values = [(point, problem.operator(point)) for point in (u, near)]
    size = max(float(np.abs(value).max(initial=0.0)) for _, value in values) or 1.0
    found = {"F": max(float(np.abs(problem.operator(v) - value).max(initial=0.0)) for v, value in values) / size}
    if problem.count > 1:
        found["components"] = max(_components(problem, v, value, size, seed) for v, value in values)
    worst = max(found, key=lambda name: np.inf if np.isnan(found[name]) else found[name])
    note = "" if found[worst] <= EXACT else f"worst: {worst}"
    wrong_map = _maps(problem, u, seed)
    if found[worst] <= EXACT and not wrong_map.value <= maps.EXACT:
        return Term("oracles", wrong_map.value, maps.EXACT, note=f"worst: {wrong_map.oracle}")
    payoff = getattr(problem.part, "payoff", None)
    if payoff is None or not found[worst] <= EXACT:
        return Term("oracles", found[worst], EXACT, note=note)
    oracle = Oracle("payoff", lambda v: np.array([payoff(v)]), lambda v, d: np.array([_slope(problem, v, d)]))
    seen = consistency([oracle], u, seed)
    wrong = not seen.value <= TOLERANCE
    return Term("oracles", seen.value, TOLERANCE, note="worst: F against the payoff" if wrong else "")


def _maps(problem: Inclusion, u: np.ndarray, seed: int) -> Discrepancy:
    """The worst of the blocks' proximal maps, with the block's name; not of forms whose gap is a proof without them."""
    worst = Discrepancy(0.0, "")
    if problem.structure is not None:
        return worst
    for part, block, place in zip(problem.sets, problem.variables, problem.slices, strict=True):
        found = maps.proximal_map(part, u[place], seed)
        if not (found.value <= worst.value or np.isnan(worst.value)):
            worst = Discrepancy(found.value, f"{found.oracle}, of '{block.name}'")
    return worst


def _slope(problem: Inclusion, v: np.ndarray, d: np.ndarray) -> float:
    """The payoff's derivative along d, of F = (grad_x, -grad_y)."""
    sign = problem.part.sign  # type: ignore[attr-defined]  # whatever has a payoff has its signs
    return float((sign * problem.operator(v)) @ d)


def _components(problem: Inclusion, u: np.ndarray, whole: np.ndarray, size: float, seed: int) -> float:
    """The largest entry of (mean of the components - F(u)) over `size`, less what sampling explains."""
    n, weights = problem.count, problem.part.weights
    if weights is None:
        order = np.random.default_rng(seed).permutation(n)
        parts = [order[:1], *np.array_split(order[1:], min(PARTS, n - 1))]
        total = sum(len(part) / n * problem.components(u, part) for part in parts)
        return float(np.abs(total - whole).max(initial=0.0)) / size
    if n > EVERY and _sampled(problem, u, weights, whole, size, seed) <= EXACT:
        return 0.0
    return float(np.abs(_weighted_mean(problem, u, weights) - whole).max(initial=0.0)) / size


def _sampled(
    problem: Inclusion, u: np.ndarray, weights: np.ndarray, whole: np.ndarray, size: float, seed: int
) -> float:
    """What samples are off by beyond their noise: all of both may miss a rare component of a large size."""
    rng = np.random.default_rng(seed)
    means = np.array([problem.components(u, rng.choice(problem.count, BATCH, p=weights)) for _ in range(ROUNDS)])
    off = float(np.linalg.norm(means.mean(axis=0) - whole))
    noise = float(np.sqrt((means.var(axis=0, ddof=1) / ROUNDS).sum()))
    return max(0.0, off - DEVIATIONS * noise) / (size + noise)


def _weighted_mean(problem: Inclusion, u: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """sum_i q_i F_i / (n q_i), of all components, from plain means over those whose q_i has a given binary digit."""
    total, rest = np.zeros(len(u)), weights.copy()
    drawn = weights > 0
    last = np.frexp(weights[drawn].min())[1] - DIGITS
    for place in range(np.frexp(weights.max())[1], last, -1):
        digit = np.ldexp(1.0, place - 1)
        here = np.flatnonzero(rest >= digit)
        rest[here] -= digit
        for first in range(0, len(here), BLOCK):
            part = here[first : first + BLOCK]
            total += digit * len(part) * problem.components(u, part)
    return total
