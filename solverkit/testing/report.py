"""What the checks found: one outcome a check and problem, and a report of them all."""

from __future__ import annotations

import enum
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass


class Verdict(enum.Enum):
    """How one check ended on one problem. The value is the word in the report."""

    PASSED = "passed"
    FAILED = "FAILED"
    EXPECTED = "failed as declared"
    SKIPPED = "not checked"


class Failed(Exception):
    """Raised by a check: what was seen. The check itself says what it means and how to mend it."""


class Skipped(Exception):
    """Raised by a check that says nothing about this method or problem: why."""


class ConformanceError(AssertionError):
    """A method does not keep the contract; the text holds every failure."""


@dataclass(frozen=True)
class Outcome:
    """One check of one method on one problem."""

    check: str
    problem: str
    verdict: Verdict
    seen: str = ""
    means: str = ""
    mend: str = ""
    blocked: str = ""  # the failed check without which this one was not run

    def __str__(self) -> str:
        """What it means, what was seen, how to mend it; one line where nothing is wrong."""
        head = f"{self.check} on {self.problem}: {self.verdict.value}"
        if self.verdict in (Verdict.PASSED, Verdict.SKIPPED, Verdict.EXPECTED):
            return f"{head} ({self.seen})" if self.seen else head
        parts = [("means", self.means), ("seen", self.seen), ("mend", self.mend)]
        return "\n".join([head, *(_paragraph(word, text) for word, text in parts if text)])


@dataclass(frozen=True)
class Report:
    """All outcomes of one method. Truthy where nothing failed that was not declared."""

    method: str
    outcomes: tuple[Outcome, ...]

    def __bool__(self) -> bool:
        return not self.failures

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """Outcomes that failed without being declared."""
        return self._with(Verdict.FAILED)

    @property
    def failed(self) -> frozenset[str]:
        """Names of the checks that failed on any problem, declared or not."""
        return frozenset(o.check for o in self._with(Verdict.FAILED) + self._with(Verdict.EXPECTED))

    @property
    def skipped(self) -> tuple[Outcome, ...]:
        """Outcomes that say nothing, each with its reason in `seen`."""
        return self._with(Verdict.SKIPPED)

    def raise_for_failures(self) -> None:
        """Raises ConformanceError where a check failed that was not declared."""
        if self.failures:
            raise ConformanceError(str(self))

    def __str__(self) -> str:
        counts = ", ".join(f"{len(found)} {v.value}" for v in Verdict if (found := self._with(v)))
        problems = len({outcome.problem for outcome in self.outcomes})
        lines = [f"{self.method}: {counts} ({problems} problem{'s' * (problems != 1)})"]
        for verdict in (Verdict.FAILED, Verdict.EXPECTED, Verdict.SKIPPED):
            lines += [str(outcome) for outcome in self._with(verdict)]
        return "\n".join(lines)

    def _with(self, verdict: Verdict) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.verdict is verdict)


def _paragraph(word: str, text: str) -> str:
    """`  seen   text`, wrapped, with later lines below the first."""
    lines: list[str] = []
    for line in text.splitlines():
        lines += textwrap.wrap(line, 100, break_long_words=False, break_on_hyphens=False) or [""]
    indent = " " * 9
    return f"  {word:5}  " + f"\n{indent}".join(lines)
