"""Problem files whose problem is in an .nl file beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from solverkit.formats import beside
from solverkit.formats.document import Envelope
from solverkit.formats.nl.problem import NlProblem, load_nl
from solverkit.kinds.nonlinear.problem import Nonlinear

if TYPE_CHECKING:
    from solverkit.formats.source import FileSource


class NlFile(Envelope):
    """A problem file that names an .nl file in place of variables and expressions."""

    nl: Annotated[str, Field(pattern=r"\.nl$", max_length=1000, description="path within the problem's folder")]


def problem_beside(value: dict[str, Any], source: FileSource) -> NlProblem:
    """The problem that a file names. Raises InvalidProblem with every defect of either file."""
    return beside.problem_beside(NlFile, "nl", Nonlinear.kind, load_nl, value, source)
