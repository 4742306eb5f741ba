"""A nonlinear problem as the tools see it: each oracle asked once a point, and how far an iterate is from an answer.

Everything of the problem is reached through its oracles, so it is counted. What a tool asks again at its latest points
is remembered, so the counts are those of an implementation that evaluates each function once a point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from solverkit.kinds.base import Point
from solverkit.kinds.nonlinear.problem import BOUND_MULTIPLIERS, MULTIPLIERS, Matrix, Nonlinear
from solverkit_baselines.once import Once
from solverkit_baselines.patterns import Pattern, Triplets

SMALL = 50  # variables and rows together up to which dense matrices are the cheaper ones


class Program:
    """f, c and their derivatives at v = x: a `solverkit_baselines.ipopt.Program`."""

    def __init__(self, problem: Nonlinear) -> None:
        self.problem = problem
        self.size, self.rows = problem.n, problem.m
        self.small = problem.n + problem.m <= SMALL
        self._odd: set[str] = set()  # oracles whose latest value was not finite
        self._once: Once[Nonlinear] = Once(problem)

    def _ask(self, oracle: str, *arguments: np.ndarray | np.floating) -> Any:
        value = self._once(oracle, *arguments)
        finite = bool(np.isfinite(value.data if issparse(value) else value).all())
        (self._odd.discard if finite else self._odd.add)(oracle)
        return value

    @property
    def invalid(self) -> bool:
        """Whether the latest value of one of the oracles was not finite."""
        return bool(self._odd)

    def value(self, x: np.ndarray) -> float:
        """f(x)."""
        return float(self._ask("value", x))

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """grad f, (n,)."""
        return self._ask("gradient", x)

    def constraints(self, x: np.ndarray) -> np.ndarray:
        """c(x), (m,); no call where there are none."""
        return self._ask("constraints", x) if self.rows else np.zeros(0)

    def slope(self, x: np.ndarray) -> Matrix:
        """J(x), (m, n), sparse or dense; no call where there are no rows."""
        if not self.rows:
            return np.zeros((0, self.size))
        return self._ask("dense_jacobian" if self.small else "jacobian", x)

    def curvature(self, x: np.ndarray, multipliers: np.ndarray, weight: float) -> Matrix:
        """weight Hess f + sum of multipliers_i Hess c_i, (n, n), sparse or dense."""
        return self._ask("dense_hessian" if self.small else "hessian", x, multipliers, np.float64(weight))

    def jacobian(self, x: np.ndarray) -> Triplets:
        """The entries of J(x)."""
        return _entries(self.slope(x))

    def hessian(self, x: np.ndarray, weight: float, multipliers: np.ndarray) -> Triplets:
        """The entries of the Lagrangian's Hessian."""
        return _entries(self.curvature(x, multipliers, weight))

    def patterns(self, x: np.ndarray, exact: bool) -> dict[str, Pattern]:
        """Where `jacobian` and, if `exact`, the upper triangle of `hessian` have entries, at any point.

        Of the functions, not of their oracles: sparsity belongs to the statement of a problem and is not counted. A
        sum of two sparse Hessians leaves out what is zero at one point, so the parts are asked one by one.
        """
        f, c = self.problem.objective_function, self.problem.constraint_function
        jacobian = _full((self.rows, self.size)) if self.small or c is None else _entries(c.jacobian(x))
        if not exact:
            return {"jacobian": Pattern.of([jacobian])}
        parts = [_full((self.size, self.size)) if self.small else _entries(f.hessian(x, np.ones(1)))]
        if not self.small and c is not None:
            parts.append(_entries(c.hessian(x, np.ones(self.rows))))
        return {"jacobian": Pattern.of([jacobian]), "hessian": Pattern.of([part.triangle for part in parts])}

    def violation(self, x: np.ndarray) -> float:
        """The largest amount by which a row or a bound is broken."""
        problem, c = self.problem, self.constraints(x)
        return max(_outside(c, problem.lower, problem.upper), _outside(x, problem.lowest, problem.highest))

    def stationarity(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> float:
        """||grad f + J'y + z||_inf."""
        residual = self.gradient(x) + z
        if self.rows:
            residual = residual + self.slope(x).T @ y
        return float(np.abs(residual).max(initial=0.0))

    def point(self, x: np.ndarray, y: np.ndarray | None = None, z: np.ndarray | None = None) -> Point:
        """Named blocks, with the multipliers that the tool gives."""
        point = self.problem.blocks(x)
        if y is not None:
            point[MULTIPLIERS] = np.array(y, dtype=float)
        if z is not None:
            point[BOUND_MULTIPLIERS] = np.array(z, dtype=float)
        return point


def _entries(matrix: Matrix) -> Triplets:
    if issparse(matrix):
        return Triplets.of(csr_array(matrix))
    full = _full(matrix.shape)
    return Triplets(full.shape, full.row, full.column, np.asarray(matrix, dtype=float).ravel())


def _full(shape: tuple[int, int]) -> Triplets:
    """Every position of a matrix, rows first."""
    row, column = np.divmod(np.arange(shape[0] * shape[1]), max(shape[1], 1))
    return Triplets(shape, row, column, np.zeros(len(row)))


def _outside(value: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    return float(np.maximum(lower - value, value - upper).max(initial=0.0))
