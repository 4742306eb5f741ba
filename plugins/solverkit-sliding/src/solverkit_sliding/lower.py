"""A lower bound of Psi from what the outer steps have seen: no conjugate of f, no gradient more.

    Psi(u) >= F_k(u) + H_k(u) + chi(u),   F_k = (1 - gamma_k) F_{k-1} + gamma_k l_f(xu_k, .)

F_k averages the linearizations of f at the points where its gradient was taken, with the weights of xb_k; H_k is
<K'yb, .> - g*(yb) with yb the same average of the inner loops' y, or the average of linearizations of h. Minimizing
over u is one call of chi. The gap Psi(xb_k) - bound goes to zero as the potential does (docs, gradient-sliding).

The core does not take a method's word, so a point carries what it can check: `anchor`, the same average of the xu_j,
and yb. For a quadratic f the linearization at the average lies above the average of linearizations, so the core's bound
is the better one; for other f it is looked at before the method makes a claim.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.composite import bound
from solverkit.kinds.composite.certificate import NEAR
from solverkit.kinds.composite.level import l1_weight, nonnegative
from solverkit.kinds.composite.problem import Composite


@dataclass
class Model:
    """F_k + H_k; see the module."""

    slope: np.ndarray  # (n,) gradient of F_k
    offset: float  # F_k(0)
    pull: np.ndarray  # (n,) K'yb, or the average subgradient of h
    dual: np.ndarray  # (m,) yb; empty where h has no structure
    lift: float  # H_k(0) where h has no structure
    anchor: np.ndarray  # (n,) average of the xu_j

    def mix(self, gamma: float, new: Model) -> None:
        """(1 - gamma) of itself plus gamma of another one."""
        for name in ("slope", "pull", "dual", "anchor"):
            old = getattr(self, name)
            old *= 1 - gamma
            old += gamma * getattr(new, name)
        self.offset += gamma * (new.offset - self.offset)
        self.lift += gamma * (new.lift - self.lift)

    def lowest(self, problem: Composite, place: bound.Near | None = None) -> float:
        """min_u F_k(u) + H_k(u) + chi(u), over `place` where chi has no minimum; minus infinity without a bound."""
        lift = self.lift
        if problem.structured is not None:
            lift -= float(problem.structured.outer.conjugate(self.dual))
        low = self.offset + lift + lowest(problem, self.slope + self.pull, place)
        return low if np.isfinite(low) else -np.inf


def near(problem: Composite, x: np.ndarray, value: float) -> bound.Near | None:
    """Where bounds hold, with Psi(x) = value, if they cannot hold everywhere: the core's own rule. None for mu > 0."""
    if problem.simple.strong > 0:
        return None
    size, weight = float(np.linalg.norm(x)), l1_weight(problem.simple)
    if weight > 0 and nonnegative(problem) and np.isfinite(value):
        return bound.Near(x, value / weight + size, everywhere=True)
    return bound.Near(x, NEAR * (1 + size))


def lowest(problem: Composite, slope: np.ndarray, place: bound.Near | None) -> float:
    """min <slope, u> + chi(u), over the u of `place` where it is not finite over all of them."""
    try:
        whole = problem.simple.lowest(slope)
    except NotImplementedError:  # the conjugate of a set without closed form
        whole = -np.inf
    if np.isfinite(whole) or place is None or problem.simple.geometry != "euclidean":
        return whole
    return bound.lowest_near(problem.simple, slope, place)


def linear(value: float, gradient: np.ndarray, at: np.ndarray) -> float:
    """The offset of a linearization: value - <gradient, at>."""
    return value - float(gradient @ at)


def checked(
    problem: Composite,
    anchor: np.ndarray,
    dual: np.ndarray,
    cuts: np.ndarray,
    shares: np.ndarray,
    place: bound.Near | None = None,
) -> float:
    """The core's own bound from an anchor with a dual or cuts: one gradient of f, one product with K' or the cuts."""
    line = bound.Linearized.at(problem, anchor)
    place = None if line.strong > 0 else place
    if problem.structured is not None:
        return bound.with_dual(problem, line, bound.inside(problem, dual), place)
    if not shares.size:
        cuts, shares = anchor[None, :], np.ones(1)
    return bound.with_cuts(problem, line, cuts, shares, place)
