"""Named blocks of z from their shapes, as a state keeps them."""

from __future__ import annotations

import numpy as np

from solverkit.kinds.base import Point
from solverkit.kinds.bilevel.problem import Bilevel

Shapes = dict[str, list[int]]


def shapes_of(problem: Bilevel) -> Shapes:
    """Shapes of the blocks of (x, y), in order."""
    return {block.name: list(block.shape) for block in (*problem.upper_blocks, *problem.lower_blocks)}


def blocks(z: np.ndarray, shapes: Shapes) -> Point:
    """The point of z, copies."""
    point, offset = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        point[name] = z[offset : offset + size].reshape(shape).copy()
        offset += size
    return point
