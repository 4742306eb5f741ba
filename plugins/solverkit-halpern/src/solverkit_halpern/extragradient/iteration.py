"""One extragradient step, anchored or not, with a fixed or a searched length.

    a       = lambda_k u_0 + (1 - lambda_k) u_k           lambda_k = 1 / (k + 2) where anchored, else 0
    v_k     = J_{eta G}(a - eta F(u_k))
    u_{k+1} = J_{eta G}(a - eta F(v_k))

The searched step is Khobotov's (1987) with Marcotte's (1991) reduction: v_k is accepted where
eta ||F(v_k) - F(u_k)|| <= SLACK ||v_k - u_k||, which local steepness decides, not the global L; then eta may grow a
little. Changes are measured as the projections see them (`merit.tangent`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.extragradient.merit import Quality, ratio

SLACK = 0.9  # eta L of an accepted step
GROWTH = 1.1  # of the step after one that was far from the bound
EASY = 0.75  # share of SLACK up to which the step may grow
SHRINK = 0.7
TRIALS = 60  # reductions in one iteration

Array = np.ndarray


@dataclass
class Iterate:
    """Where an extragradient run stands."""

    u: Array  # (N,)
    value: Array  # F(u)
    anchor: Array  # u_0
    step: float  # eta
    half: Array  # v of the latest iteration
    k: int = 0  # iterations since the anchor moved


def first_step(problem: Inclusion, quality: Quality, u: Array, value: Array) -> float:
    """A step to begin with: SLACK / L, with L the operator's or what one small move along F shows (one evaluation)."""
    if quality.lipschitz > 0:
        return SLACK / quality.lipschitz
    size = float(np.linalg.norm(value))
    if not size > 0:
        return 1.0
    length = 1e-2 * (1 + float(np.linalg.norm(u))) / size
    there = problem.resolvent(u - length * value, length)
    seen = ratio(problem, problem.operator(there) - value, there - u)
    quality.lipschitz = max(quality.lipschitz, seen)
    return SLACK / seen if seen > 0 else length


def advance(problem: Inclusion, at: Iterate, quality: Quality, anchored: bool, searched: bool) -> None:
    """One iteration: two evaluations of F, and one more for each reduction of the step."""
    weight = 1.0 / (at.k + 2) if anchored else 0.0
    base = weight * at.anchor + (1.0 - weight) * at.u
    for _ in range(TRIALS):
        at.half = problem.resolvent(base - at.step * at.value, at.step)
        ahead = problem.operator(at.half)
        if not searched:
            break
        seen = ratio(problem, ahead - at.value, at.half - at.u)
        quality.lipschitz = max(quality.lipschitz, seen if np.isfinite(seen) else 0.0)
        if at.step * seen <= SLACK:
            at_bound = at.step * seen > EASY * SLACK
            break
        at.step *= min(SHRINK, SHRINK * SLACK / (at.step * seen)) if np.isfinite(seen) else 0.1
    at.u = problem.resolvent(base - at.step * ahead, at.step)
    if searched and not at_bound:
        at.step *= GROWTH
    at.value = problem.operator(at.u)
    at.k += 1
