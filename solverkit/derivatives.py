"""The oracles of a problem against differences of each other, at one point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from solverkit.registry import registry

if TYPE_CHECKING:
    from solverkit.kinds.base import Point, Problem, Term

TOL = 1e-6  # of a certificate of which only the term `oracles` is read


def derivatives(problem: Problem, point: Point, seed: int = 0) -> list[Term] | None:
    """One term an oracle, `ok` where it agrees with differences; None for a kind that does not compare them.

    A kind may say it oracle by oracle, in `check(problem, point, seed) -> list[Term]`. Of one that does not, the term
    `oracles` of its certificate is taken."""
    kind = registry.kind(problem.kind)
    compare = getattr(kind, "check", None)
    if compare is not None:
        return list(compare(problem, point, seed))
    certificate = kind.certify(problem, point, TOL, seed)
    return [term for term in certificate.terms if term.name == "oracles"] or None
