"""The Newton system of one iterate, and what a solver of it promises.

    [ B + S + delta_w I    J'         ] [ dx ]     [ r_x ]
    [ J                   -delta_c I  ] [ dy ] = - [ r_c ]

B is the Hessian of the Lagrangian, S >= 0 the diagonal of the barrier, J the Jacobian of the equality rows. Slacks and
bounds were eliminated or belong to x. The step is one of descent when the matrix has n positive and m negative
eigenvalues, or, where nobody counts them, when  dx'(B + S + delta_w I)dx  is large enough for the caller's taste.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

Matrix: TypeAlias = Any
"""csr_array or ndarray; both know `@` and `.T`."""


@dataclass(frozen=True, eq=False)
class NewtonSystem:
    """The matrix; right-hand sides come with each solve."""

    hessian: Matrix | None  # B, (n, n); None where only products are known
    product: Callable[[np.ndarray], np.ndarray]  # v -> B v
    barrier: np.ndarray  # diagonal of S, (n,)
    jacobian: Matrix  # J, (m, n)
    delta_w: float = 0.0
    delta_c: float = 0.0
    diagonal: Callable[[], np.ndarray | None] | None = None  # of B, (n,), where B is None

    def residual(self, dx: np.ndarray, dy: np.ndarray, r_x: np.ndarray, r_c: np.ndarray) -> tuple[np.ndarray, ...]:
        """What is left of both rows: (n,), (m,)."""
        top = self.product(dx) + (self.barrier + self.delta_w) * dx + self.jacobian.T @ dy + r_x
        return top, self.jacobian @ dx - self.delta_c * dy + r_c


@dataclass(frozen=True)
class Inertia:
    """What is known of the matrix once it is prepared."""

    usable: bool  # a solve will give numbers
    correct: bool | None  # n positive, m negative, no zero eigenvalues; None: nobody counted


@dataclass(frozen=True, eq=False)
class Direction:
    """An approximate solution."""

    dx: np.ndarray  # (n,)
    dy: np.ndarray  # (m,)
    residual: float  # relative: ||K d + r|| / ||r||, 2-norm
    iterations: int = 0  # of an iterative solver; 0 for a direct one


class InnerSolver(Protocol):
    """One way to solve Newton systems. May keep what it learnt (orderings, sketches) from system to system."""

    def prepare(self, system: NewtonSystem) -> Inertia:
        """Factor, or build a preconditioner. Called again for the same point with larger deltas if need be."""
        ...

    def solve(self, r_x: np.ndarray, r_c: np.ndarray, rtol: float) -> Direction:
        """The direction for the system prepared last, to a relative residual of `rtol` or as near as it gets."""
        ...
