"""What can go wrong before there is a result, each with the exit code of the command line.

Numerical outcomes are never raised: they come back in a `Result`. These errors are for input that cannot be used.
"""

from __future__ import annotations

from dataclasses import dataclass


class SolverKitError(Exception):
    """Root of all errors that SolverKit raises on purpose; the text is one the user can act on."""

    exit_code = 2


class UsageError(SolverKitError):
    """A wrong call: unknown method or option, a value out of range, arguments that contradict each other."""


class MissingPackage(SolverKitError):
    """An optional dependency is not installed; the text ends in the pip line that installs it."""


class CheckpointError(SolverKitError):
    """A checkpoint that is damaged, or belongs to another problem, method or options."""


@dataclass(frozen=True)
class Defect:
    """One thing wrong with a file. `line` and `column` count from 1; 0 where the file has no such notion."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class InvalidProblem(SolverKitError):
    """A problem or data file that cannot be used; carries every defect found, one a line."""

    def __init__(self, defects: list[Defect]) -> None:
        self.defects = defects
        super().__init__("\n".join(str(defect) for defect in defects))

    def __reduce__(self) -> tuple[type, tuple[list[Defect]]]:
        return type(self), (self.defects,)  # pickled by its defects, so that it survives the way from a worker


class Unsuitable(UsageError):
    """A method that does not fit the problem: another kind, or a capability that the problem lacks."""
