"""Composite problems, as the registry hands them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from solverkit.kinds.base import Kind

if TYPE_CHECKING:
    from pydantic import BaseModel

    from solverkit.kinds.base import Certificate, Point, Source
    from solverkit.kinds.composite.problem import Composite
    from solverkit.kinds.composite.schema import CompositeFile


class CompositeKind(Kind):
    """min f(x) + h(x) + chi(x)."""

    name: ClassVar[str] = "composite"

    @property
    def schema(self) -> type[BaseModel]:
        """Pydantic model of `smooth:`, `nonsmooth:` and `simple:`."""
        from solverkit.kinds.composite.schema import CompositeFile

        return CompositeFile

    def build(self, file: CompositeFile, source: Source) -> Composite:
        """The problem of a validated file; defects go to `source.defect`."""
        from solverkit.kinds.composite.file import build

        return build(file, source)

    def certify(self, problem: Composite, point: Point, tol: float, seed: int) -> Certificate:
        """The independent check of a point, see `solverkit.kinds.composite.certificate`."""
        from solverkit.kinds.composite.certificate import certify

        return certify(problem, point, tol, seed)
