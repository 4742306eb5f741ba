"""The runs of a suite as a table for Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from solverkit.bench.record import Outcome, Record
from solverkit.errors import MissingPackage

if TYPE_CHECKING:
    from pandas import DataFrame

    from solverkit.bench.profiles import Cost, Profile

LEFT_OUT = ("certificate", "counts", "trace", "sizes")
"""Fields of a record that are no single value."""


@dataclass(frozen=True)
class Table:
    """Records of runs: a line a run, profiles over all of them."""

    records: list[Record]
    environments: dict[str, dict]
    suite: dict
    left: int = 0  # runs that are not made: the same call with the same `out` goes on
    interrupted: bool = False  # by Ctrl-C

    def rows(self) -> list[dict[str, Any]]:
        """A dict a run: the record's single values, its oracle calls as `calls_NAME`, and `solved`."""
        counters = sorted({name for record in self.records for name in record.counts})
        rows = []
        for record in self.records:
            row = {name: value for name, value in vars(record).items() if name not in LEFT_OUT}
            row |= {f"calls_{name}": record.counts.get(name, 0) for name in counters}
            rows.append({**row, "outcome": record.outcome.name.lower(), "solved": record.solved})
        return rows

    def frame(self) -> DataFrame:
        """`rows` as a pandas DataFrame. Raises MissingPackage."""
        try:
            import pandas
        except ImportError:
            raise MissingPackage("frame() needs pandas, which is not installed. Run: pip install pandas") from None
        return pandas.DataFrame(self.rows())

    def profile(self, cost: Cost = "calls", kind: str = "performance") -> Profile:
        """The performance profile in oracle calls or time, or the data profile: see `solverkit.bench.profiles`."""
        from solverkit.bench.profiles import data_profile, performance_profile
        from solverkit.errors import UsageError

        if kind == "performance" and cost in ("calls", "time"):
            return performance_profile(self.records, cost)
        if kind == "data" and cost == "calls":
            return data_profile(self.records)
        raise UsageError("a profile is of kind 'performance', in 'calls' or 'time', or of kind 'data', in 'calls'")

    def plot(self, cost: Cost = "calls", kind: str = "performance", ax: Any = None) -> Any:
        """Draw `profile` with matplotlib, and return the axes. Raises MissingPackage."""
        from solverkit.bench.profiles import plot_profile

        return plot_profile(self.profile(cost, kind), ax)

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        counts = {outcome: sum(record.outcome is outcome for record in self.records) for outcome in Outcome}
        parts = [f"{count} {outcome.name.lower()}" for outcome, count in counts.items() if count]
        return f"Table of {len(self)} runs: {', '.join(parts) or 'none'}"
