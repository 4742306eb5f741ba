"""Sets given by linear rows: the affine subspace, and the general polyhedron.

The affine subspace projects by the system

    [ I  A' ] [v']   [v]
    [ A   0 ] [nu] = [b],

with -delta I in place of the zero block. That keeps the matrix nonsingular where rows of A depend on each other; a few
steps of the proximal method of multipliers (each divides the error by about 1/delta) remove what delta adds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import block_array, csc_array, csr_array, diags_array, eye_array
from scipy.sparse.linalg import SuperLU, splu

from solverkit.operators.polyhedral_projection import PolyhedralProjector
from solverkit.operators.qp import Outcome, row_norms
from solverkit.operators.quadratic import array_digest, matrix_digest
from solverkit.operators.sets import SimpleSet

DELTA = 1e-9


class AffineProjector:
    """Projection onto { v : A v = b } for one A and many (v, b). Rows of A are normalized; it may be rank deficient."""

    def __init__(self, A: csr_array) -> None:
        norms = row_norms(A)
        self.scale = 1 / np.where(norms > 0, norms, 1.0)
        self.A = csr_array(diags_array(self.scale) @ A)
        self.factor: SuperLU | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "factor": None}  # SuperLU's factors cannot be pickled

    def _solve(self, top: np.ndarray, bottom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows, n = self.A.shape
        if self.factor is None:
            matrix = block_array([[eye_array(n), self.A.T], [self.A, -DELTA * eye_array(rows)]])
            self.factor = splu(csc_array(matrix), permc_spec="COLAMD", diag_pivot_thresh=1e-3)
        both = self.factor.solve(np.concatenate([top, bottom]))
        return both[:n], both[n:]

    def project(self, v: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(v', nu): the nearest point, and multipliers with v' + A'nu = v."""
        rows = self.A.shape[0]
        if rows == 0:
            return v.copy(), np.zeros(0)
        b = b * self.scale
        nu, point = np.zeros(rows), v.copy()
        for _ in range(4):
            step, change = self._solve(v - point - self.A.T @ nu, b - self.A @ point)
            point, nu = point + step, nu + change
        return point, nu * self.scale


class Affine(SimpleSet):
    """A v = b, A dense or sparse (rows, n), of any rank. ValueError where no v satisfies it."""

    def __init__(self, A: Any, b: Any) -> None:
        self.A = csr_array(A, dtype=float)
        self.b = np.broadcast_to(np.asarray(b, dtype=float), self.A.shape[:1]).copy()
        self._projector = AffineProjector(self.A)
        norms = np.maximum(row_norms(self.A), 1e-300)
        nearest = self.project(np.zeros(self.A.shape[1]))
        size = norms * (1 + float(np.abs(nearest).max(initial=0.0))) + np.abs(self.b)
        left = np.abs(self.A @ nearest - self.b)
        if not np.all(left <= 1e-8 * size):
            raise ValueError(f"A v = b has no solution: the best v leaves {left.max():.3g}")

    def project(self, v: np.ndarray) -> np.ndarray:
        return self._projector.project(v, self.b)[0]

    def violation(self, v: np.ndarray) -> float:
        return float(np.abs(self.A @ v - self.b).max(initial=0.0))

    def affine(self, n: int) -> tuple[csr_array, np.ndarray, np.ndarray]:
        if n != self.A.shape[1]:
            raise ValueError(f"A has {self.A.shape[1]} columns; vectors here have length {n}")
        return self.A.copy(), self.b.copy(), self.b.copy()

    def digest(self) -> str:
        return f"affine {matrix_digest(self.A)} {array_digest(self.b)}"


class NoProjection(ValueError):
    """A point of a polyhedron was not found; `outcome` says whether there is none."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(f"projection onto a polyhedron: {outcome.value}")


class Polyhedron(SimpleSet):
    """lower <= A v <= upper, A dense or sparse (rows, n); numbers or arrays, infinite where a side is open.

    Each projection starts from the multipliers of the last (`polyhedral_projection`). NoProjection from `project`
    where the set is empty, or the solver fails.
    """

    def __init__(self, A: Any, lower: Any, upper: Any) -> None:
        self.A = csr_array(A, dtype=float)
        rows = self.A.shape[0]
        self.lower = np.broadcast_to(np.asarray(lower, dtype=float), rows).copy()
        self.upper = np.broadcast_to(np.asarray(upper, dtype=float), rows).copy()
        if not np.all(self.lower <= self.upper):
            raise ValueError("a polyhedron needs lower <= upper in every row")
        self._projector = PolyhedralProjector(self.A, self.lower, self.upper)
        self._warm: np.ndarray | None = None

    def project(self, v: np.ndarray) -> np.ndarray:
        found = self._projector.project(v, self._warm)
        if found.outcome not in (Outcome.SOLVED, Outcome.INEXACT):
            raise NoProjection(found.outcome)
        self._warm = found.multiplier
        return found.point

    def along(self, v: np.ndarray, d: np.ndarray) -> np.ndarray:
        """The derivative of the projection at v along d, (n,): d projected onto the linear space of the face."""
        found = self._projector.project(v, self._warm)
        active = np.flatnonzero((found.multiplier != 0) | (self.lower == self.upper))
        if found.steps == 0:
            return d.copy()
        return AffineProjector(csr_array(self.A[active])).project(d, np.zeros(len(active)))[0]

    def violation(self, v: np.ndarray) -> float:
        activity = self.A @ v
        excess = np.maximum(self.lower - activity, activity - self.upper)
        return float(np.max(excess, initial=0.0))

    def affine(self, n: int) -> tuple[csr_array, np.ndarray, np.ndarray]:
        if n != self.A.shape[1]:
            raise ValueError(f"A has {self.A.shape[1]} columns; vectors here have length {n}")
        return self.A.copy(), self.lower.copy(), self.upper.copy()

    def digest(self) -> str:
        return f"polyhedron {matrix_digest(self.A)} {array_digest(self.lower, self.upper)}"
