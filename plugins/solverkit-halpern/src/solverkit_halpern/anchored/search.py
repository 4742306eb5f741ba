"""One step of the extra-anchored gradient method whose length is searched, with a weight for each block.

    p       = u_k + (u_0 - u_k) / (k + 2)
    v       = J_{eta D G}(p - eta D F(u_k)),      u_{k+1} = J_{eta D G}(p - eta D F(v))

with D = diag(weights of the blocks). It is the method in the norm ||u||_D^2 = u' D^-1 u, so that eta is accepted where

    eta ||F(v) - F(u_k)||_{D^-1}  <=  SLACK ||v - u_k||_D

and grows a little where that is easy. The weights do for sums and saddle points what the primal weight does for
bilinear problems (`pdhg.weight`): a block that has far to go gets long steps,

    log w_b  +=  SHARE (log ||u_b - u_0b|| - log w_b),      then the mean of log w is taken out.

The primal weight is twice as bold, 2 log ||u_b - u_0b||. Among eleven sums and saddle points that took up to a tenth as
many evaluations where blocks are in very different units, but failed or took twice as many on others; this takes a
tenth more there at most.

| here | meaning |
|---|---|
| weights | (blocks,) w, the diagonal of D for each block |
| each | (N,) the same for each coordinate |
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.anchored.state import AnchoredState
from solverkit_halpern.extragradient.merit import tangent

SLACK = 0.9  # eta L of an accepted step
EASY = 0.75  # share of SLACK up to which the step may grow
GROWTH = 1.1
SHRINK = 0.7
TRIALS = 60  # reductions in one step
SHARE = 0.5
LIMIT = np.log(10.0)  # of a change of log w: one short epoch does not tell more


def per_coordinate(problem: Inclusion, weights: np.ndarray) -> np.ndarray:
    """(N,) of one weight for each block."""
    return np.repeat(weights, [block.size for block in problem.variables])


def searched_step(problem: Inclusion, state: AnchoredState) -> tuple[np.ndarray, np.ndarray]:
    """(u_{k+1}, F there): two evaluations of F, and one more for each reduction of the step."""
    each = per_coordinate(problem, state.weights)
    pulled = state.u + (state.anchor - state.u) / (state.inner + 2)
    for _ in range(TRIALS):
        eta = state.step * state.weights
        middle = problem.resolvent(pulled - state.step * each * state.value, eta)
        there = problem.operator(middle)
        steepness = _steepness(problem, there - state.value, middle - state.u, each)
        product = state.step * steepness
        if product <= SLACK:
            break
        state.step *= min(SHRINK, SHRINK * SLACK / product) if np.isfinite(product) else 0.1
    following = problem.resolvent(pulled - state.step * each * there, eta)
    if product <= EASY * SLACK:
        state.step *= GROWTH
    return following, problem.operator(following)


def _steepness(problem: Inclusion, change: np.ndarray, move: np.ndarray, each: np.ndarray) -> float:
    """L as it is seen along a move, in the norms of D; without what no projection onto a simplex sees."""
    root = np.sqrt(each)
    length = float(np.linalg.norm(move / root))
    return float(np.linalg.norm(root * tangent(problem, change))) / length if length > 0 else 0.0


def balanced(problem: Inclusion, weights: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """The next weights, of what an epoch covered (N,)."""
    lengths = np.array([np.linalg.norm(moved[place]) for place in problem.slices])
    if len(lengths) < 2 or not np.all((lengths > 0) & np.isfinite(lengths)):
        return weights
    goal = np.log(lengths)
    wanted = goal - goal.mean() - np.log(weights)
    found = np.log(weights) + SHARE * np.clip(wanted, -LIMIT, LIMIT)
    return np.exp(found - found.mean())
