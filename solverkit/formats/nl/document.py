"""Problem files whose problem is in an .nl file beside them: the .yaml adds the source and the expected answer.

kind: nonlinear
nl: model.nl
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from solverkit.errors import InvalidProblem
from solverkit.formats.document import Envelope, validate
from solverkit.formats.files import Refused, resolve
from solverkit.formats.nl.problem import NlProblem, load_nl
from solverkit.kinds.expectation import expected
from solverkit.kinds.nonlinear.problem import Nonlinear

if TYPE_CHECKING:
    from solverkit.formats.source import FileSource


class NlFile(Envelope):
    """A problem file that names an .nl file in place of variables and expressions."""

    nl: Annotated[str, Field(pattern=r"\.nl$", max_length=1000, description="path within the problem's folder")]


def problem_beside(value: dict[str, Any], source: FileSource) -> NlProblem:
    """The problem that a validated file names. Raises InvalidProblem with every defect of either file."""
    file = validate(NlFile, value, source)
    if value.get("kind") != Nonlinear.kind:
        source.defect(("kind",), f"an .nl file holds a {Nonlinear.kind} problem")
    source.check()
    source.name = file.name
    source.expect = file.expect.model_dump(exclude_unset=True, exclude_none=True)
    try:
        problem = load_nl(resolve(source.folder, file.nl))
    except Refused as refused:
        source.defect(("nl",), refused.message)
        source.check()
        raise
    except InvalidProblem as error:
        folder = PurePath(file.nl).parent
        raise InvalidProblem([replace(defect, file=str(folder / defect.file)) for defect in error.defects]) from None
    found = replace(problem, name=source.name, expect=expected(source, problem.variables))
    source.check()
    return found
