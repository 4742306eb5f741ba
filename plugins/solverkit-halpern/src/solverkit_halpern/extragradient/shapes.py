"""Named blocks of a flat vector without the problem at hand: what `Solver.point` needs."""

from __future__ import annotations

import math

import numpy as np

from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.problem import Inclusion

Shapes = dict[str, list[int]]


def shapes_of(problem: Inclusion) -> Shapes:
    """Names and shapes in the order of u."""
    return {block.name: list(block.shape) for block in problem.variables}


def named(u: np.ndarray, shapes: Shapes) -> Point:
    """The blocks of u, copies."""
    point, offset = {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape)
        point[name] = u[offset : offset + size].reshape(shape).copy()
        offset += size
    return point
