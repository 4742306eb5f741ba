"""The verdict on a run: certificates by the kind, which never bring a run down, and which point is the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from solverkit.engine.points import as_float64, is_finite, same
from solverkit.kinds.base import Certificate, Point, PointStatus, Problem
from solverkit.text import clean

RANK = {
    PointStatus.CERTIFIED: 3,
    PointStatus.FEASIBLE: 2,
    PointStatus.INFEASIBLE: 1,
    PointStatus.UNVERIFIED: 0,
}


@dataclass(frozen=True)
class Judge:
    """What it takes to certify a point: the problem as the user gave it, never the counted one."""

    kind: Any
    problem: Problem
    tol: float
    seed: int

    def __call__(self, point: Point) -> Certificate:
        """The certificate of a point; UNVERIFIED with the reason where it cannot be computed."""
        if not is_finite(point):
            return Certificate((), unverified="the point holds NaN or Inf")
        try:
            certificate = self.kind.certify(self.problem, as_float64(point), self.tol, self.seed)
            if not isinstance(certificate, Certificate):
                raise TypeError(f"the kind returned {type(certificate).__name__}, not a certificate")
            certificate.status  # noqa: B018  a scaling of zero shows here
        except Exception as error:
            return Certificate((), unverified=clean(f"{type(error).__name__}: {error}"))
        return certificate

    def better(self, last: Point, best: Point, last_is_best: bool) -> tuple[Point, Certificate]:
        """The last point if it is certified; otherwise whichever of the two has the better status.

        Between equals the one of lower merit, which `last_is_best` tells.
        """
        verdict = self(last)
        if verdict.status is PointStatus.CERTIFIED or same(last, best):
            return last, verdict
        other = self(best)
        gain = RANK[other.status] - RANK[verdict.status]
        if gain > 0 or (gain == 0 and not last_is_best):
            return best, other
        return last, verdict
