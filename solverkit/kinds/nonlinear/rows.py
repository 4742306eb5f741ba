"""Constraint rows of a nonlinear problem from several sources: formulas, simple sets, matrices.

    r(x) = (r_1(x[s_1]), r_2(x[s_2]), ...),      s_k a slice of x

Unlike the parts of a product of sets, these may overlap. Rows of one entry, as those of a simplex, become bounds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, vstack

from solverkit.kinds.nonlinear.affine import DENSE_SHARE
from solverkit.operators.quadratic import Linear, shifted
from solverkit.operators.sets import Box, Product, SimpleSet

if TYPE_CHECKING:
    from solverkit.expressions.function import Function


@dataclass(frozen=True, eq=False)
class Part:
    """lower <= function(x[at]) <= upper, with a name a row."""

    function: Function
    lower: np.ndarray
    upper: np.ndarray
    names: tuple[str, ...]
    at: slice | None = None  # of x; None for all of it


class Stack:
    """The rows of several functions of slices of one vector, one function after the other."""

    def __init__(self, parts: Sequence[tuple[slice, Any]], inputs: int) -> None:
        self.parts = list(parts)
        self.inputs = inputs
        self.outputs = sum(part.outputs for _, part in self.parts)
        degrees = [part.degree for _, part in self.parts]
        self.degree = None if None in degrees else max(degrees)
        self.products_only = any(getattr(part, "products_only", False) for _, part in self.parts)
        self.second_by_differences = any(getattr(part, "second_by_differences", False) for _, part in self.parts)
        self.device, self.dtype = next(
            ((part.device, part.dtype) for _, part in self.parts if part.device != "cpu"),
            (self.parts[0][1].device, self.parts[0][1].dtype),
        )

    def _split(self, weights: np.ndarray) -> list[np.ndarray]:
        return np.split(weights, np.cumsum([part.outputs for _, part in self.parts])[:-1])

    def _whole(self, at: slice) -> bool:
        return at.start == 0 and at.stop == self.inputs

    def value(self, z: np.ndarray) -> np.ndarray:
        """(m,)"""
        return np.concatenate([part.value(z[at]) for at, part in self.parts])

    def gradient(self, z: np.ndarray) -> np.ndarray:
        """Of a single row, (n,)."""
        return self.vjp(z, np.ones(1))

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """J'w, (n,)."""
        out = np.zeros(self.inputs)
        for (at, part), weight in zip(self.parts, self._split(weights), strict=True):
            out[at] += part.vjp(z[at], weight)
        return out

    def jvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """J d, (m,)."""
        return np.concatenate([part.jvp(z[at], direction[at]) for at, part in self.parts])

    def jacobian(self, z: np.ndarray) -> Any:
        """(m, n): dense where dense parts are most of it, else sparse."""
        matrices = [part.jacobian(z[at]) for at, part in self.parts]
        dense = sum(matrix.size for matrix in matrices if isinstance(matrix, np.ndarray))
        if dense > DENSE_SHARE * self.outputs * self.inputs:
            return self._filled(matrices)
        sparse = [csr_array(matrix) for matrix in matrices]
        placed = zip(self.parts, sparse, strict=True)
        return csr_array(vstack([m if self._whole(at) else shifted(m, at.start, self.inputs) for (at, _), m in placed]))

    def _filled(self, matrices: list[Any]) -> np.ndarray:
        out, row = np.zeros((self.outputs, self.inputs)), 0
        for (at, _), matrix in zip(self.parts, matrices, strict=True):
            rows = slice(row, row + matrix.shape[0])
            out[rows, at] = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
            row = rows.stop
        return out

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """H(z, w) d, (n,)."""
        out = np.zeros(self.inputs)
        for (at, part), weight in zip(self.parts, self._split(weights), strict=True):
            if part.degree not in (0, 1):
                out[at] += part.hvp(z[at], weight, direction[at])
        return out

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> Any:
        """H(z, w), (n, n)."""
        total: Any = csr_array((self.inputs, self.inputs))
        for (at, part), weight in zip(self.parts, self._split(weights), strict=True):
            if part.degree in (0, 1):
                continue
            own = part.hessian(z[at], weight)
            total = total + (own if self._whole(at) else shifted(csr_array(own), at.start, self.inputs, self.inputs))
        return total

    def refined(self) -> Stack:
        """Every part with its finest differences; `self` where nothing changes."""
        return self._with([(at, refined(part)) for at, part in self.parts])

    def to(self, device: str, dtype: str) -> Function:
        """Every part elsewhere; `self` where nothing moves."""
        return self._with([(at, part.to(device, dtype)) for at, part in self.parts])

    def _with(self, parts: list[tuple[slice, Any]]) -> Stack:
        changed = any(new is not old for (_, new), (_, old) in zip(parts, self.parts, strict=True))
        return Stack(parts, self.inputs) if changed else self

    def digest(self) -> str:
        """Hex sha256 of slices and parts."""
        text = "|".join(f"{at.start}:{at.stop}:{part.digest()}" for at, part in self.parts)
        return hashlib.sha256(text.encode()).hexdigest()


def refined(function: Any) -> Any:
    """A function with its finest differences, where any are taken."""
    finer = getattr(function, "refined", None)
    return function if finer is None else finer()


def joined(parts: Sequence[Part], inputs: int) -> tuple[Function | None, np.ndarray, np.ndarray, tuple[str, ...]]:
    """(function, lower, upper, names) of all parts together; no function where there is no row."""
    if not parts:
        return None, np.zeros(0), np.zeros(0), ()
    lower, upper = (np.concatenate([getattr(part, side) for part in parts]) for side in ("lower", "upper"))
    names = tuple(name for part in parts for name in part.names)
    if len(parts) == 1 and parts[0].at in (None, slice(0, inputs)):
        return parts[0].function, lower, upper, names
    places = [(part.at or slice(0, inputs), part.function) for part in parts]
    return Stack(places, inputs), lower, upper, names


def box_and_rows(simple: SimpleSet, inputs: int) -> tuple[np.ndarray, np.ndarray, list[Part]]:
    """Bounds on x, (n,) each, and the rows of whatever in a simple set is no box."""
    lowest, highest = np.full(inputs, -np.inf), np.full(inputs, np.inf)
    rows: list[Part] = []
    for at, part in simple.parts if isinstance(simple, Product) else [(slice(0, inputs), simple)]:
        if isinstance(part, Box):
            lowest[at], highest[at] = part.lower, part.upper
            continue
        described, lower, upper = part.rows(at.stop - at.start)
        function: Function | None = described
        if isinstance(described, Linear):
            function, lower, upper = _bounds_out(described.A, lower, upper, lowest[at], highest[at])
        if function is not None:
            names = tuple(f"set[{row}]" for row in range(len(lower)))
            rows.append(Part(function, lower, upper, names, at))
    return lowest, highest, rows


def _bounds_out(
    A: csr_array, lower: np.ndarray, upper: np.ndarray, lowest: np.ndarray, highest: np.ndarray
) -> tuple[Function | None, np.ndarray, np.ndarray]:
    """Tighten `lowest`, `highest` in place by the rows of one entry; what is left of the others."""
    A = csr_array(A)
    A.eliminate_zeros()
    single = np.diff(A.indptr) == 1
    for row in np.flatnonzero(single):
        column, factor = A.indices[A.indptr[row]], A.data[A.indptr[row]]
        low, high = sorted((lower[row] / factor, upper[row] / factor))
        lowest[column], highest[column] = max(lowest[column], low), min(highest[column], high)
    rest = np.flatnonzero(~single)
    return (Linear(csr_array(A[rest])), lower[rest], upper[rest]) if len(rest) else (None, lower[:0], upper[:0])
