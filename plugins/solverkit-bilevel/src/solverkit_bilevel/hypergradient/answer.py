"""y*(x), the minimizer of a free lower level, by Newton's method with conjugate gradients.

    f_yy s = -f_y  to  |f_yy s + f_y| <= eta |f_y|,     y <- y + t s,    t = 1, 1/2, ... until |f_y| falls

(Dembo, Eisenstat, Steihaug 1982: eta = |f_y|^(1/2) / 10, relative to the first, gives order 3/2; one system solved to
the end where f is quadratic). s is a descent direction of |f_y|^2 wherever f_yy is positive definite, so f itself is
never asked for, and its rounding never stops the last digits. Where a direction of no positive curvature turns up, the
step falls along f instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.hypergradient.conjugate_gradients import Adjoint, conjugate_gradients
from solverkit_bilevel.hypergradient.products import lower_products

HALVINGS = 40
ARMIJO = 1e-4


@dataclass(frozen=True, eq=False)
class Answer:
    """(x, y) near (x, y*(x))."""

    z: np.ndarray  # (n + m,)
    slope: np.ndarray  # (m,) f_y at z
    solved: bool  # |f_y| is within what was asked

    @property
    def residual(self) -> float:
        """|f_y|."""
        return float(np.linalg.norm(self.slope))


def solve_lower(problem: Bilevel, z: np.ndarray, tol: float, rounds: int = 100, products: int = 1000) -> Answer:
    """From z = (x, y) to |f_y| <= tol, or as near as `rounds` Newton steps of `products` products or rounding allow.

    An oracle that is not finite wherever the search looks gives an answer that is not finite.
    """
    n, quadratic = problem.n, "quadratic-lower" in problem.provides
    slope = problem.lower_gradient(z)[n:]
    size = first = float(np.linalg.norm(slope))
    for _ in range(rounds):
        if not size > tol:
            break
        enough = max(0.3 * tol / size, 1e-13)
        forcing = enough if quadratic else max(0.1 * np.sqrt(size / first), enough)
        newton = conjugate_gradients(lower_products(problem, z), -slope, n, rtol=float(forcing), limit=products)
        moved = _search(problem, z, slope, newton)
        if moved is None:
            break
        z, slope = moved
        size = float(np.linalg.norm(slope))
    return Answer(z, slope, bool(size <= tol))


def _search(
    problem: Bilevel, z: np.ndarray, slope: np.ndarray, newton: Adjoint
) -> tuple[np.ndarray, np.ndarray] | None:
    """The next z and f_y there; None where no step helps, NaN where every trial is not finite."""
    n, size = problem.n, float(np.linalg.norm(slope))
    bent = not newton.least > 0
    direction = newton.z if newton.z.any() else -slope
    value = problem.lower(z) if bent else 0.0
    length, finite = 1.0, False
    for _ in range(HALVINGS):
        trial = z.copy()
        trial[n:] += length * direction
        there = problem.lower_gradient(trial)[n:]
        norm = float(np.linalg.norm(there))
        finite = finite or bool(np.isfinite(norm))
        if bent:
            good = problem.lower(trial) <= value + ARMIJO * length * float(slope @ direction)
        else:
            good = norm <= (1 - ARMIJO * length) * size
        if good and np.isfinite(norm):
            return trial, there
        length *= 0.5
    return None if finite else (np.full_like(z, np.nan), np.full_like(slope, np.nan))
