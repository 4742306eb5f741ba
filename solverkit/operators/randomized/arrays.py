"""The few array operations that NumPy and torch spell differently."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np
from scipy.linalg import solve_triangular

Array: TypeAlias = Any
"""ndarray, or a torch tensor on any device."""


def namespace(array: Array) -> Any:
    """The module `numpy` or `torch` that the array belongs to. torch is not imported: whoever holds a tensor has it."""
    return sys.modules["torch"] if type(array).__module__.partition(".")[0] == "torch" else np


def like(values: np.ndarray, array: Array) -> Array:
    """Host values with the library, device and precision of `array`."""
    xp = namespace(array)
    if xp is np:
        return np.asarray(values, dtype=array.dtype)
    return xp.as_tensor(values, dtype=array.dtype, device=array.device)


def epsilon(array: Array) -> float:
    """Unit roundoff of the array's precision."""
    return float(namespace(array).finfo(array.dtype).eps)


def triangular_solve(R: Array, right: Array, transposed: bool = False) -> Array:
    """R^-1 b, or R'^-1 b, of an upper triangular R (k, k); b is (k,) or (k, p)."""
    if namespace(R) is np:
        return solve_triangular(R, right, trans=int(transposed), check_finite=False)
    columns = right if right.ndim == 2 else right[:, None]
    found = namespace(R).linalg.solve_triangular(R.T if transposed else R, columns, upper=not transposed)
    return found if right.ndim == 2 else found[:, 0]


def upper_cholesky(matrix: Array) -> Array | None:
    """Upper triangular R with R'R = matrix; None where the matrix is not positive definite."""
    xp = namespace(matrix)
    if xp is np:
        try:
            return np.ascontiguousarray(np.linalg.cholesky(matrix).T)
        except np.linalg.LinAlgError:
            return None
    lower, failed = xp.linalg.cholesky_ex(matrix)
    return None if int(failed) else lower.T
