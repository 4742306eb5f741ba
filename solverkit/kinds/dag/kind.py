"""Structure learning, as the registry hands it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from solverkit.kinds.base import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from solverkit.kinds.base import Certificate, Point, Source
    from solverkit.kinds.dag.problem import Dag
    from solverkit.kinds.dag.schema import DagFile


class DagKind(Kind):
    """min score(W) such that the graph of W has no cycle."""

    name: ClassVar[str] = "dag"

    @property
    def schema(self) -> type[BaseModel]:
        """Pydantic model of `samples:`, `gram:`, `score:` and what is known of the edges."""
        from solverkit.kinds.dag.schema import DagFile

        return DagFile

    def build(self, file: DagFile, source: Source) -> Dag:
        """The problem of a validated file; defects go to `source.defect`."""
        from solverkit.kinds.dag.file import build

        return build(file, source)

    def certify(self, problem: Dag, point: Point, tol: float, seed: int) -> Certificate:
        """The independent check of a point, see `solverkit.kinds.dag.certificate`."""
        from solverkit.kinds.dag.certificate import certify

        return certify(problem, point, tol, seed)

    def remarks(self, problem: Dag, point: Point) -> Sequence[str]:
        """The pruned graph, varsortability, distance from the truth; see `solverkit.kinds.dag.findings`."""
        from solverkit.kinds.dag.findings import remarks

        return remarks(problem, point)

    def files(self, problem: Dag, point: Point) -> Mapping[str, str]:
        """graph.graphml, edges.csv, graph.svg."""
        from solverkit.kinds.dag.findings import files

        return files(problem, point)

    def plot(self, point: Point, axes: Any) -> str:
        """The absolute weights, causes by rows."""
        image = axes.imshow(abs(point["W"]), cmap="Blues")
        axes.set_xlabel("effect")
        axes.set_ylabel("cause")
        axes.figure.colorbar(image, ax=axes)
        return "absolute weights of the graph"
