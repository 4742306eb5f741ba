"""Points as the engine handles them: named NumPy blocks, checked, copied and kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, isfinite
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.base import Point, Problem
from solverkit.text import clean, nearest


def as_point(value: Any) -> Point:
    """Named blocks as NumPy arrays, without a copy where they are. Raises TypeError for anything else."""
    if not isinstance(value, Mapping):
        raise TypeError(f"a point is a dict of named blocks; the method gave {type(value).__name__}")
    return {
        name: block if type(block) is np.ndarray and block.dtype.kind in "fiub" else _array(block)
        for name, block in value.items()
    }


def _array(block: Any) -> np.ndarray:
    if hasattr(block, "detach"):  # a torch tensor, wherever it is
        block = block.detach().cpu().numpy()
    array = np.asarray(block)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"a block of a point holds real numbers; this one has dtype {array.dtype}")
    return array


def as_float64(point: Point) -> Point:
    """The same point in float64, whole numbers left alone: what a certificate is computed from."""
    return {name: block.astype(float) if block.dtype.kind == "f" else block for name, block in point.items()}


def is_finite(point: Point) -> bool:
    """Whether every entry of every block is finite."""
    for block in point.values():
        if block.dtype.kind == "f" and not isfinite(np.vdot(block, block)) and not np.isfinite(block).all():
            return False  # the second look is for squares that overflow where the values do not
    return True


def copy_point(point: Point) -> Point:
    """A copy that shares nothing."""
    return {name: np.array(block) for name, block in point.items()}


def same(one: Point, other: Point) -> bool:
    """Whether two points are equal, block by block."""
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


class Best:
    """The best point so far: lowest merit, the latest of equals. Where no merit is reported, the latest point."""

    def __init__(self, point: Point) -> None:
        self.point = copy_point(point)
        self.merit = inf
        self.nit = 0

    def offer(self, point: Point, merit: float | None, nit: int, written: Mapping[str, slice] | None = None) -> None:
        """Copy `point` if it is at least as good, into the arrays of the former best where they fit.

        Where `written` is given, only these rows differ from the point offered before, which was taken."""
        if merit is not None:
            if merit > self.merit:
                return
            self.merit = merit
        self.nit = nit
        kept = self.point
        if kept.keys() != point.keys():
            self.point = copy_point(point)
            return
        for name, block in point.items():
            former = kept[name]
            if former.shape == block.shape and former.dtype == block.dtype:
                if written is None:
                    former[...] = block
                elif name in written:
                    former[written[name]] = block[written[name]]
            else:
                kept[name] = np.array(block)


def starting_point(problem: Problem, seed: int, override: Mapping[str, Any] | None) -> Point:
    """Where a run begins: `problem.start`, with blocks of `override` in place of its own.

    A block that the problem does not start from (a multiplier of a former result) is passed on to the method, unless
    its name looks like a slip. Raises UsageError.
    """
    point = copy_point(as_point(problem.start(np.random.default_rng(seed))))
    given = override or {}
    own = list(point)
    missing = [name for name in own if name not in given]
    if given and len(missing) == len(own):
        raise UsageError(
            f"start: none of {_names(given)} is a block of {clean(problem.name)!r}, which has {_names(own)}"
        )
    for name, value in given.items():
        if name not in point and (hint := nearest(name, missing)):
            raise UsageError(f"start: problem {clean(problem.name)!r} has no block {clean(name)!r}{hint}")
        point[name] = _start_block(name, value, point.get(name))
    if not is_finite(point):
        bad = [name for name, block in point.items() if not np.isfinite(block).all()]
        raise UsageError(f"start: block {clean(bad[0])!r} holds NaN or Inf; give finite numbers")
    return point


def _names(names: Iterable[str]) -> str:
    return ", ".join(clean(name, 64) for name in names)


def _start_block(name: str, value: Any, default: np.ndarray | None) -> np.ndarray:
    try:
        block = np.array(_array(value))
    except (TypeError, ValueError) as error:
        raise UsageError(f"start: block {clean(name)!r} is no array of real numbers ({clean(error)})") from None
    if default is None:
        return block
    if block.shape == () and default.shape != ():
        return np.full(default.shape, block, dtype=default.dtype)
    if block.shape != default.shape:
        raise UsageError(f"start: block {clean(name)!r} has shape {block.shape}; the problem has {default.shape}")
    if default.dtype.kind in "iu" and block.dtype.kind == "f" and np.any(block != np.rint(block)):
        raise UsageError(f"start: block {clean(name)!r} holds whole numbers in this problem")
    return block.astype(default.dtype)
