"""The state of a batch: tensors with one row for each game."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any


@dataclass
class Pairs:
    """Points z = (x, y) with their products, one row a game."""

    x: Any  # (B, p)
    y: Any  # (B, q)
    adjoint: Any  # (B, q) A'x
    forward: Any  # (B, p) A y

    def map(self, change: Callable[..., Any], *others: Pairs) -> Pairs:
        """`change` of each part, with those of `others`."""
        return Pairs(*(change(*(getattr(pairs, part.name) for pairs in (self, *others))) for part in fields(self)))


@dataclass
class BatchState:
    """What each game remembers; scalars are (B,)."""

    matrix: Any  # (B, p, q)
    current: Pairs
    anchor: Pairs
    image: Pairs
    norm: Any  # ||C A C||, with its margin
    step: Any
    following: Any  # the step of the next epoch
    weight: Any  # omega
    memory: Any  # of the control of omega
    vector: Any  # (B, q) where the norm on faces begins
    inner: Any  # k
    first: Any  # squared residual at the anchor
    last: Any
    cautious: Any  # restarts that keep the norm on the whole simplices
    best_x: Any
    best_y: Any
    upper: Any
    lower: Any
    iterations: Any  # until the gap was reached
    target: Any  # the gap asked for

    def select(self, rows: Any) -> BatchState:
        """The games at these rows."""
        parts = {}
        for part in fields(self):
            value = getattr(self, part.name)
            parts[part.name] = value.map(lambda t: t[rows]) if isinstance(value, Pairs) else value[rows]
        return BatchState(**parts)
