"""The value of an expression in NumPy: parameters, bounds and starts, and the plain reference of the two compilers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from solverkit.expressions.program import lower, numpy_operate, run
from solverkit.expressions.syntax import parse
from solverkit.expressions.tree import Tree


def evaluate(
    expression: str | Tree, constants: Mapping[str, Any] | None = None, point: Mapping[str, Any] | None = None
) -> float | np.ndarray:
    """The value of an expression: a float where it is a scalar, otherwise a new float64 array of its shape.

    constants : numbers, arrays and scipy sparse matrices that it may name
    point : values of variables; unlike constants they may lead to Inf or NaN, which is then returned

    Raises `ExpressionError` as `parse` and `lower` do: among others where constants alone overflow, or where an
    array would have more than `MAX_ELEMENTS` elements.
    """
    tree = parse(expression) if isinstance(expression, str) else expression
    blocks = {name: np.asarray(value, dtype=np.float64) for name, value in (point or {}).items()}
    program = lower([tree], {name: block.shape for name, block in blocks.items()}, constants or {})
    with np.errstate(all="ignore"):
        value = run(program, lambda name, shape: blocks[name], lambda constant: constant, numpy_operate)[0]
    return float(value) if np.ndim(value) == 0 else np.array(value, dtype=np.float64)
