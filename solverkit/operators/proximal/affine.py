"""Projections onto sets given by linear rows, where they have a closed form or one factorization serves all.

| map | set | projection |
|---|---|---|
| Affine | A v = b | v - Q'Q v + v0, Q an orthonormal basis of the row space, v0 the point nearest to 0 |
| Halfspace | lower <= a'v <= upper | along a, to the nearer side |

For more than DENSE_ENTRIES entries `Affine` keeps a sparse factorization instead (`operators.polyhedra`), on the host.
Polyhedra in general have no closed form: `of_set(sets.Polyhedron(...))`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from solverkit.operators.polyhedra import AffineProjector
from solverkit.operators.proximal.arrays import Constant, epsilon, floating, length, namespace, slack, where_broken
from solverkit.operators.proximal.base import Projection
from solverkit.operators.proximal.host import by_rows, projected
from solverkit.operators.qp import row_norms
from solverkit.operators.quadratic import array_digest, matrix_digest

DENSE_ENTRIES = 4_000_000
RANK = 1e-11  # singular values below this fraction of the largest are zero
CONSISTENT = 1e-8  # what the best v may leave of a row, relative to its size


class Affine(Projection):
    """{ v : A v = b }; A (rows, n) dense or sparse, of any rank, b (rows,). ValueError where no v has all rows."""

    def __init__(self, A: Any, b: Any) -> None:
        self.A = csr_array(A, dtype=float)
        self.b = np.broadcast_to(np.asarray(b, dtype=float), self.A.shape[0]).copy()
        self._norms = np.where((norms := row_norms(self.A)) > 0, norms, 1.0)
        self._projector: AffineProjector | None = None
        rows, n = self.A.shape
        if rows * n <= DENSE_ENTRIES:
            self._factor()
            nearest = self._nearest.host
        else:
            self._projector = AffineProjector(self.A)
            nearest = self._projector.project(np.zeros(n), self.b)[0]
        left = np.abs(self.A @ nearest - self.b)
        if not np.all(left <= CONSISTENT * (self._norms * (1 + np.abs(nearest).max(initial=0.0)) + np.abs(self.b))):
            raise ValueError(f"A v = b has no solution: the best v leaves {left.max():.3g}")

    def _factor(self) -> None:
        unit = self.A.toarray() / self._norms[:, None]
        left, singular, right = np.linalg.svd(unit, full_matrices=False)
        rank = int(np.sum(singular > RANK * singular.max(initial=0.0)))
        self._basis = Constant(right[:rank])
        self._nearest = Constant(right[:rank].T @ ((left[:, :rank].T @ (self.b / self._norms)) / singular[:rank]))
        self._unit, self._right = Constant(unit.T), Constant(self.b / self._norms)

    def project(self, v: Any) -> Any:
        v = floating(v)
        if self._projector is not None:
            projector = self._projector
            still = np.zeros(len(self.b))
            return projected(
                lambda row: projector.project(row, self.b)[0], lambda _, d: projector.project(d, still)[0], v
            )
        basis = self._basis.like(v)
        point = v - (v @ basis.T) @ basis + self._nearest.like(v)
        # once more: the first pass leaves eps ||v||, which far from the set is more than the set's own rounding
        return point - (point @ basis.T) @ basis + self._nearest.like(v)

    def violation(self, v: Any) -> Any:
        """Largest |a_i'v - b_i| / ||a_i||."""
        xp, v = namespace(v), floating(v)
        if self.A.shape[0] == 0:
            return v.sum(axis=-1) * 0.0
        if self._projector is not None:
            return by_rows(lambda row: np.abs((self.A @ row - self.b) / self._norms).max(keepdims=True), v)[..., 0]
        return xp.amax(xp.abs(v @ self._unit.like(v) - self._right.like(v)), axis=-1)

    def value(self, v: Any) -> Any:
        v = floating(v)
        return where_broken(self.violation(v), slack(v) * v.shape[-1] ** 0.5)

    def conjugate(self, v: Any) -> Any:
        """<v0, v> for v in the row space."""
        v = floating(v)
        nearest = self.project(0.0 * v)
        outside = length(self.project(v) - nearest)[..., 0]
        return where_broken(outside, epsilon(v) ** (2 / 3) * (1 + length(v)[..., 0]), (nearest * v).sum(axis=-1))

    def digest(self) -> str:
        return f"affine {matrix_digest(self.A)} {array_digest(self.b)}"


class Halfspace(Projection):
    """lower <= a'v <= upper, a (n,) not zero; by default upper alone."""

    def __init__(self, a: Any, upper: float, lower: float = -np.inf) -> None:
        a = a.toarray().ravel() if issparse(a) else np.asarray(a, dtype=float)
        norm = float(np.linalg.norm(a))
        if not (norm > 0 and np.isfinite(norm)):
            raise ValueError("a halfspace needs a finite normal that is not zero")
        if not (lower <= upper and lower < np.inf and upper > -np.inf):
            raise ValueError(f"a halfspace needs lower <= upper, not {lower} and {upper}")
        self.normal = Constant(a / norm)
        self.lower, self.upper = float(lower) / norm, float(upper) / norm

    def project(self, v: Any) -> Any:
        v = floating(v)
        normal = self.normal.like(v)
        at = (v * normal).sum(axis=-1, keepdims=True)
        return v + (namespace(v).clip(at, self.lower, self.upper) - at) * normal

    def violation(self, v: Any) -> Any:
        """The distance."""
        xp, v = namespace(v), floating(v)
        at = (v * self.normal.like(v)).sum(axis=-1)
        return xp.clip(xp.maximum(self.lower - at, at - self.upper), 0.0, None)

    def value(self, v: Any) -> Any:
        v = floating(v)
        return where_broken(self.violation(v), slack(v) * v.shape[-1] ** 0.5)

    def conjugate(self, v: Any) -> Any:
        """upper_ t or lower_ t for v = t a, whichever is larger."""
        xp, v = namespace(v), floating(v)
        normal = self.normal.like(v)
        along = (v * normal).sum(axis=-1, keepdims=True)
        outside = length(v - along * normal)[..., 0]
        t = along[..., 0]
        value = t * xp.where(t == 0, 0.0, xp.where(t > 0, self.upper, self.lower))
        return where_broken(outside, epsilon(v) ** (2 / 3) * (1 + length(v)[..., 0]), value)

    def digest(self) -> str:
        return f"halfspace {array_digest(self.normal.host, np.array([self.lower, self.upper]))}"
