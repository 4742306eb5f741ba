"""Whether drawing components can pay.

Full-batch methods need of the order of L D / eps evaluations of F, that is n L D / eps components; variance-reduced
ones n + sqrt(n) L_Q D / eps. So components win by sqrt(n) L / L_Q at most, up to a constant that favours full
evaluations, and lose it as the stable rank grows:

    draw components  <=>  (L_Q / L)^2 cost^2 <= rank n,        (L_Q / L)^2 = ||A||_F^2 / ||A||_2^2 for a matrix

with `cost` the time of a component over 1 / n of that of a full evaluation. L is found by a few steps of a power
iteration, counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from solverkit.engine.solver import Context
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.extragradient.merit import TINY, tangent
from solverkit_halpern.sampling.base import Components
from solverkit_halpern.variance_reduced.options import VRHalpernOptions

POWER = 12  # steps: L to a few percent, from below
COCOERCIVE, MONOTONE = 0.1, 0.0025  # rank: measured, see docs/explanation/vr-halpern.md
FEW = 16  # components below which there is nothing to gain
REPEATS = 3
CALLED = 8.0  # cost of components that are Python calls: 4 to 40 for NumPy oracles


@dataclass(frozen=True)
class Verdict:
    """The choice and its numbers."""

    pays: bool
    stable_rank: float
    cost: float
    limit: float

    def __str__(self) -> str:
        if np.isnan(self.stable_rank):
            return f"fewer than {FEW} components"
        return f"stable rank {self.stable_rank:.3g}, cost of a component {self.cost:.2g}, limit {self.limit:.3g}"


def decide(
    problem: Inclusion,
    parts: Components,
    u: np.ndarray,
    mean: float,
    lipschitz: float,
    options: VRHalpernOptions,
    ctx: Context,
) -> Verdict:
    """The rule at u."""
    if parts.count < FEW:
        return Verdict(False, np.nan, np.nan, FEW)
    cost = options.cost or (1.0 if parts.compiled else CALLED)
    rank = options.rank or (COCOERCIVE if problem.part.cocoercive else MONOTONE)
    share = measured(problem, parts, u, ctx) if isinstance(cost, str) else cost
    stable = (mean / lipschitz) ** 2 if lipschitz > 0 else 1.0
    limit = rank * parts.count / share**2
    return Verdict(stable <= limit, stable, share, limit)


def steepness(problem: Inclusion, u: np.ndarray, ctx: Context) -> float:
    """L of F as the projections see it, near u: POWER evaluations of F."""
    here = problem.operator(u)
    direction = tangent(problem, ctx.rng.standard_normal(len(u)))
    size, found = 1e-2 * (1 + float(np.linalg.norm(u))), 0.0
    for _ in range(POWER):
        norm = float(np.linalg.norm(direction))
        if not 0 < norm < np.inf:
            break
        change = tangent(problem, problem.operator(u + size / norm * direction) - here)
        found = max(found, float(np.linalg.norm(change)) / size)
        direction = change
    return found


def measured(problem: Inclusion, parts: Components, u: np.ndarray, ctx: Context) -> float:
    """Time of a component in a batch over 1 / n of the time of F: medians of a few calls, counted."""
    batch = max(1, round(parts.count**0.5))
    samples = parts.draw(ctx.rng, REPEATS + 1, batch)
    full, one = [], []
    for row in samples:
        began = time.perf_counter()
        value = problem.operator(u)
        middle = time.perf_counter()
        parts.page(u.copy(), u.copy(), value, u, TINY, np.zeros(1), row[None])
        full.append(middle - began)
        one.append((time.perf_counter() - middle) / (2 * batch))
    return float(np.median(one[1:]) * parts.count / np.median(full[1:]))
