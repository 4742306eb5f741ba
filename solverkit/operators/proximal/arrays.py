"""What the maps need from NumPy and torch beyond the names that both share.

Nothing here waits for a device: constants are copied to it once, and no branch looks at a tensor's values.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from solverkit.operators.randomized.arrays import epsilon, namespace

__all__ = ["Constant", "column", "epsilon", "floating", "length", "namespace", "slack", "where_broken"]


class Constant:
    """A host array that is copied to each library, device and precision once; floats, or indices (int64)."""

    def __init__(self, values: Any, dtype: type = float) -> None:
        self.host: np.ndarray = np.asarray(values, dtype=dtype)
        self._copies: dict[tuple[Any, Any], Any] = {}

    def like(self, v: Any) -> Any:
        """The values with the library and device of v, and with its precision where they are floats."""
        key = (v.dtype, None if namespace(v) is np else v.device)
        if key not in self._copies:
            self._copies[key] = self._copy(v)
        return self._copies[key]

    def _copy(self, v: Any) -> Any:
        floats = self.host.dtype.kind == "f"
        if namespace(v) is np:
            return self.host.astype(v.dtype, copy=False) if floats else self.host
        torch = sys.modules["torch"]
        return torch.as_tensor(self.host.copy(), dtype=v.dtype if floats else torch.int64, device=v.device)

    def __getstate__(self) -> np.ndarray:
        return self.host  # copies on devices stay behind

    def __setstate__(self, host: np.ndarray) -> None:
        self.host, self._copies = host, {}


def floating(v: Any) -> Any:
    """v, or a float64 copy where it holds integers."""
    if namespace(v) is np:
        v = np.asarray(v)
        return v if np.issubdtype(v.dtype, np.floating) else v.astype(float)
    return v if v.is_floating_point() else v.double()


def column(step: Any, v: Any) -> Any:
    """A step that multiplies v (..., n): a Python number, or the batch's steps (..., 1) in v's precision."""
    if namespace(step) is not np and namespace(v) is not np:
        return step.to(v)[..., None]
    if np.ndim(step) == 0:
        return float(step)
    if namespace(v) is np:
        return np.asarray(step, dtype=v.dtype)[..., None]
    return sys.modules["torch"].as_tensor(np.asarray(step), dtype=v.dtype, device=v.device)[..., None]


def length(v: Any, axis: int = -1) -> Any:
    """Euclidean norm along an axis, kept as length 1; no overflow, and derivative 0 (not NaN) at the origin."""
    xp = namespace(v)
    if v.shape[axis] == 0:
        return v.sum(axis=axis, keepdims=True)
    largest = xp.amax(xp.abs(v if xp is np else v.detach()), axis=axis, keepdims=True)
    usable = (largest > 0) & (largest < np.inf)
    unit = xp.where(usable, largest, 1.0)
    square = ((v / unit) ** 2).sum(axis=axis, keepdims=True)
    positive = square > 0
    return xp.where(positive, unit * xp.sqrt(xp.where(positive, square, 1.0)), square)


def slack(v: Any) -> Any:
    """How far rounding may push a point of size v (..., n) out of a set, (...)."""
    xp = namespace(v)
    size = xp.amax(xp.abs(v), axis=-1) if v.shape[-1] else v.sum(axis=-1)
    return epsilon(v) ** (2 / 3) * (1 + size)


def where_broken(excess: Any, allowed: Any, value: Any = 0.0) -> Any:
    """`value` where excess <= allowed, infinity elsewhere (NaN stays NaN); each (...)."""
    xp = namespace(excess)
    return xp.where(excess <= allowed, value, xp.where(excess == excess, np.inf, excess))
