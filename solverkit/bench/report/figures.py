"""The plots of the page: profiles of a kind, and how the merit fell on each problem."""

from __future__ import annotations

import math
from collections.abc import Sequence

from solverkit.bench.profiles import Profile
from solverkit.bench.record import Record
from solverkit.bench.report.scales import Scale
from solverkit.bench.report.summary import Group
from solverkit.bench.report.svg import Line, Plot
from solverkit.text import clean

SHARES = Scale(-0.02, 1.02)


def profile_plot(profile: Profile, key: str) -> Plot:
    """A profile; the curves run on to the right end of the plot."""
    starts = [curve.x[0] for curve in profile.curves if curve.x]
    low = 1.0 if profile.name == "performance" else min(starts, default=1.0) / 1.2
    high = max(profile.limit * 1.15, low * 2)
    lines = []
    for number, curve in enumerate(profile.curves):
        steps = [(low, curve.at(low)), *zip(curve.x, curve.y, strict=True)]
        lines.append(Line(number, [*steps, (high, steps[-1][1])]))
    ends = ", ".join(f"{clean(curve.label, 40)} {curve.at(high):.0%}" for curve in profile.curves)
    return Plot(
        key,
        f"{profile.name} profile: {profile.x}",
        f"One curve a method: share of {profile.units} solved, against {profile.x}. In the end: {ends}.",
        Scale(low, high, True),
        SHARES,
        profile.x,
        "share solved",
        lines,
    )


def representatives(group: Group) -> dict[str, list[Record | None]]:
    """Problem -> for each label the run with the median time among the certified ones, else among all that moved.

    Of an even number it is the faster of the two in the middle; None where no run has a trace."""
    runs: dict[tuple[str, str], list[Record]] = {}
    for record in group.records:
        if record.trace:
            runs.setdefault((record.problem, record.label), []).append(record)
    return {
        row.problem: [_median_run(runs.get((row.problem, label), [])) for label in group.labels] for row in group.rows
    }


def _median_run(runs: Sequence[Record]) -> Record | None:
    chosen = [record for record in runs if record.solved] or list(runs)
    chosen.sort(key=lambda record: (record.time, record.seed, record.repetition))
    return chosen[(len(chosen) - 1) // 2] if chosen else None


def convergence_plot(problem: str, runs: Sequence[Record | None], axis: str, key: str) -> Plot | None:
    """The best merit so far against oracle calls, or seconds where `axis` is `time`; None where no merit is finite."""
    x_label, column = ("seconds", 0) if axis == "time" else ("oracle calls", 1)
    found = [
        Line(number, _best(run, column), "dot" if run.solved else "cross")
        for number, run in enumerate(runs)
        if run is not None
    ]
    lines = [line for line in found if line.points]
    if not lines:
        return None
    merits = [merit for line in lines for _, merit in line.points]
    return Plot(
        key,
        f"merit on {problem} against {x_label}",
        f"The best merit so far, one run for each of {len(lines)} methods; lower is better.",
        Scale.of((x for line in lines for x, _ in line.points), log=True),
        Scale.of(merits, log=min(merits) >= 0 and max(merits) > 0),
        x_label,
        "merit",
        lines,
    )


def _best(run: Record, column: int) -> list[tuple[float, float]]:
    """The least finite merit so far, at each row of the trace from the first that has one."""
    least = math.inf
    points = []
    for row in run.trace:
        least = min(least, row[2]) if math.isfinite(row[2]) else least
        if math.isfinite(least) and math.isfinite(row[column]):
            points.append((float(row[column]), least))
    return points
