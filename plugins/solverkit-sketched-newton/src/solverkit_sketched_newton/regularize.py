"""Which multiple of the identity is added to the Newton matrix until its step is one of descent.

    [ B + S + delta_w I    J'        ]
    [ J                   -delta_c I ]      has n positive and m negative eigenvalues

The schedule of delta_w, growing fast at first and remembered from step to step, is algorithm IC of Waechter and Biegler
2006, section 3.1. Where the inner solver counts no eigenvalues, the curvature of the step itself is tested
(Chiang and Zavala 2016).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from solverkit_sketched_newton.inner.base import Direction, InnerSolver, NewtonSystem

FIRST, LEAST, MOST = 1e-4, 1e-20, 1e40
GROW_FIRST, GROW, SHRINK = 100.0, 8.0, 1.0 / 3.0
DELTA_C = 1e-6
CURVATURE = 1e-10  # least dx'(B + S + delta_w I)dx / |dx|^2 of an accepted step


@dataclass(frozen=True, eq=False)
class Solved:
    """A step and the matrix it belongs to."""

    system: NewtonSystem
    direction: Direction


class Regularizer:
    """Finds the shifts; `last` is the delta_w of the last step that needed one."""

    def __init__(self, inner: InnerSolver) -> None:
        self.inner = inner
        self.usable = True  # whether the latest matrix could be factorized at all

    def solve(self, system: NewtonSystem, r_x: np.ndarray, r_c: np.ndarray, rtol: float, last: float) -> Solved | None:
        """A direction of descent; None where no shift gives one."""
        for trial in self._shifts(system, last):
            inertia = self.inner.prepare(trial)
            self.usable = inertia.usable
            if not inertia.usable or inertia.correct is False:
                continue
            direction = self.inner.solve(r_x, r_c, rtol)
            if not math.isfinite(direction.residual):
                self.usable = False
                continue
            if inertia.correct is None and not curved(trial, direction.dx):
                self.usable = True
                continue
            if direction.residual > max(1e-3, 2 * rtol) and trial.delta_c == 0.0:
                self.usable = False  # the matrix is singular, whatever its pivots say
                continue
            return Solved(trial, direction)
        return None

    def _shifts(self, system: NewtonSystem, last: float) -> Iterator[NewtonSystem]:
        """The matrix itself, then with growing shifts; reads `usable` of the trial before."""
        self.usable = True
        yield system
        delta_c = system.delta_c
        if not self.usable:
            delta_c = max(DELTA_C, delta_c)
            yield replace(system, delta_c=delta_c)
        delta_w = max(FIRST if last == 0.0 else max(LEAST, SHRINK * last), system.delta_w)
        grow = GROW_FIRST if last == 0.0 else GROW
        while delta_w <= MOST:
            yield replace(system, delta_w=delta_w, delta_c=delta_c)
            if not self.usable:
                delta_c = max(DELTA_C, delta_c)
            delta_w *= grow


def curved(system: NewtonSystem, dx: np.ndarray) -> bool:
    """Whether the matrix has enough positive curvature along dx."""
    bent = system.product(dx) + (system.barrier + system.delta_w) * dx
    return float(dx @ bent) >= CURVATURE * float(dx @ dx)
