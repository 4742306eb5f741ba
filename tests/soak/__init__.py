"""The bars of reliability in their long form, `make soak`; `make test` runs each with few cases.

A bar is a module here: its docstring begins with the bar's name (`R2: ...`), `CASES` is the number of cases of the long
form, and `run(cases, seed)` tries that many and gives back a Tally.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import ClassVar


class TimeIsOver(Exception):
    """A bar has run as long as it was given; the tally so far is its argument."""


@dataclass
class Tally:
    """What came out of one bar."""

    end: ClassVar[float] = float("inf")  # of time.monotonic, for every bar of this process
    cases: int = 0
    failures: list[str] = field(default_factory=list)  # one sentence each: which case, what happened
    facts: dict[str, float | str] = field(default_factory=dict)  # figures worth quoting

    def count(self, failure: str = "") -> None:
        """One more case; a sentence where it failed."""
        self.cases += 1
        if failure:
            self.failures.append(failure)
        if time.monotonic() > Tally.end:
            raise TimeIsOver(self)
