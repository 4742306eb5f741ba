"""Quadratic programs with a proximal term on the multipliers, by semismooth Newton.

    min_d max_{lo <= lam <= hi}  1/2 d'M d + c'd + lam'(r + A d) - |lam - z|^2 / (2 sigma)

M positive definite (m, m), A (k, m). For given d the best multiplier is lam = clip(z + sigma (r + A d), lo,
hi), so the saddle point minimizes a convex piecewise quadratic. On the rows a whose multiplier is strictly
between its bounds it solves

    [ M    A_a'     ] [ d     ]   [ -c - A_f' lam_f      ]
    [ A_a  -I/sigma ] [ lam_a ] = [ -r_a - z_a / sigma   ]       (f: the rows at a bound)

and semismooth Newton repeats this with the rows that the last solution names: finite, usually one or two
solves from a good guess. Both the inner saddle of the proximal Lagrangian and the projection onto a
polyhedron are of this form.

Cost: small problems factor M once and a Schur complement (a, a) per active set; large ones a sparse LU per
active set. A factorization is kept until the active set changes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import block_array, csc_array, csr_array, diags_array, eye_array
from scipy.sparse.linalg import splu

DENSE_ENTRIES = 4_000_000  # of A, up to which it is kept dense
DENSE_SIZE = 1500  # of M, up to which it is factored dense
PLAIN_STEPS = 5  # full Newton steps before a line search guards against cycling


class NotPositiveDefinite(ValueError):
    """M is not positive definite."""


class ProximalQP:
    """One (M, A, lo, hi, sigma), many (c, r, z)."""

    def __init__(
        self, M: csr_array, A: csr_array, lo: np.ndarray, hi: np.ndarray, sigma: float, rhs: np.ndarray | None = None
    ) -> None:
        self.lo, self.hi, self.sigma = lo, hi, sigma
        self.M, self.rows = csr_array(M), csr_array(A)
        self.k, self.m = self.rows.shape
        self.bounded = bool(np.any(np.isfinite(hi)) or np.any(np.isfinite(lo) & (lo != 0)))
        self._inverse = inverse(self.M)
        self._dense = self.k * self.m <= DENSE_ENTRIES
        self.A = (self.rows.toarray() if rhs is None else rhs) if self._dense else self.rows
        self.AT = np.ascontiguousarray(self.A.T) if self._dense else csr_array(self.rows.T)
        if self._dense:
            self._response = self._inverse(self.A.T) if self.k else np.zeros((self.m, 0))  # M^-1 A'
            self._schur = self.A @ self._response
        self._key: bytes | None = None

    def solve(
        self, c: np.ndarray, r: np.ndarray, z: np.ndarray, active: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """(d, lam). `active` (k,) bool guesses the rows strictly between their bounds."""
        if self.k == 0:
            return -self._inverse(c), np.zeros(0)
        d, moved, value = np.zeros(self.m), np.zeros(self.k), np.inf
        s = z + self.sigma * r
        if active is None:
            active = (s > self.lo) & (s < self.hi)
        for iteration in range(100):
            fixed = np.where(active, 0.0, np.clip(s, self.lo, self.hi)) if self.bounded else None
            push = c if fixed is None else c + self.AT @ fixed
            trial = self._linear(push, r, z, active)
            moved_trial = self.A @ trial
            s = z + self.sigma * (r + moved_trial)
            named = (s > self.lo) & (s < self.hi)
            lam = np.clip(s, self.lo, self.hi)
            settled = np.array_equal(named, active)
            if settled and (fixed is None or np.array_equal(np.where(named, 0.0, lam), fixed)):
                return trial, lam
            if iteration < PLAIN_STEPS:
                d, moved, active = trial, moved_trial, named
                continue
            d, moved, value, stuck = self._guard(c, r, z, d, moved, trial, moved_trial, value)
            s = z + self.sigma * (r + moved)
            active = (s > self.lo) & (s < self.hi)
            if stuck:
                break
        return d, np.clip(s, self.lo, self.hi)

    def value(self, c: np.ndarray, r: np.ndarray, z: np.ndarray, d: np.ndarray, moved: np.ndarray) -> float:
        """The piecewise quadratic at d, with moved = A d."""
        lam = np.clip(z + self.sigma * (r + moved), self.lo, self.hi)
        away = lam - z
        return float(0.5 * (d @ (self.M @ d)) + c @ d + lam @ (r + moved) - (away @ away) / (2 * self.sigma))

    def _guard(self, c, r, z, d, moved, trial, moved_trial, value):
        """A step towards `trial` that does not increase the value; and whether none was found."""
        if value == np.inf:
            value = self.value(c, r, z, d, moved)
        step = 1.0
        while step > 1e-10:
            near, near_moved = d + step * (trial - d), moved + step * (moved_trial - moved)
            found = self.value(c, r, z, near, near_moved)
            if found < value:
                return near, near_moved, found, False
            step *= 0.5
        return d, moved, value, True

    def _linear(self, c: np.ndarray, r: np.ndarray, z: np.ndarray, active: np.ndarray) -> np.ndarray:
        """d of the linear system for one active set."""
        self._factor(active)
        index = self._index
        if not self._dense:
            bottom = -r[index] - z[index] / self.sigma
            return self._lu.solve(np.concatenate([-c, bottom]))[: self.m]
        free = -self._inverse(c)
        if not len(index):
            return free
        lam, _ = lapack.dpotrs(self._cholesky, (r + self.A @ free + z / self.sigma)[index], lower=1)
        return free - self._columns @ lam

    def _factor(self, active: np.ndarray) -> None:
        key = active.tobytes()
        if key == self._key:
            return
        self._key = key
        self._index = index = np.flatnonzero(active)
        if not self._dense:
            rows = self.rows[index]
            corner = -eye_array(len(index)) / self.sigma
            system = csc_array(block_array([[self.M, rows.T], [rows, corner]]))
            self._lu = splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0)
            return
        self._columns = np.asfortranarray(self._response[:, index])
        schur = np.asfortranarray(self._schur[np.ix_(index, index)])
        schur[np.diag_indices(len(index))] += 1 / self.sigma
        if len(index):
            self._cholesky, info = lapack.dpotrf(schur, lower=1, overwrite_a=1)
            if info:
                raise NotPositiveDefinite("the Schur complement lost its definiteness to rounding")


def inverse(M: csr_array) -> Callable[[np.ndarray], np.ndarray]:
    """v -> M^-1 v for vectors and matrices, M symmetric; NotPositiveDefinite where a factorization shows it."""
    diagonal = M.diagonal()
    if M.shape[0] == 0 or abs(M - diags_array(diagonal)).max() == 0:
        if np.any(diagonal <= 0):
            raise NotPositiveDefinite("a diagonal entry is not positive")
        return lambda v: v / (diagonal if v.ndim == 1 else diagonal[:, None])
    if M.shape[0] <= DENSE_SIZE:
        factor, info = lapack.dpotrf(np.asfortranarray(M.toarray()), lower=1, overwrite_a=1)
        if info:
            raise NotPositiveDefinite("the Cholesky factorization broke down")
        return lambda v: lapack.dpotrs(factor, v, lower=1)[0]
    lu = splu(csc_array(M), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    if np.any(lu.U.diagonal() <= 0):
        raise NotPositiveDefinite("a pivot is not positive")
    return lambda v: lu.solve(np.ascontiguousarray(v))
