"""Profiles and ratios: how methods compare over a suite, from its records alone.

A *unit* u is a pair (problem, seed). The cost of label s there is a median over repetitions, in which a run without a
certificate costs infinity; so a label *solves* a unit where more than half of its repetitions are certified:

    t[u, s] = median over repetitions of (cost of the run if it is certified, else inf)

Performance profile (Dolan, Moré 2002, Math. Program. 91, 201-213): the share of units that s solves within tau times
the cost of the best label on that unit. rho_s(1) is the share where s is best, the right end the share it solves.

    r[u, s] = t[u, s] / min_q t[u, q],        rho_s(tau) = |{u : r[u, s] <= tau}| / |U|

Data profile (Moré, Wild 2009, SIAM J. Optim. 20, 172-191): the share of units that s solves within kappa groups of
n_u + 1 oracle calls, n_u the number of variables. It does not depend on which other labels took part.

    d_s(kappa) = |{u : t[u, s] / (n_u + 1) <= kappa}| / |U|

U is every unit in the records, those that nobody solved and those that a label was skipped on included. The two papers
test convergence by the method's own values; here the certificate decides, the same for every label.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, Literal

from solverkit.bench.record import Record
from solverkit.errors import MissingPackage
from solverkit.text import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Cost = Literal["calls", "time"]
Unit = tuple[str, int]
Costs = dict[str, dict[Unit, float]]
"""label -> unit -> t[u, s]; every label has every unit, inf where it does not solve it."""

FLOORS: dict[str, float] = {"calls": 1.0, "time": 1e-6}
"""The least cost that is told apart from nothing: one call, a microsecond. It keeps ratios finite."""


@dataclass(frozen=True)
class Curve:
    """A step function, 0 before its first jump: the share is `y[i]` from `x[i]` on, until `x[i + 1]`."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]

    def at(self, value: float) -> float:
        """The share at `value`."""
        jump = bisect_right(self.x, value)
        return self.y[jump - 1] if jump else 0.0


@dataclass(frozen=True)
class Profile:
    """One curve a label, sorted by label. `x` says in words what is on the horizontal axis."""

    name: str  # "performance" or "data"
    cost: Cost
    x: str
    units: int  # |U|
    curves: tuple[Curve, ...]

    @property
    def limit(self) -> float:
        """Where the last curve has its last jump: right of it nothing happens. At least 1."""
        return max([1.0, *(curve.x[-1] for curve in self.curves if curve.x)])


@dataclass(frozen=True)
class Ratio:
    """Costs of a label divided by the baseline's, over the units that both solve; None where there is none."""

    label: str
    baseline: str
    cost: Cost
    common: int  # units that both solve
    geometric_mean: float | None
    median: float | None
    only_label: int  # units that the label solves and the baseline does not
    only_baseline: int


def medians(records: Iterable[Record], cost: Cost) -> Costs:
    """t[u, s] for every label and unit. A certified run whose cost is no finite number counts as not certified."""
    runs: dict[str, dict[Unit, list[float]]] = {}
    units: set[Unit] = set()
    for record in records:
        unit = (record.problem, record.seed)
        units.add(unit)
        runs.setdefault(record.label, {}).setdefault(unit, []).append(_cost(record, cost))
    order = sorted(units)
    return {
        label: {unit: median(found[unit]) if unit in found else math.inf for unit in order}
        for label, found in sorted(runs.items())
    }


def _cost(record: Record, cost: Cost) -> float:
    value = float(record.calls if cost == "calls" else record.time)
    return max(value, FLOORS[cost]) if record.solved and math.isfinite(value) else math.inf


def performance_profile(records: Iterable[Record], cost: Cost = "calls") -> Profile:
    """rho_s for every label, in oracle calls or in seconds."""
    costs = medians(records, cost)
    units = _units(costs)
    best = {unit: min(found[unit] for found in costs.values()) for unit in units}
    curves = [
        _curve(label, [found[unit] / best[unit] for unit in units if math.isfinite(found[unit])], len(units))
        for label, found in costs.items()
    ]
    words = "oracle calls" if cost == "calls" else "time"
    return Profile("performance", cost, f"{words}, relative to the best on each problem", len(units), tuple(curves))


def data_profile(records: Sequence[Record]) -> Profile:
    """d_s for every label. A unit that somebody solved but whose size no record tells is left out of U."""
    costs = medians(records, "calls")
    sizes = dimensions(records)
    units = [
        unit for unit in _units(costs) if unit[0] in sizes or all(math.isinf(found[unit]) for found in costs.values())
    ]
    curves = []
    for label, found in costs.items():
        solved = [found[unit] / (sizes[unit[0]] + 1) for unit in units if math.isfinite(found[unit])]
        curves.append(_curve(label, solved, len(units)))
    return Profile("data", "calls", "oracle calls / (number of variables + 1)", len(units), tuple(curves))


def ratios(records: Iterable[Record], baseline: str, cost: Cost = "calls") -> list[Ratio]:
    """Every label against `baseline`, itself included. Raises KeyError where no record has that label."""
    costs = medians(records, cost)
    return [ratio(label, baseline, cost, found, costs[baseline]) for label, found in costs.items()]


def ratio(label: str, baseline: str, cost: Cost, own: Mapping[Unit, float], base: Mapping[Unit, float]) -> Ratio:
    """The ratio over those units of `own` and `base` that both solve."""
    pairs = [(own[unit], base[unit]) for unit in own]
    common = [value / other for value, other in pairs if math.isfinite(value) and math.isfinite(other)]
    return Ratio(
        label,
        baseline,
        cost,
        len(common),
        math.exp(fmean(map(math.log, common))) if common else None,
        median(common) if common else None,
        sum(math.isfinite(value) and math.isinf(other) for value, other in pairs),
        sum(math.isinf(value) and math.isfinite(other) for value, other in pairs),
    )


def dimensions(records: Iterable[Record]) -> dict[str, int]:
    """Problem -> number of variables, for the problems of which some record tells it."""
    return {record.problem: sum(record.sizes.values()) for record in records if record.sizes}


def plot_profile(profile: Profile, ax: Axes | None = None) -> Axes:
    """Draw a profile with matplotlib, on `ax` or a new figure, and return the axes. Raises MissingPackage."""
    try:
        from matplotlib import pyplot
    except ImportError:
        raise MissingPackage("plots need matplotlib: pip install matplotlib") from None
    axes: Any = pyplot.subplots()[1] if ax is None else ax
    end = profile.limit * 1.1
    for number, curve in enumerate(profile.curves):
        start = min(1.0, *curve.x) if curve.x else 1.0
        share = curve.at(start)
        dashes = ("-", "--", "-.", ":")[number % 4]
        heights = [share, *curve.y, curve.y[-1] if curve.y else 0.0]
        axes.step([start, *curve.x, end], heights, dashes, where="post", label=clean(curve.label))
    axes.set(xscale="log", xlabel=profile.x, ylabel=f"share of {profile.units} solved", ylim=(-0.02, 1.02))
    axes.legend()
    return axes


def _units(costs: Costs) -> list[Unit]:
    return list(next(iter(costs.values()), {}))


def _curve(label: str, values: list[float], units: int) -> Curve:
    values = sorted(values)
    jumps = sorted(set(values))
    return Curve(label, tuple(jumps), tuple(bisect_right(values, jump) / units for jump in jumps))
