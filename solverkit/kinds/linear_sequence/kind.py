"""Sequences of linear systems, as the registry hands them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

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

    def plot(self, point: Point, axes: Any) -> str:
        """What each system cost, coloured by the parameter that it was solved with; the solutions without costs."""
        if "cost" not in point:
            return super().plot(point, axes)
        cost = point["cost"].ravel()
        arms = point["arm"].ravel() if "arm" in point else None
        dots = axes.scatter(range(len(cost)), cost, s=8, c=arms, cmap=None if arms is None else "viridis")
        if arms is not None:
            axes.figure.colorbar(dots, ax=axes, label="parameter, by its number")
        axes.set_xlabel("system")
        axes.set_ylabel("cost, in the method's units", fontsize="small")
        axes.grid(alpha=0.3)
        return "what each system cost"
