"""Sequences of linear systems, as the registry hands them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from solverkit.kinds.base import Kind

if TYPE_CHECKING:
    from pydantic import BaseModel

    from solverkit.kinds.base import Certificate, Point, Source
    from solverkit.kinds.linear_sequence.problem import LinearSequence
    from solverkit.kinds.linear_sequence.schema import LinearSequenceFile


class LinearSequenceKind(Kind):
    """A_t x_t = b_t for t = 0, ..., T - 1."""

    name: ClassVar[str] = "linear-sequence"

    @property
    def schema(self) -> type[BaseModel]:
        """Pydantic model of `systems:`, `shifted:`, `stepping:`, `folder:`, `rtol:` and `grid:`."""
        from solverkit.kinds.linear_sequence.schema import LinearSequenceFile

        return LinearSequenceFile

    def build(self, file: LinearSequenceFile, source: Source) -> LinearSequence:
        """The problem of a validated file; defects go to `source.defect`."""
        from solverkit.kinds.linear_sequence.file import build

        return build(file, source)

    def certify(self, problem: LinearSequence, point: Point, tol: float, seed: int) -> Certificate:
        """The independent check of a point, see `solverkit.kinds.linear_sequence.certificate`."""
        from solverkit.kinds.linear_sequence.certificate import certify

        return certify(problem, point, tol, seed)
