"""One run of a suite, as it is written down: a line of JSON that any number of workers append.

Everything that a report needs is here, so a report needs neither the problems nor the methods.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Outcome(enum.Enum):
    """How a run ended, from the suite's point of view. The value is the sentence of the report."""

    SOLVED = "the certificate holds at the suite's tolerance"
    UNSOLVED = "the run ended, and the certificate does not hold at the suite's tolerance"
    SKIPPED = "the method does not fit the problem, or a package is missing"
    FAILED = "the method or an oracle raised an error"
    TIMEOUT = "the run was still going past its limit, and was ended from outside"
    CRASHED = "the worker died while it ran this"


@dataclass(frozen=True)
class Record:
    """One run. Times are seconds, `calls` and `counts` are the method's oracle calls without the certificate's."""

    run: str  # id: a hash of problem, method, options, seed, repetition, tolerance and limits
    suite: str
    problem: str
    kind: str
    method: str  # the registry's name
    label: str  # the suite's name for this method with these options; equals `method` where none was given
    seed: int
    repetition: int
    outcome: Outcome
    reason: str = ""  # why it was skipped, failed or is unsolved: one sentence
    termination: str = ""  # Termination member, lower case
    point_status: str = ""  # PointStatus member, lower case
    objective: float | None = None
    expected: float | None = None  # the file's expected objective
    certificate: dict[str, dict[str, float]] = field(default_factory=dict)  # term -> value, scaling, tolerance
    counts: dict[str, int] = field(default_factory=dict)
    calls: int = 0  # sum of counts
    iterations: int = 0
    time: float = 0.0  # of the method
    certificate_time: float = 0.0
    sizes: dict[str, int] = field(default_factory=dict)  # block -> number of entries, for data profiles
    trace: list[tuple[float, int, float]] = field(default_factory=list)  # (seconds, calls, merit), at most 200 rows
    started: float = 0.0  # seconds since the epoch
    worker: str = ""  # "host:pid"
    environment: str = ""  # key into the environments file of the run folder

    @property
    def solved(self) -> bool:
        """The one notion of success in tables and profiles."""
        return self.outcome is Outcome.SOLVED
