"""Bilevel problems, as the registry hands them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from solverkit.kinds.base import Kind

if TYPE_CHECKING:
    from pydantic import BaseModel

    from solverkit.kinds.base import Certificate, Point, Source
    from solverkit.kinds.bilevel.problem import Bilevel
    from solverkit.kinds.bilevel.schema import BilevelFile


class BilevelKind(Kind):
    """min F(x, y) s.t. G(x, y) <= 0 and y solves the lower problem."""

    name: ClassVar[str] = "bilevel"

    @property
    def schema(self) -> type[BaseModel]:
        """Pydantic model of `upper:` and `lower:`."""
        from solverkit.kinds.bilevel.schema import BilevelFile

        return BilevelFile

    def build(self, file: BilevelFile, source: Source, modules: Mapping[str, Any] | None = None) -> Bilevel:
        """The problem of a validated file; defects go to `source.defect`. `modules`: block -> `modules.Stateless`."""
        from solverkit.kinds import formulas, variables
        from solverkit.kinds.bilevel import objective
        from solverkit.kinds.bilevel.problem import Bilevel
        from solverkit.kinds.expectation import expected
        from solverkit.kinds.rows import Rows

        upper_blocks, upper_set = variables.build(file.upper.variables, source, ("upper", "variables"))
        lower_blocks, lower_set = variables.build(file.lower.variables, source, ("lower", "variables"))
        for name in file.lower.variables:
            if name in file.upper.variables:
                message = f"'{name}' is a variable of the upper level already; choose another name"
                source.defect(("lower", "variables", name), message, key=True)
        blocks = (*upper_blocks, *lower_blocks)
        shapes = {block.name: block.shape for block in blocks}
        inputs = sum(block.size for block in blocks)
        objectives = [
            objective.build(level, key, blocks, source, modules)
            for key, level in (("upper", file.upper), ("lower", file.lower))
        ]
        rows = [
            Rows.of(formulas.constraints(level.subject_to, shapes, source, (key, "subject_to")), inputs)
            for key, level in (("upper", file.upper), ("lower", file.lower))
        ]
        return Bilevel(
            name=source.name,
            upper_blocks=upper_blocks,
            lower_blocks=lower_blocks,
            upper_function=objectives[0][0],
            lower_function=objectives[1][0],
            upper_constraints=rows[0],
            lower_constraints=rows[1],
            upper_set=upper_set,
            lower_set=lower_set,
            upper_summands=objectives[0][1],
            lower_summands=objectives[1][1],
            convex=file.lower.convex,
            expect=expected(source, blocks),
        )

    def certify(self, problem: Bilevel, point: Point, tol: float, seed: int) -> Certificate:
        """The independent check of a point, see `solverkit.kinds.bilevel.certificate`."""
        from solverkit.kinds.bilevel.certificate import certify

        return certify(problem, point, tol, seed)
