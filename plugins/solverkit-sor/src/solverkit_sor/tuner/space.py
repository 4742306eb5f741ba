"""What may be tuned: parameters with their ranges, and the arms that they make.

    {"w": Real(1, 1.95)}                                            20 values of one parameter
    {"solver": "amg", "theta": Choice(0.08, 0.25, 0.5)}             a value that is fixed, and a choice
    [{"solver": "cg"}, {"solver": "ssor-cg", "w": Real(1, 1.95)}]   one space or the other

Every combination is an arm. Arms that differ in numbers alone form a group, in which the default learner takes costs
to be smooth; between values of a `Choice` nothing is assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np

from solverkit.errors import UsageError

MOST_ARMS = 2000
"""More than a sequence could ever try; a larger product is a mistake, or a task for offline search."""

Scale = Literal["linear", "log", "relaxation"]


class Choice:
    """One of some values: strings, numbers or booleans."""

    def __init__(self, *values: Any) -> None:
        if not values:
            raise UsageError("Choice() has no values: give at least one, as in Choice('cg', 'amg')")
        if len({repr(value) for value in values}) < len(values):
            raise UsageError(f"Choice{values} names a value twice")
        for value in values:
            if not isinstance(value, str | int | float | bool | None):
                raise UsageError(f"Choice of {type(value).__name__}: values are strings, numbers, booleans or None")
        self.values = values


@dataclass(frozen=True)
class Real:
    """`count` numbers from `low` to `high`. `scale` says where steps are equal: `linear`, `log`, or `relaxation`,
    which is log(2 - w), for factors that blow up at 2."""

    low: float
    high: float
    count: int = 12
    scale: Scale = "linear"

    def __post_init__(self) -> None:
        bounds = {"linear": (-np.inf, np.inf), "log": (0.0, np.inf), "relaxation": (-np.inf, 2.0)}
        if self.scale not in bounds:
            raise UsageError(f"scale {self.scale!r} of Real: 'linear', 'log' or 'relaxation'")
        below, above = bounds[self.scale]
        if not (below < self.low < self.high < above and self.count >= 2):
            raise UsageError(
                f"Real({self.low}, {self.high}, {self.count}, {self.scale!r}): needs low < high "
                f"inside ({below}, {above}) and at least two values"
            )

    @property
    def values(self) -> tuple[float, ...]:
        """The grid, both ends included."""
        if self.scale == "log":
            grid = np.geomspace(self.low, self.high, self.count)
        elif self.scale == "relaxation":
            grid = 2.0 - np.geomspace(2.0 - self.low, 2.0 - self.high, self.count)
        else:
            grid = np.linspace(self.low, self.high, self.count)
        return tuple(float(f"{value:.6g}") for value in grid)

    def coordinates(self) -> np.ndarray:
        """(count,) the same points on [-1, 1], equal steps where the scale says so."""
        return np.linspace(-1.0, 1.0, len(self.values))


@dataclass(frozen=True)
class Int:
    """Whole numbers from `low` to `high`: all of them, or about `count` on `scale`."""

    low: int
    high: int
    count: int | None = None
    scale: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.scale == "log" and self.low < 1):
            raise UsageError(f"Int({self.low}, {self.high}): needs low < high, and low >= 1 on a log scale")

    @property
    def values(self) -> tuple[int, ...]:
        """The grid, both ends included."""
        if self.count is None and self.scale == "linear":
            return tuple(range(self.low, self.high + 1))
        spaced = np.geomspace if self.scale == "log" else np.linspace
        return tuple(int(value) for value in np.unique(np.rint(spaced(self.low, self.high, self.count or 8))))

    def coordinates(self) -> np.ndarray:
        """(count,) the values on [-1, 1], by their scale."""
        places = np.array(self.values, dtype=float)
        places = np.log(places) if self.scale == "log" else places
        return 2.0 * (places - places[0]) / (places[-1] - places[0]) - 1.0


Parameters = dict[str, Any]
Space = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Arms:
    """All combinations of a space."""

    parameters: list[Parameters]
    groups: np.ndarray  # (arms,) int
    coordinates: np.ndarray  # (arms, q) in [-1, 1], zeros where a group has fewer numbers than q

    def __len__(self) -> int:
        return len(self.parameters)

    def find(self, parameters: Parameters) -> int:
        """The arm with these parameters; raises UsageError where there is none."""
        if parameters not in self.parameters:
            raise UsageError(f"{parameters} is not in the space: the first of {len(self)} arms is {self.parameters[0]}")
        return self.parameters.index(parameters)

    def middles(self) -> list[int]:
        """The arm nearest to the centre of each group, in the order of the groups."""
        result = []
        for group in range(int(self.groups.max()) + 1):
            members = np.flatnonzero(self.groups == group)
            result.append(int(members[np.argmin(np.sum(self.coordinates[members] ** 2, axis=1))]))
        return result


def arms_of(space: Space) -> Arms:
    """The arms of a space, or of several, in the order in which they are written."""
    spaces = [space] if isinstance(space, Mapping) else list(space)
    parameters: list[Parameters] = []
    places: list[list[float]] = []
    groups: list[int] = []
    known: dict[tuple, int] = {}
    for number, one in enumerate(spaces):
        if not isinstance(one, Mapping) or not one or not all(isinstance(name, str) for name in one):
            raise UsageError(f"a space maps names to Choice, Real, Int or a fixed value; got {one!r}")
        axes = [_axis(name, axis) for name, axis in one.items()]
        if np.prod([len(axis) for axis in axes], dtype=float) + len(parameters) > MOST_ARMS:
            raise UsageError(f"the space has more than {MOST_ARMS} combinations: give fewer values, or coarser grids")
        for combination in product(*axes):
            parameters.append({name: value for name, (value, _) in zip(one, combination, strict=True)})
            places.append([place for _, place in combination if place is not None])
            discrete = tuple(repr(value) for value, place in combination if place is None)
            groups.append(known.setdefault((number, discrete), len(known)))
    if not parameters:
        raise UsageError("the space is empty: it needs at least one set of parameters")
    width = max([1, *map(len, places)])
    coordinates = np.zeros((len(places), width))
    for row, place in zip(coordinates, places, strict=True):
        row[: len(place)] = place
    if len({repr(sorted(each.items())) for each in parameters}) < len(parameters):
        raise UsageError("the space holds the same combination twice")
    return Arms(parameters, np.array(groups), coordinates)


def _axis(name: str, axis: Any) -> list[tuple[Any, float | None]]:
    """Values of one parameter, each with its coordinate where it is a number of a range."""
    if isinstance(axis, Real | Int):
        return list(zip(axis.values, axis.coordinates(), strict=True))
    if isinstance(axis, Choice):
        return [(value, None) for value in axis.values]
    if isinstance(axis, str | int | float | bool | None):
        return [(axis, None)]
    raise UsageError(f"parameter {name!r} is a {type(axis).__name__}: give Choice(...), Real(...), Int(...) or a value")
