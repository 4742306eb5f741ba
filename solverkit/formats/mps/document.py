"""Problem files whose linear program is in an MPS file beside them: the .yaml adds the source and the expected answer.

kind: inclusion
mps: model.mps
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from solverkit.errors import InvalidProblem
from solverkit.formats.document import Envelope, validate
from solverkit.formats.files import Refused, resolve
from solverkit.formats.mps.problem import load_mps
from solverkit.kinds.expectation import expected
from solverkit.kinds.inclusion.problem import Inclusion

if TYPE_CHECKING:
    from solverkit.formats.source import FileSource


class MpsFile(Envelope):
    """A problem file that names an MPS file in place of a form."""

    mps: Annotated[str, Field(pattern=r"\.mps$", max_length=1000, description="path within the problem's folder")]


def program_beside(value: dict[str, Any], source: FileSource) -> Inclusion:
    """The problem that a validated file names. Raises InvalidProblem with every defect of either file."""
    file = validate(MpsFile, value, source)
    if value.get("kind") != Inclusion.kind:
        source.defect(("kind",), f"an MPS file holds a problem of kind {Inclusion.kind}")
    source.check()
    source.name = file.name
    source.expect = file.expect.model_dump(exclude_unset=True, exclude_none=True)
    try:
        problem = load_mps(resolve(source.folder, file.mps))
    except Refused as refused:
        source.defect(("mps",), refused.message)
        source.check()
        raise
    except InvalidProblem as error:
        folder = PurePath(file.mps).parent
        raise InvalidProblem([replace(defect, file=str(folder / defect.file)) for defect in error.defects]) from None
    found = replace(problem, name=source.name, expect=expected(source, problem.variables))
    source.check()
    return found
