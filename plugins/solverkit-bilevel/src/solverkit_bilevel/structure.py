"""The constant part of a problem, read once by counted oracles: Jacobians of affine rows, the Hessian of a quadratic f.

It is part of the state, so that a resumed run neither asks for it again nor reads the functions behind the oracles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.rows import AffineRows


@dataclass
class Matrix:
    """A sparse matrix as arrays."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    shape: list[int]

    @classmethod
    def of(cls, matrix: csr_array) -> Matrix:
        """From SciPy."""
        matrix = csr_array(matrix, dtype=float)
        return cls(matrix.data, matrix.indices, matrix.indptr, list(matrix.shape))

    def csr(self) -> csr_array:
        """To SciPy."""
        return csr_array((self.data, self.indices, self.indptr), shape=tuple(self.shape))


@dataclass
class Structure:
    """Rows A w - b of both levels, and the Hessian of f where it is constant."""

    lower: Matrix  # Jacobian of (g, h)
    lower_bound: np.ndarray
    upper: Matrix  # Jacobian of (G, H)
    upper_bound: np.ndarray
    hessian: Matrix | None

    @classmethod
    def of(cls, problem: Bilevel) -> Structure:
        """Read it at the start of the file; anywhere else gives the same."""
        at = np.concatenate([block.start.ravel() for block in (*problem.upper_blocks, *problem.lower_blocks)])
        lower, upper = csr_array((0, len(at))), csr_array((0, len(at)))
        lower_bound = upper_bound = np.zeros(0)
        if problem.lower_constraints.count:
            lower = csr_array(problem.lower_rows_jacobian(at), dtype=float)
            lower_bound = lower @ at - problem.lower_rows(at)
        if problem.upper_constraints.count:
            upper = csr_array(problem.upper_rows_jacobian(at), dtype=float)
            upper_bound = upper @ at - problem.upper_rows(at)
        quadratic = "quadratic-lower" in problem.provides
        hessian = Matrix.of(problem.lower_hessian(at)) if quadratic else None
        return cls(Matrix.of(lower), lower_bound, Matrix.of(upper), upper_bound, hessian)

    def lower_rows(self, problem: Bilevel) -> AffineRows:
        """(g, h)."""
        return AffineRows(self.lower.csr(), self.lower_bound, problem.lower_constraints.inequalities)

    def upper_rows(self, problem: Bilevel) -> AffineRows:
        """(G, H)."""
        return AffineRows(self.upper.csr(), self.upper_bound, problem.upper_constraints.inequalities)
