"""Nonlinear problems, as the registry hands them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from solverkit.kinds.base import Kind

if TYPE_CHECKING:
    from pydantic import BaseModel

    from solverkit.kinds.base import Certificate, Point, Source, Term
    from solverkit.kinds.nonlinear.problem import Nonlinear
    from solverkit.kinds.nonlinear.schema import NonlinearFile


class NonlinearKind(Kind):
    """min f(x) s.t. lower <= c(x) <= upper and bounds on x."""

    name: ClassVar[str] = "nonlinear"

    @property
    def schema(self) -> type[BaseModel]:
        """Pydantic model of `variables:`, `minimize:` and `subject_to:`."""
        from solverkit.kinds.nonlinear.schema import NonlinearFile

        return NonlinearFile

    def build(self, file: NonlinearFile, source: Source) -> Nonlinear:
        """The problem of a validated file; defects go to `source.defect`."""
        from solverkit.kinds import formulas, variables
        from solverkit.kinds.expectation import expected
        from solverkit.kinds.nonlinear.problem import RESERVED, Nonlinear
        from solverkit.kinds.nonlinear.rows import box_and_rows, joined
        from solverkit.kinds.nonlinear.written import written

        blocks, simple = variables.build(file.variables, source, ("variables",))
        for name in RESERVED.intersection(file.variables):
            message = f"'{name}' is a block of the answer's own; choose another name"
            source.defect(("variables", name), message, key=True)
        shapes = {block.name: block.shape for block in blocks}
        objective = formulas.objective(file.minimize, shapes, source, ("minimize",))
        constraints = written(file.subject_to, shapes, source)
        lowest, highest, parts = box_and_rows(simple, sum(block.size for block in blocks))
        function, lower, upper, names = joined([*constraints, *parts], len(lowest))
        return Nonlinear(
            name=source.name,
            variables=blocks,
            objective_function=objective,
            constraint_function=function,
            lower=lower,
            upper=upper,
            lowest=lowest,
            highest=highest,
            row_names=names,
            expect=expected(source, blocks),
        )

    def certify(self, problem: Nonlinear, point: Point, tol: float, seed: int) -> Certificate:
        """The independent check of a point, see `solverkit.kinds.nonlinear.certificate`."""
        from solverkit.kinds.nonlinear.certificate import certify

        return certify(problem, point, tol, seed)

    def check(self, problem: Nonlinear, point: Point, seed: int) -> list[Term]:
        """Every oracle against differences at a point, the worst row of each: what `solverkit check` shows."""
        from solverkit.kinds.nonlinear.consistency import oracle_table

        return oracle_table(problem, problem.flat(point), seed)
