"""Where a number goes on an axis, and which numbers are written beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

HUGE = 1e280
"""Numbers beyond it are drawn on the end of the axis, so that their differences stay finite."""


@dataclass(frozen=True)
class Scale:
    """From `low` to `high`, low < high; positive where `log`."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def of(cls, values: Iterable[float], log: bool = False) -> Scale:
        """A scale that shows all finite `values`, widened where they are all equal; those that a log cannot show do
        not count."""
        least = 1 / HUGE if log else -HUGE
        found = [min(max(value, least), HUGE) for value in values if math.isfinite(value) and (value > 0 or not log)]
        low, high = min(found, default=1.0), max(found, default=1.0)
        if log:
            gap = math.exp(0.03 * (math.log(high) - math.log(low))) if high > low * 1.5 else 2.0
            return cls(low / gap, high * gap, True)
        gap = (high - low) * 0.02 or max(abs(low), 1.0) * 0.1
        return cls(low - gap, high + gap)

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high one; what lies beyond is put on the end."""
        if not self.log:
            share = (value - self.low) / (self.high - self.low)
        elif value <= 0:
            share = 0.0
        else:
            share = (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return min(max(share, 0.0), 1.0)

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        """At most about `most` round numbers on the scale, and how they are written."""
        if not self.log:
            return self._linear(most)
        decades = math.log10(self.high) - math.log10(self.low)
        if decades < 0.7:
            return self._linear(most)
        if decades <= 1.7:
            return self._between((1, 2, 5))
        if decades <= 2.3:
            return self._between((1, 3))
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        stride = max(1, math.ceil((last - first + 1) / most))
        powers = [power for power in range(first, last + 1) if power % stride == 0]
        plain = all(-3 < power < 4 for power in powers)
        return [(10.0**power, f"{10.0**power:g}" if plain or not power else raised(power)) for power in powers]

    def _linear(self, most: int) -> list[tuple[float, str]]:
        rough = (self.high - self.low) / most
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        values = [index * step for index in range(first, last + 1)]
        texts: list[str] = []
        for digits in range(6, 16):
            texts = [f"{value:.{digits}g}" for value in values]
            if len(set(texts)) == len(texts):
                break
        return list(zip(values, texts, strict=True))

    def _between(self, digits: tuple[int, ...]) -> list[tuple[float, str]]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        found = [(digit * 10.0**power, digit, power) for power in powers for digit in digits]
        inside = [entry for entry in found if self.low * (1 - 1e-9) <= entry[0] <= self.high * (1 + 1e-9)]
        return [
            (value, f"{value:g}" if -3 < power < 4 else f"{digit}·{raised(power)}") for value, digit, power in inside
        ]


def raised(power: int) -> str:
    """`10⁵`."""
    return f"10{str(power).translate(RAISED)}"
