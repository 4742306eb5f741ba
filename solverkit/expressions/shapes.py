"""Shapes of expressions: scalars (), vectors (n,) and matrices (m, n) under NumPy's rules.

Every rule takes shapes and returns a shape, or raises a `ValueError` whose text says which shapes do not fit; the
caller knows where in the text that was.
"""

from __future__ import annotations

import math

Shape = tuple[int, ...]
Key = tuple[int | slice, ...]  # a resolved index: non-negative integers and slices with all three parts

MAX_ELEMENTS = 30_000_000  # in one array of an expression (240 MB of float64)


def show(shape: Shape) -> str:
    """`a scalar`, or the shape as Python writes it."""
    return str(shape) if shape else "a scalar"


def size(shape: Shape) -> int:
    """The number of elements; 1 for a scalar."""
    return math.prod(shape)


def broadcast(*shapes: Shape) -> Shape:
    """The common shape of elementwise operands, by NumPy's rule: aligned at the right, ones stretch."""
    result: list[int] = [1] * max((len(shape) for shape in shapes), default=0)
    for shape in shapes:
        for position, length in enumerate(reversed(shape), start=1):
            if length != 1 and result[-position] not in (1, length):
                raise ValueError(_mismatch(shapes))
            if length != 1:
                result[-position] = length
    return tuple(result)


def _mismatch(shapes: tuple[Shape, ...]) -> str:
    return "shapes " + " and ".join(str(shape) for shape in dict.fromkeys(shapes)) + " do not match"


def matmul(left: Shape, right: Shape) -> Shape:
    """The shape of left @ right."""
    if not left or not right:
        raise ValueError("@ multiplies matrices and vectors; write * for a scalar")
    if left[-1] != right[0]:
        raise ValueError(f"shapes {left} and {right} do not match in @ ({left[-1]} against {right[0]})")
    return left[:-1] + right[1:]


def index(shape: Shape, items: tuple[int | tuple[int | None, int | None, int | None], ...]) -> tuple[Key, Shape]:
    """The resolved key and the shape of base[items]; a slice is given as (start, stop, step)."""
    if len(items) > len(shape):
        raise ValueError(f"{len(items)} indices for {show(shape)}")
    key: list[int | slice] = []
    result: list[int] = []
    for item, length in zip(items, shape, strict=False):
        if isinstance(item, int):
            if not -length <= item < length:
                raise ValueError(f"index {item} is out of range for length {length} (0 to {length - 1})")
            key.append(item % length)
            continue
        if item[2] is not None and item[2] < 1:
            raise ValueError("the step of a slice is positive")
        part = slice(*item).indices(length)
        if not range(*part):
            raise ValueError(f"the slice selects nothing from length {length}")
        key.append(slice(*part))
        result.append(len(range(*part)))
    return tuple(key), (*result, *shape[len(items) :])


def same(*shapes: Shape) -> Shape:
    """The shape that all arguments share."""
    if len(set(shapes)) > 1:
        raise ValueError(_mismatch(shapes))
    return shapes[0]


def need_vector(shape: Shape) -> int:
    """The length of a vector."""
    if len(shape) != 1:
        raise ValueError(f"needs a vector, not {show(shape)}")
    return shape[0]


def need_matrix(shape: Shape) -> Shape:
    """The shape of a matrix."""
    if len(shape) != 2:
        raise ValueError(f"needs a matrix, not {show(shape)}")
    return shape


def reduce(shape: Shape, axis: int | None = None) -> Shape:
    """The shape of sum(x) or sum(X, axis)."""
    if axis is None:
        return ()
    if not 0 <= axis < len(shape):
        raise ValueError(f"axis {axis} of {show(shape)}; 0 sums down the columns of a matrix, 1 along its rows")
    return shape[:axis] + shape[axis + 1 :]


def reshape(shape: Shape, *new: int) -> Shape:
    """The shape of reshape(x, m, n), rows first."""
    if any(length < 1 for length in new) or size(new) != size(shape):
        raise ValueError(f"{show(shape)} cannot be reshaped to {new}")
    return new


def concat(*shapes: Shape) -> Shape:
    """The shape of concat(a, b, ...) of scalars and vectors."""
    if any(len(shape) > 1 for shape in shapes):
        raise ValueError("joins scalars and vectors; a matrix needs reshape first")
    return (sum(size(shape) for shape in shapes),)


def difference(shape: Shape) -> Shape:
    """The shape of difference(x)."""
    length = need_vector(shape)
    if length < 2:
        raise ValueError("needs a vector of at least 2 elements")
    return (length - 1,)


def total_variation(shape: Shape) -> Shape:
    """The shape of total_variation(x): a number, of a vector or matrix with a neighbour in each direction."""
    if not shape or min(shape) < 2:
        raise ValueError(f"needs a vector or matrix with at least 2 elements in each direction, not {show(shape)}")
    return ()


def trace(shape: Shape) -> Shape:
    """The shape of trace(X): X is square."""
    rows, columns = need_matrix(shape)
    if rows != columns:
        raise ValueError(f"needs a square matrix, not {shape}")
    return ()


def diag(shape: Shape) -> Shape:
    """The shape of diag: the diagonal of a matrix, or the matrix of a diagonal."""
    if len(shape) == 1:
        return (shape[0], shape[0])
    return (min(need_matrix(shape)),)


def transpose(shape: Shape) -> Shape:
    """The shape of T(X)."""
    rows, columns = need_matrix(shape)
    return (columns, rows)
