"""Problem files whose linear program is in an MPS file beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from solverkit.formats.beside import problem_beside
from solverkit.formats.document import Envelope
from solverkit.formats.mps.problem import load_mps
from solverkit.kinds.inclusion.problem import Inclusion

if TYPE_CHECKING:
    from solverkit.formats.source import FileSource


class MpsFile(Envelope):
    """A problem file that names an MPS file in place of a form."""

    mps: Annotated[str, Field(pattern=r"\.mps$", max_length=1000, description="path within the problem's folder")]


def program_beside(value: dict[str, Any], source: FileSource) -> Inclusion:
    """The problem that a file names. Raises InvalidProblem with every defect of either file."""
    return problem_beside(MpsFile, "mps", Inclusion.kind, load_mps, value, source)
