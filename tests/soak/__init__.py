"""The bars of reliability in their long form, `make soak`; `make test` runs each with few cases.

A bar is a module here: its docstring begins with the bar's name (`R2: ...`), `CASES` is the number of cases of the long
form, and `run(cases, seed)` tries that many and gives back a Tally.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Tally:
    """What came out of one bar."""

    cases: int = 0
    failures: list[str] = field(default_factory=list)  # one sentence each: which case, what happened
    facts: dict[str, float | str] = field(default_factory=dict)  # figures worth quoting

    def count(self, failure: str = "") -> None:
        """One more case; a sentence where it failed."""
        self.cases += 1
        if failure:
            self.failures.append(failure)
