"""Monotone inclusions, as the registry hands them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from solverkit.kinds.base import Kind

if TYPE_CHECKING:
    from pydantic import BaseModel

    from solverkit.kinds.base import Certificate, Point, Source
    from solverkit.kinds.inclusion.problem import Inclusion
    from solverkit.kinds.inclusion.schema import InclusionFile


class InclusionKind(Kind):
    """0 in F(u) + G(u)."""

    name: ClassVar[str] = "inclusion"

    @property
    def schema(self) -> type[BaseModel]:
        """Pydantic model of `game:`, `saddle:`, `finite_sum:`, `operator:` and `linear_program:`."""
        from solverkit.kinds.inclusion.schema import InclusionFile

        return InclusionFile

    def build(self, file: InclusionFile, source: Source) -> Inclusion:
        """The problem of a validated file; defects go to `source.defect`."""
        from solverkit.kinds.inclusion.file import build

        return build(file, source)

    def certify(self, problem: Inclusion, point: Point, tol: float, seed: int) -> Certificate:
        """The independent check of a point, see `solverkit.kinds.inclusion.certificate`."""
        from solverkit.kinds.inclusion.certificate import certify

        return certify(problem, point, tol, seed)
