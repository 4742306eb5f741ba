"""Smaller problem files: fewer keys and items, simpler expressions, plainer numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from solverkit.reduction.candidate import Candidate, Keys
from solverkit.reduction.expressions import simpler
from solverkit.reduction.fewer import fewest

Holds = Callable[[Candidate], bool]


def fewer_keys(candidate: Candidate, holds: Holds) -> Candidate:
    """Leave out every key and item that `holds` can do without, from the outside in."""
    waiting: list[Keys] = [()]
    for path in waiting:
        value = candidate.at(path)
        if not isinstance(value, dict | list) or not value:
            continue
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        kept = fewest(keys, partial(_holds_with, holds, candidate, path))
        if len(kept) < len(keys):
            candidate = candidate.put(path, _only(value, kept))
        left = candidate.at(path)
        waiting += [(*path, key) for key in (left if isinstance(left, dict) else range(len(left)))]
    return candidate


def simpler_values(candidate: Candidate, holds: Holds) -> Candidate:
    """Simplify every expression and number as far as `holds` allows."""
    for path, _ in list(candidate.walk()):
        while True:
            value = candidate.at(path)
            tries = (candidate.put(path, text) for text in _simpler(value))
            found = next((changed for changed in tries if holds(changed)), None)
            if found is None:
                break
            candidate = found
    return candidate


def _holds_with(holds: Holds, candidate: Candidate, path: Keys, keys: list[Any]) -> bool:
    return holds(candidate.put(path, _only(candidate.at(path), keys)))


def _only(value: Any, keys: list[Any]) -> Any:
    return {key: value[key] for key in keys} if isinstance(value, dict) else [value[key] for key in keys]


def _simpler(value: Any) -> Iterator[Any]:
    """Values that are simpler than this one by a measure that falls each time, so that there is an end."""
    if isinstance(value, str):
        yield from (text for text in simpler(value) if len(text) < len(value))
    elif type(value) is int:
        yield from (number for number in (0, 1, 2, value // 2, value - 1) if abs(number) < abs(value))
    elif type(value) is float and math.isfinite(value):
        rounder = (0, 1, round(value), float(f"{value:.1g}"), float(f"{value:.3g}"))
        yield from (number for number in rounder if len(repr(number)) < len(repr(value)))
