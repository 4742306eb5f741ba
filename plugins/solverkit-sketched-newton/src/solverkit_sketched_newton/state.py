"""Where a run of `sketched-newton` stands: arrays and numbers alone, so that a checkpoint holds all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from solverkit_sketched_newton.form import Scaling


@dataclass(eq=False)
class Sparse:
    """A csr matrix as arrays."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    rows: int
    columns: int


Stored: TypeAlias = np.ndarray | Sparse


def stored(matrix: Any) -> Stored:
    """A matrix as a state can hold it."""
    if isinstance(matrix, np.ndarray):
        return matrix
    matrix = matrix.tocsr()
    return Sparse(matrix.data, matrix.indices, matrix.indptr, *map(int, matrix.shape))


def restored(matrix: Stored) -> Any:
    """The matrix that was stored."""
    if isinstance(matrix, np.ndarray):
        return matrix
    return csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.rows, matrix.columns))


@dataclass(eq=False)
class Evaluated:
    """A point w and what the oracles gave there."""

    w: np.ndarray  # (n,) free variables, slacks
    f: float
    c: np.ndarray  # (m,)
    g: np.ndarray  # (n,) grad f
    jacobian: Stored  # (m, n)


@dataclass(eq=False)
class Restoration:
    """Where the minimization of the violation stands."""

    entered: float  # violation at the entry
    damping: float  # lambda of the Levenberg-Marquardt step
    growth: float = 2.0  # next factor of lambda after a rejected step
    steps: int = 0
    shaken: int = 0  # stationary points left


@dataclass(eq=False)
class State:
    """The iterate, the merit function, and the memory of the globalization.

    | field | paper | meaning |
    |---|---|---|
    | at.w, y | x, lambda | iterate and multipliers of the rows, scaled |
    | z_low, z_high | | multipliers >= 0 of the finite bounds on w |
    | eta1, eta2 | eta_1, eta_2 | weights of the exact augmented Lagrangian |
    | error | | scaled KKT error |
    """

    at: Evaluated
    y: np.ndarray  # (m,)
    z_low: np.ndarray
    z_high: np.ndarray
    scaling: Scaling
    mu: float  # barrier parameter, 0 without bounds
    eta1: float
    eta2: float
    tol: float  # scaled KKT error of the claim
    loose: float  # the certificate's tolerance: good enough where no further progress is possible
    first: float  # f of the start, scaled
    error: float = np.inf
    barrier_error: float = np.inf  # of the barrier problem
    dual: float = np.inf  # its parts at mu = 0
    size: float = 1.0  # what forces are measured by: |grad f| and what it changes by, unscaled
    rough: float = np.inf  # grad f + J'y + z of the problem as given, relative to `size`
    violation: float = np.inf
    uneven: float = np.inf  # violation of each row beside its gradient's length, where `error` is small
    least: float = np.inf  # smallest `error` at which eta was set back
    delta_w: float = 0.0  # last shift of the Hessian that was needed
    shift: float = 0.0  # shift of the latest step
    step: float = 0.0  # length of the latest step, 0 where it was none
    iterations: int = 0
    inner_iterations: int = 0
    failures: int = 0  # line searches failed in a row
    creeping: int = 0  # very short steps in a row
    restorations: int = 0
    watched: float = np.inf  # least violation so far, for the watch on progress
    watched_at: int = 0  # and its iteration
    restoration: Restoration | None = None
    least_error: float = np.inf  # smallest `error`, for the watch on progress
    least_f: float = np.inf  # smallest f at a feasible point, for the same
    least_uneven: float = np.inf  # and smallest `uneven`
    least_at: int = 0  # iteration of the latest of the three
    escapes: int = 0  # saddle points left
    length: float = np.inf  # of the latest move of w, relative
    remaining: float = 0.0  # what further steps would add to it, by their rate
    polished: int = 0  # steps taken although `error` was small enough
    claimed: bool = False
    claim: str = ""
    fixed_multipliers: np.ndarray = field(default_factory=lambda: np.zeros(0))  # of fixed variables
