"""Two-sided constraints in the standard form that methods and certificates work with.

    lower <= r(z) <= upper      becomes      g(z) <= 0 (first p rows),   h(z) = 0 (last q rows)

Row k of the standard form is sign_k * (r_{index_k}(z) - bound_k).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from solverkit.expressions.function import Function
    from solverkit.kinds.base import Constraints


@dataclass(frozen=True, eq=False)
class Rows:
    """Constraint rows over a flat z of length n: p inequalities, then q equalities."""

    function: Function | None  # None where there are no rows
    index: np.ndarray  # (p + q,) int, row of r
    sign: np.ndarray  # (p + q,) +1 or -1
    bound: np.ndarray  # (p + q,)
    inequalities: int  # p
    names: tuple[str, ...]
    inputs: int  # n
    touched: np.ndarray | None = None  # (n,) bool, the variables that affine rows contain; None where a row is curved

    @classmethod
    def of(cls, constraints: Constraints | None, inputs: int) -> Rows:
        """Standard form of two-sided constraints; no rows for None."""
        if constraints is None or constraints.function.outputs == 0:
            none = np.zeros(0)
            return cls(None, none.astype(int), none, none, 0, (), inputs, np.zeros(inputs, dtype=bool))
        lower, upper = constraints.lower, constraints.upper
        equal = lower == upper
        above = np.flatnonzero(~equal & np.isfinite(upper))
        below = np.flatnonzero(~equal & np.isfinite(lower))
        equality = np.flatnonzero(equal)
        index = np.concatenate([above, below, equality])
        sign = np.concatenate([np.ones(len(above)), -np.ones(len(below)), np.ones(len(equality))])
        bound = np.concatenate([upper[above], lower[below], upper[equality]])
        names = tuple(constraints.names[i] for i in index)
        function, touched = constraints.function, None
        if function.degree is not None and function.degree <= 1:
            touched = np.zeros(inputs, dtype=bool)
            jacobian = csr_array(function.jacobian(np.zeros(inputs)))
            touched[jacobian.indices[jacobian.data != 0]] = True
        return cls(function, index, sign, bound, len(above) + len(below), names, inputs, touched)

    @property
    def equalities(self) -> int:
        """q"""
        return len(self.index) - self.inequalities

    @property
    def count(self) -> int:
        """p + q"""
        return len(self.index)

    @property
    def affine(self) -> bool:
        """Every row is affine in z, by proof."""
        return self.function is None or (self.function.degree is not None and self.function.degree <= 1)

    @cached_property
    def _selection(self) -> csr_array:
        count = self.count
        outputs = self.function.outputs if self.function else 0
        return csr_array((self.sign, (np.arange(count), self.index)), shape=(count, outputs))

    @cached_property
    def _identity(self) -> bool:
        """The rows are the function's own outputs in order, so selection and sign can be left out."""
        outputs = self.function.outputs if self.function else 0
        return len(self.index) == outputs and bool(
            np.all(self.index == np.arange(outputs)) and np.all(self.sign == 1.0)
        )

    def value(self, z: np.ndarray) -> np.ndarray:
        """(p + q,): g(z) then h(z)."""
        if self.function is None:
            return np.zeros(0)
        value = self.function.value(z)
        return value - self.bound if self._identity else self.sign * (value[self.index] - self.bound)

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """J(z)' w, (n,)."""
        if self.function is None:
            return np.zeros(self.inputs)
        return self.function.vjp(z, weights if self._identity else self._selection.T @ weights)

    def jacobian(self, z: np.ndarray) -> csr_array:
        """J(z), sparse (p + q, n)."""
        if self.function is None:
            return csr_array((0, self.inputs))
        jacobian = self.function.jacobian(z)
        if self._identity:
            return jacobian
        rows = jacobian[self.index]
        rows.data = rows.data * np.repeat(self.sign, np.diff(rows.indptr))  # a product would drop stored zeros
        return rows

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """(sum_k w_k Hessian of row k) d, (n,)."""
        if self.function is None or self.affine:
            return np.zeros(self.inputs)
        return self.function.hvp(z, self._selection.T @ weights, direction)

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        """sum_k w_k Hessian of row k, sparse (n, n)."""
        if self.function is None or self.affine:
            return csr_array((self.inputs, self.inputs))
        return self.function.hessian(z, self._selection.T @ weights)

    def to(self, device: str, dtype: str) -> Rows:
        """The same rows with their function elsewhere."""
        if self.function is None:
            return self
        return replace(self, function=self.function.to(device, dtype))
