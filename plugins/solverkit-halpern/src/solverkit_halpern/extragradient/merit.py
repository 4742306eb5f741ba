"""How good a point is, from F at the point: what the certificate will ask, without the certificate's cost.

| here | for | formula |
|---|---|---|
| residual | all | ||u - J_G(u - F(u))||, the paper's measure |
| gap | games on simplices | max_j (A'x)_j - min_i (A y)_i, exact: max(-F_y) - min(F_x) + c'x + b'y; u is feasible |
| merit | games | gap / the scale of payoffs |
| merit | linear programs | the largest of the certificate's relative residuals and gap |
| merit | others | max_i |u - J_{eta G}(u - eta F(u))|_i / (eta s_i), eta = 1 / L |

s_i is the scale of coordinate i of F as the run has seen it, with the start and points around it; L the largest ratio
of changes seen, or the operator's own. Both may be out of date where F is far from affine, so before a claim they are
taken anew around the point (`PROBES` evaluations).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import norm

from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit.kinds.inclusion.linear import optimality
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.structure import LinearProgram
from solverkit.operators.proximal import Simplex

SAFETY = 0.5  # of the tolerance, for a claim without an exact gap: the core knows s_i and L better
PROBES = 3  # points around the start, or around a point to be claimed
LOOKS = 20  # points that are looked at; later ones are claimed as they are
FAR = 1e120  # entries of a point beyond which squares are soon out of range
FLOOR = 1e-9  # least s_i, relative to the largest
TINY = 1e-12  # step of a resolvent that only leads into the domain of G

Array = np.ndarray


@dataclass
class Quality:
    """What a run knows of its points; part of a method's state."""

    shown: Array  # (N,) the latest point whose F was evaluated: the answer
    scales: Array  # (N,) s
    lipschitz: float  # the largest ratio seen, or the operator's own bound
    tol: float
    residual: float = np.inf
    gap: float = np.nan
    merit: float = np.inf
    looks: int = 0  # points that were to be claimed, and looked at

    @property
    def claimed(self) -> bool:
        """Whether the certificate should hold."""
        return self.merit <= self.tol * (1.0 if np.isfinite(self.gap) else SAFETY)

    def report(self) -> dict[str, float]:
        """For the trace."""
        shown = {"merit": self.merit, "residual": self.residual}
        return shown | {"gap": self.gap} if np.isfinite(self.gap) else shown


def begin(problem: Inclusion, u: Array, tol: float) -> Quality:
    """Scales and L around the start: 1 + PROBES evaluations of F; for games the matrix says enough."""
    known = problem.part.lipschitz
    if _game(problem) is not None:
        return Quality(u, np.ones_like(u), known or 0.0, tol)
    quality = Quality(u, np.zeros_like(u), 0.0, tol)
    _look_around(problem, quality, u, problem.operator(u))
    return quality


def _look_around(problem: Inclusion, quality: Quality, u: Array, value: Array) -> None:
    """Scales and L at u, from PROBES points about as far off as u is large."""
    quality.scales, seen = np.abs(value), 0.0
    for k in range(PROBES):
        direction = (1 + np.abs(u)) * np.cos((1.0 + k) * (1.0 + np.arange(len(u))))
        there = problem.resolvent(u + 10.0**-k * direction, TINY)
        change = problem.operator(there) - value
        if np.isfinite(change).all():
            quality.scales = np.maximum(quality.scales, np.maximum(np.abs(value + change), np.abs(change)))
            seen = max(seen, ratio(problem, change, there - u))
    quality.lipschitz = problem.part.lipschitz or seen


def ratio(problem: Inclusion, change: Array, move: Array) -> float:
    """||F(v) - F(u)|| / ||v - u||, without what no projection onto a simplex sees of the change; 0 at v = u."""
    length = _length(move)
    return _length(tangent(problem, change)) / length if length > 0 else 0.0


def _length(move: Array) -> float:
    """||move||, by BLAS: iterates of what has no solution may be so far off that their squares overflow."""
    return float(norm(move, check_finite=False))


def tangent(problem: Inclusion, change: Array) -> Array:
    """The change less its mean in each block that lies in a simplex: what double centring does to the operator."""
    if not any(type(part) is Simplex for part in problem.sets):
        return change
    change = change.copy()
    for part, place in zip(problem.sets, problem.slices, strict=True):
        if type(part) is Simplex:
            change[place] -= change[place].mean()
    return change


def judge(problem: Inclusion, quality: Quality, u: Array, value: Array) -> None:
    """Make u, with F(u) = `value`, the point shown. One or two resolvents, no evaluation of F.

    Stop where u has run away: problems without a solution send it to infinity, and it would overflow."""
    farthest = float(np.abs(u).max(initial=0.0))
    if FAR < farthest < np.inf:
        raise Stop(Termination.STALLED, f"the iterates run away, to {farthest:.3g}: there may be no solution")
    quality.shown = u.copy()
    ahead = problem.resolvent(u - value, 1.0)
    quality.residual = float(np.linalg.norm(u - ahead))
    game = _game(problem)
    if game is not None:
        p = game.matrix.shape[0]
        linear = float(problem.bilinear.linear_x @ u[:p] + problem.bilinear.linear_y @ u[p:])  # type: ignore[union-attr]
        quality.gap = max(float(np.max(-value[p:]) - np.min(value[:p])) + linear, 0.0)
        quality.merit = quality.gap / game.scale
        return
    if isinstance(problem.structure, LinearProgram):
        quality.merit = optimality(problem.structure, u, value).worst
        return
    quality.scales = np.maximum(quality.scales, np.abs(value))
    quality.merit = _scaled(problem, quality, u, value)
    if quality.claimed and quality.looks < LOOKS:
        _look_around(problem, quality, u, value)
        quality.looks += 1
        quality.merit = _scaled(problem, quality, u, value)


def _scaled(problem: Inclusion, quality: Quality, u: Array, value: Array) -> float:
    top = float(quality.scales.max(initial=0.0)) or 1.0
    step = 1 / quality.lipschitz if quality.lipschitz > 0 else 1.0
    apart = np.abs(u - problem.resolvent(u - step * value, step)) / step
    return float(np.max(apart / np.maximum(quality.scales, FLOOR * top), initial=0.0))


def _game(problem: Inclusion) -> Any:
    return problem.structure if problem.form == "game" else None
