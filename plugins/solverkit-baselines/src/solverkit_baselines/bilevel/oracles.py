"""A bilevel problem as both peers see it: rows of a level with its simple set folded in, one oracle call a point.

    value(z) <= 0 where `inequality`,   value(z) = 0 elsewhere

File rows come first, then those of the set. Everything of the problem is reached through its oracles, so it is counted;
a simple set is no oracle and costs nothing.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, vstack

from solverkit.kinds.base import Constraints
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.kinds.rows import Rows
from solverkit.operators.quadratic import Linear, shifted
from solverkit.operators.sets import SimpleSet
from solverkit_baselines.once import Once
from solverkit_baselines.patterns import Triplets


class Level:
    """All rows of one level over z = (x, y)."""

    def __init__(self, name: str, once: Once[Bilevel], file: Rows, simple: Rows, start: int) -> None:
        self._name, self._once = name, once
        self._file, self._set, self._start = file, simple, start
        self.inequality = np.concatenate([np.arange(rows.count) < rows.inequalities for rows in (file, simple)])
        self.affine = file.affine and simple.affine
        self._constant: csr_array | None = None  # the Jacobian of an affine set

    @classmethod
    def upper(cls, once: Once[Bilevel], simple: Rows) -> Level:
        """G, H and what `simple` asks of x."""
        return cls("upper_rows", once, once.problem.upper_constraints, simple, 0)

    @classmethod
    def lower(cls, once: Once[Bilevel], simple: Rows | None = None) -> Level:
        """g, h and Y, or of Y what `simple` asks of y."""
        problem = once.problem
        if simple is None:
            simple = set_rows(problem.lower_set, problem.m)
        return cls("lower_rows", once, problem.lower_constraints, simple, problem.n)

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.inequality)

    def _own(self, z: np.ndarray) -> np.ndarray:
        return z[self._start : self._start + self._set.inputs]

    def value(self, z: np.ndarray) -> np.ndarray:
        """(count,)."""
        file = self._once(self._name, z) if self._file.count else np.zeros(0)
        return np.concatenate([file, self._set.value(self._own(z))])

    def jacobian(self, z: np.ndarray) -> csr_array:
        """(count, n + m)."""
        parts = []
        if self._file.count:
            parts.append(self._once(f"{self._name}_jacobian", z))
        if self._set.count or not parts:
            parts.append(self._set_jacobian(z))
        return parts[0] if len(parts) == 1 else csr_array(vstack(parts))

    def _set_jacobian(self, z: np.ndarray) -> csr_array:
        if self._constant is not None:
            return self._constant
        jacobian = shifted(self._set.jacobian(self._own(z)), self._start, len(z))
        if self._set.affine:
            self._constant = jacobian
        return jacobian

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> Triplets:
        """sum_k w_k Hessian of row k, (n + m, n + m)."""
        k, blocks = self._file.count, []
        if not self._file.affine:
            blocks.append((0, 0, Triplets.of(self._once(f"{self._name}_hessian", z, weights[:k]))))
        if not self._set.affine:
            own = Triplets.of(self._set.hessian(self._own(z), weights[k:]))
            blocks.append((self._start, self._start, own))
        return Triplets.assemble((len(z), len(z)), blocks)

    def violation(self, z: np.ndarray) -> float:
        """The largest broken row."""
        value = self.value(z)
        return float(np.where(self.inequality, np.maximum(value, 0.0), np.abs(value)).max(initial=0.0))


def set_rows(simple: SimpleSet, n: int) -> Rows:
    """The rows of a set over its own n variables, curved ones too."""
    function, lower, upper = simple.rows(n)
    return Rows.of(Constraints(function, lower, upper, ("",) * function.outputs), n)


def bounds_and_rows(simple: SimpleSet, n: int) -> tuple[np.ndarray, np.ndarray, Rows]:
    """A set as bounds on its variables and the rows that are none: (lowest, highest, rows)."""
    lowest, highest = np.full(n, -np.inf), np.full(n, np.inf)
    description = simple.affine(n)
    if description is None:
        return lowest, highest, set_rows(simple, n)
    matrix, lower, upper = description
    matrix = csr_array(matrix, copy=True)
    matrix.eliminate_zeros()
    single = np.diff(matrix.indptr) == 1
    for k in np.flatnonzero(single):
        column, factor = matrix.indices[matrix.indptr[k]], matrix.data[matrix.indptr[k]]
        ends = sorted((lower[k] / factor, upper[k] / factor))
        lowest[column], highest[column] = max(lowest[column], ends[0]), min(highest[column], ends[1])
    rest = np.flatnonzero(~single)
    constraints = Constraints(Linear(csr_array(matrix[rest])), lower[rest], upper[rest], ("",) * len(rest))
    return lowest, highest, Rows.of(constraints, n)
