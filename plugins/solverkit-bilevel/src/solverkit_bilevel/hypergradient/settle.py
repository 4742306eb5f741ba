"""Descent of Phi to a claim that a certificate can confirm: small hypergradient, exact y and z, no way down in sight.

What `descent` leaves open is decided here: when accuracy is raised, when inner steps of unrolling are doubled, when a
saddle point is left, and when a run ends without an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.sets import SimpleSet
from solverkit_bilevel.hypergradient.answer import solve_lower
from solverkit_bilevel.hypergradient.bounds import as_box
from solverkit_bilevel.hypergradient.descent import Descent, Walk
from solverkit_bilevel.hypergradient.reduced import Effort, Reduced
from solverkit_bilevel.hypergradient.saddle import escape

SERIES_TOL = 1e-8  # finest accuracy of neumann and unroll
SOLVED = 1e-7  # of the lower level and of the adjoint system, relative, for a claim
ESCAPES = 5  # from saddle points
BOTTOM = 1e12  # fall of Phi, in units of 1 + |Phi| at the start, that no bounded problem needs
NONMONOTONE = 10  # values in the search along spectral steps


@dataclass
class Settling:
    """Where it stands: arrays and numbers alone."""

    walk: Walk
    tol: float
    least: float  # least relative residual so far: Phi falls all along, so later points are no worse
    first: float  # Phi at the start
    escapes: int = 0  # from saddle points
    claimed: bool = False

    def report(self) -> dict[str, float]:
        """merit, F, projected hypergradient, |f_y|, residual of the adjoint system."""
        walk = self.walk
        return {
            "merit": self.least,
            "objective": walk.upper,
            "hypergradient": walk.residual,
            "lower_residual": float(np.linalg.norm(walk.slope)),
            "adjoint_residual": walk.adjoint_error,
            "accuracy": walk.accuracy,
            "iterations": float(walk.iterations),
        }


@dataclass(frozen=True)
class Settler:
    """How it goes on."""

    descent: Descent
    second_order: int  # Lanczos steps in search of negative curvature

    @classmethod
    def of(
        cls,
        reduced: Reduced,
        region: SimpleSet,
        n: int,
        dtype: str,
        inner_tol: float = 1e-10,
        quasi_newton: bool = True,
        armijo: float = 1e-4,
        nonmonotone: int | None = None,
        second_order: int = 12,
    ) -> Settler:
        """With an accuracy that the arithmetic and the system allow."""
        rounding = 5 * float(np.finfo(dtype).eps)
        finest = max(inner_tol, rounding, 0.0 if reduced.system == "cg" else SERIES_TOL)
        descent = Descent(
            reduced, as_box(region, n), quasi_newton, armijo=armijo, finest=finest, rounding=rounding,
            memory=nonmonotone or 1,
        )  # fmt: skip
        if nonmonotone is None and not descent.metric:
            descent = descent.remembering(NONMONOTONE)
        return cls(descent, second_order)

    def begin(self, problem: Bilevel, z: np.ndarray, effort: Effort, tol: float) -> Settling:
        """At (x, y*(x)), x projected onto X."""
        walk = self.descent.begin(problem, z, effort)
        return Settling(walk, tol, walk.relative, walk.value)

    def advance(self, problem: Bilevel, settling: Settling, log: Callable[[str], None]) -> None:
        """One step of x, or better y and z at the same x, and the claim where all is good. Raises Stop(STALLED)."""
        walk, descent = settling.walk, self.descent
        if walk.relative > settling.tol and not descent.advance(problem, walk):
            if walk.accuracy <= descent.finest:
                raise Stop(Termination.STALLED, _why(walk))
            descent.refresh(problem, walk, descent.finest)
        if walk.relative <= settling.tol and walk.accuracy > descent.finest:
            descent.refresh(problem, walk, descent.finest)
        self._lengthen(problem, walk)
        relative = walk.relative
        settling.least = relative if np.isnan(relative) else min(settling.least, relative)
        if walk.least <= 0:
            raise Stop(
                Termination.STALLED,
                f"f_yy has no positive curvature ({walk.least:.2g}) along the adjoint system at y*(x): the lower level "
                "is not strongly convex there, and the hypergradient does not exist. Add a proximal term in y, or take "
                "a method for merely convex lower levels",
            )
        if walk.value < -BOTTOM * (1 + abs(settling.first)):
            raise Stop(Termination.UNBOUNDED, f"F(x, y*(x)) has fallen to {walk.value:.3g}")
        if relative <= settling.tol and walk.accuracy <= descent.finest:
            self._claim(problem, settling, log)

    def finish(self, problem: Bilevel, settling: Settling) -> None:
        """y to full accuracy at the last x."""
        walk = settling.walk
        answer = solve_lower(problem, walk.z, self.descent.finest * walk.lower_scale, self.descent.reduced.rounds)
        if np.isfinite(answer.z).all():
            walk.z, walk.slope = answer.z, answer.slope

    # -- parts

    def _claim(self, problem: Bilevel, settling: Settling, log: Callable[[str], None]) -> None:
        walk, loose = settling.walk, max(SOLVED, self.descent.finest)
        if np.linalg.norm(walk.slope) > loose * walk.lower_scale or walk.adjoint_error > loose:
            raise Stop(Termination.STALLED, _why(walk))
        steps = self.second_order if settling.escapes < ESCAPES else 0
        if steps and escape(problem, self.descent, walk, steps):
            settling.escapes, settling.least = settling.escapes + 1, walk.relative
            log(f"the hypergradient vanished at a saddle point; F(x, y*(x)) falls on to {walk.upper:.6g}")
            return
        settling.claimed = True

    def _lengthen(self, problem: Bilevel, walk: Walk) -> None:
        """unroll: twice the inner steps while they leave more than `accuracy` of y or z."""
        effort = walk.effort
        if self.descent.reduced.system != "unroll":
            return
        while effort.terms < effort.most_terms and not self.descent.exact(walk):
            effort.terms = min(2 * effort.terms, effort.most_terms)
            self.descent.refresh(problem, walk, walk.accuracy)


def _why(walk: Walk) -> str:
    lower = float(np.linalg.norm(walk.slope))
    return (
        f"F(x, y*(x)) does not fall any more; its projected gradient is {walk.residual:.2g}, |f_y| is {lower:.2g}, the "
        f"adjoint system is solved to {walk.adjoint_error:.2g}: F or y* has a kink there, only rounding is left, "
        "the lower level is nearly singular, or more products or terms are needed"
    )
