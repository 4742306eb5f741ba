"""A bilevel problem from one point: both levels' rows with the simple sets folded in, and natural scales.

A row r_k(z) <= 0 or r_k(z) = 0 is broken by

    violation_k / (||grad r_k(z)|| + |bound_k|),

about the distance to the row, relative to its bound: multiplying the row by any number changes nothing.

The scale of an objective's gradient is  S = ||grad||_inf + min(1, max|Hessian| (1 + ||z||_inf)): one plus the gradient
for an objective of ordinary size, and still meaningful for an objective multiplied by 1e-8.
With products alone ||Hessian||_2 stands for max|Hessian|.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array, vstack

from solverkit.kinds.base import Constraints
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.kinds.rows import Rows
from solverkit.operators.qp import largest, row_norms
from solverkit.operators.quadratic import shifted

TINY = 1e-300
LARGE = 500  # n + m up to which dense Hessians are formed
POWER = 12  # products with which ||Hessian||_2 is estimated


@dataclass(frozen=True, eq=False)
class LevelRows:
    """All rows of one level over z: the file's, then those of the simple set. `inequality` is a mask over both."""

    file: Rows
    set: Rows  # over the level's own variables
    start: int  # where these begin in z
    inputs: int

    @classmethod
    def upper(cls, problem: Bilevel) -> LevelRows:
        """G, H and X."""
        return cls(problem.upper_constraints, _set_rows(problem.upper_set, problem.n), 0, problem.n + problem.m)

    @classmethod
    def lower(cls, problem: Bilevel) -> LevelRows:
        """g, h and Y."""
        rows = _set_rows(problem.lower_set, problem.m)
        return cls(problem.lower_constraints, rows, problem.n, problem.n + problem.m)

    @property
    def count(self) -> int:
        return self.file.count + self.set.count

    @cached_property
    def inequality(self) -> np.ndarray:
        """(count,) bool."""
        return np.concatenate([np.arange(rows.count) < rows.inequalities for rows in (self.file, self.set)])

    @cached_property
    def bound(self) -> np.ndarray:
        """(count,) |bound| of each row."""
        return np.abs(np.concatenate([self.file.bound, self.set.bound]))

    def _own(self, z: np.ndarray) -> np.ndarray:
        return z[self.start : self.start + self.set.inputs]

    def value(self, z: np.ndarray) -> np.ndarray:
        """(count,): <= 0 or = 0 where the row holds."""
        return np.concatenate([self.file.value(z), self.set.value(self._own(z))])

    def jacobian(self, z: np.ndarray) -> csr_array:
        """(count, n + m)."""
        own = shifted(self.set.jacobian(self._own(z)), self.start, self.inputs)
        return csr_array(vstack([self.file.jacobian(z), own]))

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        """sum_k w_k Hessian of row k, (n + m, n + m)."""
        total = self.file.hessian(z, weights[: self.file.count])
        if self.set.affine:
            return csr_array(total)
        own = self.set.hessian(self._own(z), weights[self.file.count :])
        return csr_array(total + shifted(own, self.start, self.inputs, rows=self.inputs))

    @property
    def affine(self) -> bool:
        """Every row is affine, by proof."""
        return self.file.affine and self.set.affine


def _set_rows(simple, n: int) -> Rows:
    function, lower, upper = simple.rows(n)
    names = tuple(f"set[{i}]" for i in range(function.outputs))
    return Rows.of(Constraints(function, lower, upper, names), n)


@dataclass(frozen=True, eq=False)
class RowsAt:
    """A level's rows at one point."""

    rows: LevelRows
    value: np.ndarray
    jacobian: csr_array

    @classmethod
    def of(cls, rows: LevelRows, z: np.ndarray) -> RowsAt:
        return cls(rows, rows.value(z), rows.jacobian(z))

    @property
    def inequality(self) -> np.ndarray:
        return self.rows.inequality

    @cached_property
    def scale(self) -> np.ndarray:
        """||grad r_k|| + |bound_k|, (count,)."""
        return np.maximum(row_norms(self.jacobian) + self.rows.bound, TINY)

    @cached_property
    def scaled(self) -> np.ndarray:
        """value / scale, (count,)."""
        return self.value / self.scale

    @property
    def violation(self) -> float:
        """max over rows of the scaled violation; NaN where a row is."""
        broken = np.where(self.inequality, np.maximum(self.scaled, 0.0), np.abs(self.scaled))
        return float(broken.max(initial=0.0))

    def active(self, width: float) -> np.ndarray:
        """Equalities, and inequalities within `width` of their bound (scaled)."""
        return ~self.inequality | (self.scaled >= -width)


@dataclass(frozen=True, eq=False)
class Local:
    """Values and derivatives at one point z = (x, y), each evaluated once."""

    problem: Bilevel
    z: np.ndarray
    width: float  # how near its bound a row counts as active

    @cached_property
    def upper(self) -> RowsAt:
        return RowsAt.of(LevelRows.upper(self.problem), self.z)

    @cached_property
    def lower(self) -> RowsAt:
        return RowsAt.of(LevelRows.lower(self.problem), self.z)

    @cached_property
    def upper_value(self) -> float:
        return self.problem.upper(self.z)

    @cached_property
    def lower_value(self) -> float:
        return self.problem.lower(self.z)

    @cached_property
    def upper_gradient(self) -> np.ndarray:
        return self.problem.upper_gradient(self.z)

    @cached_property
    def lower_gradient(self) -> np.ndarray:
        return self.problem.lower_gradient(self.z)

    @cached_property
    def upper_hessian(self) -> csr_array:
        return csr_array(self.problem.upper_hessian(self.z))

    @cached_property
    def lower_hessian(self) -> csr_array:
        return csr_array(self.problem.lower_hessian(self.z))

    def lagrangian_hessian(self, multiplier: np.ndarray) -> csr_array:
        """Hessian in z of f + multiplier' (g, h), the lower Lagrangian."""
        return csr_array(self.lower_hessian + self.lower.rows.hessian(self.z, multiplier))

    @cached_property
    def by_products(self) -> bool:
        """Whether Hessians are seen by their products alone, see `by_products.py`."""
        problem = self.problem
        if len(self.z) <= LARGE or "unconstrained-lower" not in problem.provides:
            return False
        dense = any(hasattr(f, "products_only") for f in (problem.upper_function, problem.lower_function))
        return dense and csr_array(self.upper.jacobian[:, problem.n :]).nnz == 0

    @cached_property
    def upper_scale(self) -> float:
        """S of F, see the module."""
        if self.by_products:
            size = _norm(lambda v: self.problem.upper_hvp(self.z, v), len(self.z))
        else:
            size = largest(self.upper_hessian)
        return _scale(self.upper_gradient, size, self.z)

    @cached_property
    def lower_scale(self) -> float:
        """S of f: gradient in y, Hessian rows of y."""
        n = self.problem.n
        if self.by_products:
            size = _norm(lambda v: self.problem.lower_hvp(self.z, v), len(self.z), n)
        else:
            size = largest(csr_array(self.lower_hessian[n:]))
        return _scale(self.lower_gradient[n:], size, self.z)

    @cached_property
    def active_lower(self) -> np.ndarray:
        """Indices of the active lower rows."""
        return np.flatnonzero(self.lower.active(self.width))

    @cached_property
    def active_upper(self) -> np.ndarray:
        """Indices of the active upper rows."""
        return np.flatnonzero(self.upper.active(self.width))


def _scale(gradient: np.ndarray, curvature: float, z: np.ndarray) -> float:
    size = curvature * (1 + float(np.abs(z).max(initial=0.0)))
    return max(float(np.abs(gradient).max(initial=0.0)) + min(1.0, size), TINY)


def _norm(product: Callable[[np.ndarray], np.ndarray], length: int, first: int = 0) -> float:
    """About ||Hessian||_2 on the entries from `first` on, by power iterations: never above it."""
    v = np.random.default_rng(0).normal(size=length)
    size = 0.0
    for _ in range(POWER):
        v[:first] = 0.0
        v = v / max(float(np.linalg.norm(v)), TINY)
        v = np.array(product(v), dtype=float)
        size = float(np.linalg.norm(v[first:]))
        if not 0 < size < np.inf:
            break
    return size
