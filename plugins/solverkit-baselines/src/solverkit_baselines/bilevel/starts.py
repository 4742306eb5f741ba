"""Where the peers begin: the given point, then random ones around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from solverkit.kinds.base import Point
from solverkit.kinds.bilevel.problem import Bilevel


class Spread(Protocol):
    """The options that say how many starts, and how far apart."""

    starts: int
    spread: float


def starts(problem: Bilevel, start: Point, options: Spread, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """z = (x, y) with x in X and y in Y: `start`, then start + spread (1 + |start|) times normal numbers."""
    blocks = (*problem.upper_blocks, *problem.lower_blocks)
    given = problem.flat({block.name: start[block.name] for block in blocks})
    for k in range(options.starts):
        noise = rng.standard_normal(len(given)) if k else np.zeros(len(given))
        z = given + options.spread * (1 + np.abs(given)) * noise
        yield np.concatenate([problem.upper_set.project(z[: problem.n]), problem.lower_set.project(z[problem.n :])])
