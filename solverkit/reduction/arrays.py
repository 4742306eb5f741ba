"""Smaller data: an axis shorter wherever that length occurs, numbers rounder, entries zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from solverkit.reduction.candidate import Candidate
from solverkit.reduction.fewer import fewest

CHUNKS = 64
"""Chunks of one axis, or of one array, that are tried at the finest."""

Holds = Callable[[Candidate], bool]


def smaller(candidate: Candidate, holds: Holds) -> Candidate:
    """The candidate with data as small and plain as `holds` allows."""
    for length in sorted({length for array in candidate.arrays.values() for length in array.shape}, reverse=True):
        if length > 1:
            candidate = _shorter(candidate, length, holds)
    for name in candidate.arrays:
        for plainer in _plainer(candidate.arrays[name]):
            changed = replace(candidate, arrays={**candidate.arrays, name: plainer})
            if holds(changed):
                candidate = changed
                break
        candidate = _emptier(candidate, name, holds)
    return candidate


def _shorter(candidate: Candidate, length: int, holds: Holds) -> Candidate:
    """Keep only some indices of every axis of this length; whole numbers of the file that equal it follow.

    What has the same length belongs together almost always: rows of A and entries of b. Where it does not, the
    candidate fails in another way and is not taken.
    """

    def with_only(kept: list[int]) -> Candidate:
        arrays = {name: _taken(array, length, kept) for name, array in candidate.arrays.items()}
        changed = replace(candidate, arrays=arrays)
        for path, value in candidate.walk():
            if type(value) is int and value == length and path != ("solverkit",):
                changed = changed.put(path, len(kept))
            elif isinstance(value, list) and len(value) == length and all(type(item) in (int, float) for item in value):
                changed = changed.put(path, [value[k] for k in kept])
        return changed

    kept = fewest(range(length), lambda few: bool(few) and holds(with_only(few)), finest=max(length // CHUNKS, 1))
    return candidate if len(kept) == length else with_only(kept)


def _taken(array: Any, length: int, kept: list[int]) -> Any:
    for axis, size in enumerate(array.shape):
        if size == length:
            array = array[kept] if axis == 0 else array[:, kept] if axis == 1 else np.take(array, kept, axis)
    return array


def _plainer(array: Any) -> Iterator[Any]:
    """The array with plainer numbers, the plainest first."""
    for make in (np.zeros_like, np.ones_like, np.round, lambda values: np.round(values, 2)):
        if hasattr(array, "tocsr"):
            plain = array.copy()
            plain.data = make(plain.data)
        else:
            plain = make(array)
        if (plain != array).sum():
            yield plain


def _emptier(candidate: Candidate, name: str, holds: Holds) -> Candidate:
    """Zeros in place of the entries of a dense array that do not matter."""
    array = candidate.arrays[name]
    if hasattr(array, "tocsr"):
        return candidate
    places = [int(place) for place in np.flatnonzero(array)]

    def with_only(kept: list[int]) -> Candidate:
        sparse = np.zeros_like(array)
        sparse.flat[kept] = array.flat[kept]
        return replace(candidate, arrays={**candidate.arrays, name: sparse})

    kept = fewest(places, lambda few: holds(with_only(few)), finest=max(len(places) // CHUNKS, 1))
    return candidate if len(kept) == len(places) else with_only(kept)
