"""As few parts as will do: the algorithm ddmin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def fewest(parts: Sequence[T], holds: Callable[[list[T]], bool], finest: int = 1) -> list[T]:
    """A subsequence for which `holds` and that loses it when any one chunk is left out; `parts` must hold.

    finest : parts in the smallest chunk that is tried; 1 makes the answer minimal part by part

    Tries O(log n) subsequences where little is needed, O(n^2) at worst.
    """
    kept = list(parts)
    if kept and holds([]):
        return []
    size = max(len(kept) // 2, 1)
    while kept:
        shorter = _without_chunks(kept, size, holds)
        if len(shorter) == len(kept) and size <= finest:
            return kept
        if len(shorter) == len(kept):
            size = max(size // 2, finest)
        kept = shorter
        size = min(size, max(len(kept) // 2, finest))
    return kept


def _without_chunks(kept: list[T], size: int, holds: Callable[[list[T]], bool]) -> list[T]:
    """One pass from the end: every chunk of `size` parts that can go, goes. The end of a file depends on its start."""
    start = (len(kept) - 1) // size * size
    while start >= 0:
        left = kept[:start] + kept[start + size :]
        if left and holds(left):
            kept = left
        start -= size
    return kept
