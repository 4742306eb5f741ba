"""Sets given by linear rows: the affine subspace, and the general polyhedron.

Both project onto { v : A v = b } (for a polyhedron: onto a face of it) by the system

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

from solverkit.operators.qp import INFINITE, row_norms, solve_qp
from solverkit.operators.quadratic import array_digest, matrix_digest
from solverkit.operators.sets import SimpleSet

DELTA = 1e-9
ROUNDING = 1e-13  # a point this near the set, relative to 1 + ||v||, is in it
ACCURACY = 1e-10  # of a polyhedron's projection, relative to 1 + ||v||


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


class Polyhedron(SimpleSet):
    """lower <= A v <= upper, A dense or sparse (rows, n); numbers or arrays, infinite where a side is open.

    Warm start: the face of the last projection is tried first, and accepted where its point is feasible and its
    multipliers have the right signs (then it *is* the projection). Otherwise a quadratic program finds the face, and
    the projection onto that face removes the interior-point solver's error. ValueError from `project` where the set is
    empty.
    """

    def __init__(self, A: Any, lower: Any, upper: Any) -> None:
        self.A = csr_array(A, dtype=float)
        rows = self.A.shape[0]
        self.lower = np.broadcast_to(np.asarray(lower, dtype=float), rows).copy()
        self.upper = np.broadcast_to(np.asarray(upper, dtype=float), rows).copy()
        if not np.all(self.lower <= self.upper):
            raise ValueError("a polyhedron needs lower <= upper in every row")
        self._norms = np.where((norms := row_norms(self.A)) > 0, norms, 1.0)
        equal = self.lower == self.upper
        self._face = self._on(np.flatnonzero(equal), self.upper[equal])

    def _on(self, index: np.ndarray, bound: np.ndarray) -> tuple[np.ndarray, np.ndarray, AffineProjector]:
        return index, bound, AffineProjector(csr_array(self.A[index]))

    def _try(self, face: tuple[np.ndarray, np.ndarray, AffineProjector], v: np.ndarray) -> np.ndarray | None:
        """The projection onto the face where it is the projection onto the set, else None."""
        index, bound, projector = face
        point, nu = projector.project(v, bound)
        size = ACCURACY * (1 + float(np.abs(v).max(initial=0.0)))
        excess = np.maximum(self.lower - self.A @ point, self.A @ point - self.upper) / self._norms
        if not np.all(excess <= size):
            return None
        push = nu * self._norms[index]  # >= 0 at the upper bound, <= 0 at the lower, free for an equality
        wrong = np.where(bound == self.upper[index], -push, push)
        wrong[self.lower[index] == self.upper[index]] = 0.0
        return point if np.all(wrong <= size) else None

    def project(self, v: np.ndarray) -> np.ndarray:
        n, at = len(v), self.A @ v
        outside = float((np.maximum(self.lower - at, at - self.upper) / self._norms).max(initial=0.0))
        if outside <= ROUNDING * (1 + float(np.abs(v).max(initial=0.0))):
            return v.copy()
        point = self._try(self._face, v)
        if point is not None:
            return point
        # around v itself and in units of the distance, so that a far v costs no accuracy
        low, high = (self.lower - at) / outside, (self.upper - at) / outside
        found = solve_qp(csr_array(eye_array(n)), np.zeros(n), self.A, low, high, tol=1e-12)
        if not found.ok:
            raise ValueError(f"projection onto a polyhedron: {found.outcome.value}")
        move = outside * found.v
        activity, push = (at + self.A @ move) / self._norms, outside * found.multiplier * self._norms
        near_upper = (np.abs(self.upper) < INFINITE) & (push > self.upper / self._norms - activity)
        near_lower = (np.abs(self.lower) < INFINITE) & (-push > activity - self.lower / self._norms)
        near_upper |= self.lower == self.upper
        index = np.flatnonzero(near_upper | near_lower)
        face = self._on(index, np.where(near_upper, self.upper, self.lower)[index])
        point = self._try(face, v)
        if point is None:
            return v + move
        self._face = face
        return point

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
