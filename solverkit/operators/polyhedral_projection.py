"""The projection onto a polyhedron for many points, each from the multipliers of the last.

    minimize 1/2 ||w - u||^2      subject to  lower <= A w <= upper,     rows of A of length one

Proximal method of multipliers with parameter sigma (Rockafellar 1976), each step by semismooth Newton (Li, Sun, Toh
2018):

    y(w) = s - clip(s, sigma lower, sigma upper),   s = z + sigma A w
    min_w 1/2 ||w - u||^2 + ||y(w)||^2 / (2 sigma)
    (A_a A_a' + I / sigma) y_a = A_a u - b_a + z_a / sigma,    w = u - A_a'y_a

with a the rows where y is not 0 and b_a their bounds. A step divides the error by about sigma times the least
eigenvalue of A_a A_a'; rows that depend on each other only leave y undetermined. From good multipliers a few Newton
steps are enough.

| rows in a | linear system |
|---|---|
| up to DENSE (or FEW) | Cholesky of the Gram matrix |
| more, and the rows of A in a chain or a thin mesh | sparse LU of the Gram matrix |
| more | conjugate gradients, matrix-free; where they need over CG_STEPS steps, sparse LU |

A mesh is thin where reverse Cuthill-McKee finds a bandwidth whose elimination costs at most BAND operations.

The choice depends on the arguments alone, so a run that is resumed repeats every bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import csc_array, csr_array, csr_matrix, diags_array, eye_array
from scipy.sparse.csgraph import reverse_cuthill_mckee
from scipy.sparse.linalg import splu

from solverkit.operators.qp import Outcome, row_norms, solve_qp

SIGMA = 1e6
ROUNDS = 40
NEWTON_STEPS = 100
FULL_STEPS = 3  # before a step must lower the value
ACCURACY = 1e-13  # of a row, relative to 1 + max |u|
DENSE = 500
FEW = 100
BAND = 1e8
CG_STEPS = 250
CG_ACCURACY = 1e-14


@dataclass(frozen=True)
class Projected:
    """The nearest point found, and the multipliers that a next projection starts from."""

    point: np.ndarray  # (n,)
    multiplier: np.ndarray  # (rows,) of the normalized rows: positive where `upper` holds, negative where `lower` does
    violation: float  # what is left of a normalized row
    steps: int  # linear systems solved
    outcome: Outcome  # INFEASIBLE where the polyhedron is empty


class PolyhedralProjector:
    """{ w : lower <= A w <= upper }, set up once. A sparse (rows, n); infinite bounds where a side is open."""

    def __init__(self, A: csr_array, lower: np.ndarray, upper: np.ndarray) -> None:
        norms = row_norms(A)
        self.scale = 1 / np.where(norms > 0, norms, 1.0)
        self.A = csr_array(diags_array(self.scale) @ A)
        self.transposed = csr_array(self.A.T)
        self.lower, self.upper = lower * self.scale, upper * self.scale
        self._key: tuple[bytes, str] | None = None

    @property
    def rows(self) -> int:
        """How many multipliers there are."""
        return self.A.shape[0]

    def project(self, u: np.ndarray, warm: np.ndarray | None = None) -> Projected:
        """The projection of u (n,), from multipliers (rows,).

        Where the iteration does not settle an interior-point solver finds multipliers to start from, or says that there
        is no point at all.
        """
        found = self._multipliers(u, np.zeros(self.rows) if warm is None else warm)
        if found.outcome is Outcome.SOLVED or not np.isfinite(u).all():
            return found
        at = self.A @ u
        # around u, in units of its distance, so that a far u costs no accuracy
        away = max(float(np.maximum(self.lower - at, at - self.upper).max(initial=0.0)), 1e-300)
        eye = csr_array(eye_array(len(u)))
        inner = solve_qp(eye, np.zeros(len(u)), self.A, (self.lower - at) / away, (self.upper - at) / away, tol=1e-12)
        if not inner.ok:
            return replace(found, outcome=inner.outcome)
        again = self._multipliers(u, away * inner.multiplier)
        if again.outcome is Outcome.SOLVED:
            return again
        point = u + away * inner.v
        return Projected(point, away * inner.multiplier, self._left(point), found.steps, Outcome.INEXACT)

    def _left(self, w: np.ndarray) -> float:
        image = self.A @ w
        return float(np.maximum(np.maximum(self.lower - image, image - self.upper), 0.0).max(initial=0.0))

    def _multipliers(self, u: np.ndarray, z: np.ndarray) -> Projected:
        """The method of multipliers from z."""
        at = self.A @ u
        if np.all((self.lower <= at) & (at <= self.upper)) or not np.isfinite(at).all():
            return Projected(u.copy(), np.zeros(self.rows), self._left(u), 0, Outcome.SOLVED)
        size, w, steps = ACCURACY * (1 + float(np.abs(u).max(initial=0.0))), u, 0
        side = self._side(z if np.any(z) else self._multiplier(z, at))
        for _ in range(ROUNDS):
            w, y, side, used = self._newton(u, at, z, w, side)
            steps += used
            moved, z = float(np.abs(y - z).max(initial=0.0)) / SIGMA, y
            if not moved > size:
                break
        left = self._left(w)
        outcome = Outcome.SOLVED if moved <= size and left <= 10 * size else Outcome.FAILED
        return Projected(w, z, left, steps, outcome)

    def _multiplier(self, z: np.ndarray, image: np.ndarray) -> np.ndarray:
        s = z / SIGMA + image
        return SIGMA * (s - np.clip(s, self.lower, self.upper))

    def _side(self, y: np.ndarray) -> np.ndarray:
        """+1 where a row holds at `upper`, -1 at `lower`, 0 where it does not; +1 for an equality."""
        side = np.sign(y)
        side[self.lower == self.upper] = 1.0
        return side

    def _newton(
        self, u: np.ndarray, at: np.ndarray, z: np.ndarray, w: np.ndarray, side: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        """The minimizer for one z, its multipliers and their sides, and the linear systems that it took."""
        image, y, value = self.A @ w, z, np.inf
        for step in range(1, NEWTON_STEPS + 1):
            active = np.flatnonzero(side)
            bound = np.where(side > 0, self.upper, self.lower)[active]
            lam = self._solve(active, at[active] - bound + z[active] / SIGMA, z[active])
            trial = u - self.transposed[:, active] @ lam if len(active) else u.copy()
            moved = self.A @ trial
            found = self._multiplier(z, moved)
            named = self._side(found)
            if np.array_equal(named, side):
                # the system's own solution: `found` has lost sigma times the rounding of A w
                y = np.zeros(self.rows)
                y[active] = lam
                return trial, y, side, step
            new = self._value(u, trial, found)
            if step > FULL_STEPS and not new < value:
                w, image, y, new, stuck = self._shortened(u, z, (w, image, y), (trial, moved), value)
                if stuck:
                    return w, y, self._side(y), step
            else:
                w, image, y = trial, moved, found
            side, value = self._side(y), new
        return w, y, side, NEWTON_STEPS

    def _value(self, u: np.ndarray, w: np.ndarray, y: np.ndarray) -> float:
        away = w - u
        return float(0.5 * (away @ away) + (y @ y) / (2 * SIGMA))

    def _shortened(self, u, z, here, there, value):
        """The first of half, a quarter, ... of the step that lowers the value; whether there is none."""
        (w, image, y), (trial, moved) = here, there
        length = 0.5
        while length > 1e-8:
            near, near_image = w + length * (trial - w), image + length * (moved - image)
            found = self._multiplier(z, near_image)
            new = self._value(u, near, found)
            if new < value:
                return near, near_image, found, new, False
            length *= 0.5
        return w, image, y, value, True

    def _solve(self, active: np.ndarray, right: np.ndarray, guess: np.ndarray) -> np.ndarray:
        """lam of (A_a A_a' + I / sigma) lam = right."""
        if len(active) == 0:
            return np.zeros(0)
        if len(active) <= (FEW if self.thin else DENSE):
            return self._cholesky(active, right)
        if self.thin:
            return self._sparse(active, right)
        found, converged = self._gradients(active, right, guess)
        return found if converged else self._sparse(active, right)

    @cached_property
    def gram(self) -> csr_array:
        """A A'."""
        return csr_array(self.A @ self.transposed)

    @cached_property
    def thin(self) -> bool:
        """Whether the Gram matrix is nearly a band, in some order of the rows."""
        if self.rows <= FEW:
            return False
        place = np.argsort(reverse_cuthill_mckee(csr_matrix(self.gram), symmetric_mode=True))
        coo = self.gram.tocoo()
        band = np.zeros(self.rows)
        np.maximum.at(band, place[coo.row], place[coo.row] - place[coo.col])
        return float((band**2).sum()) <= BAND

    def _block(self, active: np.ndarray) -> csr_array:
        return csr_array(self.gram[active][:, active])

    def _cholesky(self, active: np.ndarray, right: np.ndarray) -> np.ndarray:
        key = (active.tobytes(), "dense")
        if key != self._key:
            gram = np.asfortranarray(self._block(active).toarray())
            gram[np.diag_indices(len(active))] += 1 / SIGMA
            self._factor, _ = lapack.dpotrf(gram, lower=1, overwrite_a=1)
            self._key = key
        return lapack.dpotrs(self._factor, right, lower=1)[0]

    def _sparse(self, active: np.ndarray, right: np.ndarray) -> np.ndarray:
        key = (active.tobytes(), "sparse")
        if key != self._key:
            matrix = csc_array(self._block(active) + eye_array(len(active)) / SIGMA)
            self._factor = splu(
                matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
            )
            self._key = key
        return self._factor.solve(right)

    def _gradients(self, active: np.ndarray, right: np.ndarray, guess: np.ndarray) -> tuple[np.ndarray, bool]:
        """Conjugate gradients; the diagonal of the Gram matrix is 1, so it is its own preconditioner."""
        rows, columns = csr_array(self.A[active]), csr_array(self.transposed[:, active])
        x = guess.copy()
        r = right - (rows @ (columns @ x) + x / SIGMA)
        if not np.linalg.norm(r) < np.linalg.norm(right):
            x, r = np.zeros_like(x), right.copy()
        p, square = r.copy(), float(r @ r)
        target = (CG_ACCURACY * float(np.linalg.norm(right))) ** 2
        for _ in range(CG_STEPS):
            if square <= target:
                return x, True
            image = rows @ (columns @ p) + p / SIGMA
            length = square / float(p @ image)
            x += length * p
            r -= length * image
            new = float(r @ r)
            p = r + (new / square) * p
            square = new
        return x, square <= target

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_key": None, "_factor": None}  # SuperLU's factors cannot be pickled
