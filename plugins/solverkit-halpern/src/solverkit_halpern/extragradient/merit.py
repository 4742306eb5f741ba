"""How good a point is, from F at the point: what the certificate will ask, without the certificate's cost.

| here | for | formula |
|---|---|---|
| residual | all | ||u - J_G(u - F(u))||, the paper's measure |
| gap | games on simplices | max_j (A'x)_j - min_i (A y)_i = max(-F_y) - min(F_x), exact: u is feasible |
| merit | games | gap / the scale of payoffs |
| merit | others | max_i |u - J_{eta G}(u - eta F(u))|_i / (eta s_i), eta = 1 / L |

s_i is the scale of coordinate i of F as the run has seen it, with the start and random points around it; L the largest
ratio of changes seen, or the operator's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.operators.proximal import Simplex

SAFETY = 0.5  # of the tolerance, for a claim without an exact gap: the core knows s_i and L better
PROBES = 2  # random points around the start
FLOOR = 1e-9  # least s_i, relative to the largest

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

    @property
    def claimed(self) -> bool:
        """Whether the certificate should hold."""
        return self.merit <= self.tol * (1.0 if np.isfinite(self.gap) else SAFETY)

    def report(self) -> dict[str, float]:
        """For the trace."""
        shown = {"merit": self.merit, "residual": self.residual}
        return shown | {"gap": self.gap} if np.isfinite(self.gap) else shown


def begin(problem: Inclusion, u: Array, rng: np.random.Generator, tol: float) -> Quality:
    """Scales and L around the start: 1 + PROBES evaluations of F, counted; for games the matrix says enough."""
    known = problem.part.lipschitz
    if _game(problem) is not None:
        return Quality(u, np.ones_like(u), known or 0.0, tol)
    here = problem.operator(u)
    scales, seen = np.abs(here), 0.0
    for _ in range(PROBES):
        direction = (1 + np.abs(u)) * rng.uniform(-1.0, 1.0, len(u))
        there = problem.resolvent(u + direction, 1e-12)
        change = problem.operator(there) - here
        if np.isfinite(change).all():
            scales = np.maximum(scales, np.maximum(np.abs(here + change), np.abs(change)))
            seen = max(seen, ratio(problem, change, there - u))
    return Quality(u, scales, known or seen, tol)


def ratio(problem: Inclusion, change: Array, move: Array) -> float:
    """||F(v) - F(u)|| / ||v - u||, without what no projection onto a simplex sees of the change; 0 at v = u."""
    length = float(np.linalg.norm(move))
    return float(np.linalg.norm(tangent(problem, change))) / length if length > 0 else 0.0


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
    """Make u, with F(u) = `value`, the point shown. One or two resolvents, no evaluation of F."""
    quality.shown = u.copy()
    ahead = problem.resolvent(u - value, 1.0)
    quality.residual = float(np.linalg.norm(u - ahead))
    game = _game(problem)
    if game is not None:
        p = game.matrix.shape[0]
        quality.gap = max(float(np.max(-value[p:]) - np.min(value[:p])), 0.0)
        quality.merit = quality.gap / game.scale
        return
    quality.scales = np.maximum(quality.scales, np.abs(value))
    top = float(quality.scales.max(initial=0.0)) or 1.0
    step = 1 / quality.lipschitz if quality.lipschitz > 0 else 1.0
    apart = np.abs(u - problem.resolvent(u - step * value, step)) / step
    quality.merit = float(np.max(apart / np.maximum(quality.scales, FLOOR * top), initial=0.0))


def _game(problem: Inclusion) -> Any:
    return problem.structure if problem.form == "game" else None
