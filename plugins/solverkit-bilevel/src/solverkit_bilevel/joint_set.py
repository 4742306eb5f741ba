"""Projection onto the joint feasible set of LV-HBA.

    C = { (x, y) : x in X, y in Y, g(x, y) <= 0, h(x, y) = 0, G(x, y) <= 0, H(x, y) = 0 },    all rows affine

| C | projection |
|---|---|
| no rows | identity |
| bounds on single entries | clip |
| equalities only, up to 4e6 entries | w - Q'(Q w) + w0, Q an orthonormal basis of the row space (SVD, once) |
| polyhedron, up to 1e5 entries | proximal method of multipliers, semismooth Newton, dense matrices (`proximal_qp`) |
| larger polyhedron | the same, sparse and matrix-free (`solverkit.operators.polyhedral_projection`) |
| a curved set (ball) that no row touches | its own projection, beside one of the above |

The polyhedral projection starts from the multipliers of the last one. They are an argument and a result,
not hidden in a solver object, so a resumed run repeats every bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array, eye_array

from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit.operators.polyhedral_projection import PolyhedralProjector
from solverkit.operators.sets import SimpleSet
from solverkit_bilevel.proximal_qp import DENSE_ENTRIES, ProximalQP
from solverkit_bilevel.rows import AffineRows

# of the proximal method of multipliers: an error falls by 1 + SIGMA * (least eigenvalue of A_a A_a')
SIGMA = 1e6
ROUNDS = 40
SMALL = 100_000  # entries of the rows, up to which a dense Gram matrix is kept
ACCURACY = 1e-13  # of a row, relative to 1 + max |w|
FEASIBLE = 1e-8  # what is left of a row, relative, before C counts as empty


class JointSet:
    """C, given by all its rows; `curved` are sets without rows, each with its slice of w."""

    def __init__(self, rows: AffineRows, curved: Sequence[tuple[slice, SimpleSet]] = ()) -> None:
        norms = rows.norms()
        self.rows = rows.scaled(1 / np.where(norms > 0, norms, 1.0))
        self.size = rows.A.shape[1]
        self.curved = tuple(curved)
        single = np.diff(self.rows.A.indptr) == 1 if self.rows.count else np.ones(0, bool)
        self.shape = "free"
        self._projector: PolyhedralProjector | None = None
        if self.rows.count == 0:
            return
        if np.all(single):
            self.shape = "box"
            self._bounds()
        elif self.rows.inequalities == 0 and self.rows.count * self.size <= DENSE_ENTRIES:
            self.shape = "affine"
            self._subspace()
        else:
            self.shape = "polyhedron"
            if self.rows.count * self.size > SMALL:
                above = np.arange(self.rows.count) < self.rows.inequalities
                lower = np.where(above, -np.inf, self.rows.b)
                self._projector = PolyhedralProjector(self.rows.A, lower, self.rows.b)
                return
            bottom = self.rows.floor
            unit = csr_array(eye_array(self.size))
            self._qp = ProximalQP(unit, self.rows.A, bottom, np.full(self.rows.count, np.inf), SIGMA)

    @property
    def multipliers(self) -> int:
        """Length of the warm start; 0 where the projection has a closed form."""
        return self.rows.count if self.shape == "polyhedron" else 0

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray] | None:
        """(lower, upper), each (N,), where the rows are bounds on single entries; None otherwise."""
        if self.shape == "free":
            return np.full(self.size, -np.inf), np.full(self.size, np.inf)
        return (self._lower, self._upper) if self.shape == "box" else None

    def project(self, u: np.ndarray, warm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest point of C (N,), and the multipliers to start the next projection from."""
        if self.shape == "box":
            w = np.clip(u, self._lower, self._upper)
        elif self.shape == "affine":
            w = u - self._basis.T @ (self._basis @ u) + self._nearest
        elif self.shape == "polyhedron" and self._projector is not None:
            found = self._projector.project(u, warm)
            w, warm = found.point, found.multiplier
        elif self.shape == "polyhedron":
            w, warm = self._polyhedron(u, warm)
        else:
            w = u.copy()
        for part, simple in self.curved:
            w[part] = simple.project(u[part])
        return w, warm

    def first(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The first projection. Raises Stop(INFEASIBLE) where C is empty."""
        w, warm = self.project(u, np.zeros(self.multipliers))
        left = self.rows.violation(w)
        if np.isnan(left) or left <= FEASIBLE * (1 + float(np.abs(w).max(initial=0.0))):
            return w, warm  # NaN from an oracle is the driver's to find
        if self.shape == "polyhedron" and not self._proven_empty():
            raise Stop(
                Termination.STALLED,
                f"the projection onto the joint feasible set leaves {left:.2g}: rescale rows",
            )
        raise Stop(
            Termination.INFEASIBLE,
            "no (x, y) satisfies the constraints and sets of both levels together (joint feasible set C is empty; "
            f"the nearest point found violates a normalized row by {left:.2g})",
        )

    def _bounds(self) -> None:
        column, sign = self.rows.A.indices, self.rows.A.data
        value, above = self.rows.b / sign, np.arange(self.rows.count) < self.rows.inequalities
        self._lower, self._upper = np.full(self.size, -np.inf), np.full(self.size, np.inf)
        caps, floors = ~above | (sign > 0), ~above | (sign < 0)
        np.minimum.at(self._upper, column[caps], value[caps])
        np.maximum.at(self._lower, column[floors], value[floors])

    def _subspace(self) -> None:
        left, singular, right = np.linalg.svd(self.rows.A.toarray(), full_matrices=False)
        rank = int(np.sum(singular > 1e-11 * singular[0]))
        self._basis = np.ascontiguousarray(right[:rank])
        self._nearest = self._basis.T @ ((left[:, :rank].T @ self.rows.b) / singular[:rank])

    def _polyhedron(self, u: np.ndarray, warm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = self._qp
        r = rows.A @ u - self.rows.b
        zero = np.zeros(self.size)
        accuracy = ACCURACY * (1 + float(np.abs(u).max(initial=0.0)))
        active = (warm > 0) | (rows.lo < 0)
        for _ in range(ROUNDS):
            d, multiplier = rows.solve(zero, r, warm, active)
            left = float(np.abs(multiplier - warm).max(initial=0.0)) / SIGMA
            warm, active = multiplier, (multiplier > 0) | (rows.lo < 0)
            if left <= accuracy:
                break
        return u + d, warm

    def _proven_empty(self) -> bool:
        from scipy.optimize import linprog

        p = self.rows.inequalities
        above, equal = (self.rows.A[:p], self.rows.b[:p]), (self.rows.A[p:], self.rows.b[p:])
        found = linprog(
            np.zeros(self.size),
            A_ub=above[0] if p else None,
            b_ub=above[1] if p else None,
            A_eq=equal[0] if p < self.rows.count else None,
            b_eq=equal[1] if p < self.rows.count else None,
            bounds=(None, None),
        )
        return found.status == 2
