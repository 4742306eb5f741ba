"""The follower's answer y*(x), its multipliers, and the gradient of x -> F(x, y*(x)) by KKT sensitivity.

With a the lower rows (normalized, those of Y included) that are equalities or have lam > 0:

    K = [ H    A_a' ]      H = f_yy,  A_a: the y part of the rows a
        [ A_a  0    ]

    answer:         K (dy, lam_a) = (-grad_y f, -r_a),  a = equalities and { lam + r > 0 },  until a repeats itself
    hypergradient:  grad_x F - [f_xy  B_a'] K^-1 (grad_y F, 0),                              B_a: the x part

The answer is Newton's method with primal-dual active sets: full steps from the last answer, one to three as a
rule; where they do not settle, the proximal method of multipliers (`polish.lower_solution`) answers.

y* is unique and differentiable where H is positive definite on the null space of A_a, A_a has full row rank
and no row outside a is at zero. The first two are `regular`; where the third fails the gradient is one of the
pieces that meet there. A lower level that is merely convex fails the first wherever its solutions are many.

Cost: one sparse LU of order m + |a| an active set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import block_array, csc_array, csr_array, eye_array
from scipy.sparse.linalg import SuperLU, splu

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.envelope import lower_rows
from solverkit_bilevel.polish import lower_solution
from solverkit_bilevel.proximal_qp import NotPositiveDefinite, inverse
from solverkit_bilevel.structure import Structure

ACCURACY = 1e-10  # of stationarity and complementarity, relative
ROUNDS = 30  # Newton steps before the proximal method takes over
MARGIN = 1e-9  # least eigenvalue, relative, for a matrix to count as positive definite


@dataclass
class Answer:
    """(x, y*(x)) with what its derivative needs."""

    w: np.ndarray  # (n + m,)
    lam: np.ndarray  # (k,) multipliers of the normalized rows
    held: np.ndarray  # indices of the rows a
    lu: SuperLU  # of K


class Follower:
    """y*(x) of one problem."""

    def __init__(self, problem: Bilevel, structure: Structure) -> None:
        self.n, self.m = problem.n, problem.m
        self.structure = structure
        self.rows, _ = lower_rows(problem, structure, with_set=True, normalize=True)
        self.equal = np.arange(self.rows.count) >= self.rows.inequalities
        self.Ax, self.Ay = csr_array(self.rows.A[:, : self.n]), csr_array(self.rows.A[:, self.n :])

    def answer(self, problem: Bilevel, x: np.ndarray, y: np.ndarray, lam: np.ndarray) -> Answer | None:
        """y*(x) from the guess (y, lam); None where no accurate answer with a nonsingular K is found."""
        w = np.concatenate([x, y])
        found = self._newton(problem, w, lam)
        if found is None and np.isfinite(w).all():
            w[self.n :], lam = lower_solution(problem, w, self.structure)
            found = self._newton(problem, w, lam)
        return found

    def _newton(self, problem: Bilevel, w: np.ndarray, lam: np.ndarray) -> Answer | None:
        w, r, guess = w.copy(), self.rows.A @ w - self.rows.b, lam
        active = self.equal | (lam > 0)
        gradient = problem.lower_gradient(w)[self.n :]
        H = self._curvature(problem, w)
        for _ in range(ROUNDS):
            held = np.flatnonzero(active)
            lu = self._factor(H, held)
            if lu is None:
                return None
            step = lu.solve(np.concatenate([-gradient, -r[held]]))
            if not np.isfinite(step).all():
                return None
            w[self.n :] += step[: self.m]
            guess = np.zeros(len(r))
            guess[held] = step[self.m :]
            r, gradient = self.rows.A @ w - self.rows.b, problem.lower_gradient(w)[self.n :]
            before, H = H, self._curvature(problem, w)
            if self.residual(w, gradient, guess, r) <= ACCURACY:
                if abs(H - before).max() > ACCURACY * (1 + abs(H).max()):  # the derivative needs K at w itself
                    lu = self._factor(H, held)
                return None if lu is None else Answer(w, guess, held, lu)
            active = self.equal | (guess + r > 0)
        return None

    def residual(self, w: np.ndarray, gradient: np.ndarray, lam: np.ndarray, r: np.ndarray) -> float:
        """Of the lower KKT conditions, relative to the size of their terms."""
        still = np.abs(gradient + self.Ay.T @ lam).max(initial=0.0)
        size = 1 + np.abs(gradient).max(initial=0.0) + np.abs(lam).max(initial=0.0)
        apart = np.abs(np.where(self.equal, r, np.minimum(lam, -r))).max(initial=0.0)
        return float(max(still / size, apart / (size + np.abs(w).max())))

    def _factor(self, H: csr_array, held: np.ndarray) -> SuperLU | None:
        """Of K; None where it is singular."""
        rows = self.Ay[held]
        corner = csr_array((len(held), len(held)))
        try:
            return splu(csc_array(block_array([[H, rows.T], [rows, corner]])), permc_spec="COLAMD")
        except RuntimeError:
            return None

    def _curvature(self, problem: Bilevel, w: np.ndarray) -> csr_array:
        return csr_array(csr_array(problem.lower_hessian(w))[self.n :, self.n :])

    def regular(self, problem: Bilevel, answer: Answer) -> bool:
        """Whether y* is unique there and K nonsingular; False where it is too close to tell."""
        H, rows = self._curvature(problem, answer.w), self.Ay[answer.held]
        scale = max(float(abs(H).max()), 1e-300)
        bent = H / scale + rows.T @ rows
        gram = rows @ rows.T
        try:
            for M in (bent, gram):
                inverse(csr_array(M - MARGIN * eye_array(M.shape[0])))
        except (NotPositiveDefinite, RuntimeError):
            return False
        return True

    def hypergradient(self, problem: Bilevel, answer: Answer) -> np.ndarray:
        """Gradient of F(x, y*(x)), (n,)."""
        n, m = self.n, self.m
        slope = problem.upper_gradient(answer.w)
        adjoint = answer.lu.solve(np.concatenate([slope[n:], np.zeros(len(answer.held))]), trans="T")
        along = np.concatenate([np.zeros(n), adjoint[:m]])
        return slope[:n] - problem.lower_hvp(answer.w, along)[:n] - self.Ax[answer.held].T @ adjoint[m:]
