"""Convex quadratic programs, solved once and tightly by Clarabel (interior point).

    minimize 1/2 v'P v + q'v      subject to  lower <= A v <= upper

A multiplier has the sign of the side that it pushes from: P v + q + A' multiplier = 0, multiplier >= 0 at `upper`,
<= 0 at `lower`. Rows are normalized to length one and the objective to size one before the solve, so a file that
scales a row by 1e-8 or 1e8 gets the same answer.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, triu, vstack

INFINITE = 1e20  # bounds from here on are none


class Outcome(enum.Enum):
    """How a solve ended; the value is what a note says."""

    SOLVED = "solved"
    INEXACT = "solved to less than the asked accuracy"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded below"
    FAILED = "the interior-point solver failed"


@dataclass(frozen=True)
class QPSolution:
    """What a solve found. `bound` is the dual value: no feasible point is lower, up to the solver's accuracy."""

    outcome: Outcome
    v: np.ndarray  # (n,)
    multiplier: np.ndarray  # (rows,)
    value: float
    bound: float

    @property
    def ok(self) -> bool:
        return self.outcome in (Outcome.SOLVED, Outcome.INEXACT)


def largest(matrix: csr_array) -> float:
    """max |a_ij|, 0 for an empty matrix."""
    return float(np.abs(matrix.data).max()) if matrix.nnz else 0.0


def row_norms(matrix: csr_array) -> np.ndarray:
    """Euclidean norm of each row, (rows,)."""
    return np.sqrt(np.asarray(csr_array(matrix).power(2).sum(axis=1)).ravel())


def solve_qp(
    P: csr_array | None,
    q: np.ndarray,
    A: csr_array,
    lower: np.ndarray,
    upper: np.ndarray,
    tol: float = 1e-11,
) -> QPSolution:
    """The minimizer, its multipliers and the dual bound. P (n, n) is positive semidefinite, or None for zero.

    `tol` is relative to the normalized data. A solve that stalls is repeated with less; below 1e-7 it is INEXACT.
    """
    n = len(q)
    P = csr_array((n, n)) if P is None else csr_array(P)
    cost = max(float(np.abs(q).max(initial=0.0)), largest(P)) or 1.0
    norms = row_norms(A)
    norms[norms == 0] = 1.0
    A = csr_array(diags_array(1 / norms) @ A)
    lower, upper = lower / norms, upper / norms
    has_upper, has_lower = np.abs(upper) < INFINITE, np.abs(lower) < INFINITE
    equal = np.flatnonzero(has_upper & has_lower & (upper - lower <= 0))
    above = np.setdiff1d(np.flatnonzero(has_upper), equal)
    below = np.setdiff1d(np.flatnonzero(has_lower), equal)
    stacked = csc_array(vstack([A[equal], A[above], -A[below]]))
    bound = np.concatenate([upper[equal], upper[above], -lower[below]])
    for accuracy in (tol, max(tol, 1e-9), max(tol, 1e-7)):
        solution = _clarabel(P / cost, q / cost, stacked, bound, len(equal), accuracy)
        if _outcome(solution) is not Outcome.FAILED:
            break
    multiplier = np.zeros(A.shape[0])
    dual = np.asarray(solution.z) * cost
    multiplier[equal] = dual[: len(equal)]
    np.add.at(multiplier, above, dual[len(equal) : len(equal) + len(above)])
    np.add.at(multiplier, below, -dual[len(equal) + len(above) :])
    return QPSolution(
        _outcome(solution),
        np.asarray(solution.x),
        multiplier / norms,
        float(solution.obj_val) * cost,
        float(solution.obj_val_dual) * cost,
    )


def _clarabel(P, q, A, b, equalities, tol):
    import clarabel

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tol
    settings.reduced_tol_gap_abs = settings.reduced_tol_gap_rel = settings.reduced_tol_feas = 1e-7
    settings.max_iter = 200
    cones = []
    if equalities:
        cones.append(clarabel.ZeroConeT(equalities))
    if len(b) > equalities:
        cones.append(clarabel.NonnegativeConeT(len(b) - equalities))
    return clarabel.DefaultSolver(csc_array(triu(P)), q, csc_array(A), b, cones, settings).solve()


def _outcome(solution) -> Outcome:
    import clarabel

    status = solution.status
    known = {
        clarabel.SolverStatus.Solved: Outcome.SOLVED,
        clarabel.SolverStatus.AlmostSolved: Outcome.INEXACT,
        clarabel.SolverStatus.PrimalInfeasible: Outcome.INFEASIBLE,
        clarabel.SolverStatus.AlmostPrimalInfeasible: Outcome.INFEASIBLE,
        clarabel.SolverStatus.DualInfeasible: Outcome.UNBOUNDED,
        clarabel.SolverStatus.AlmostDualInfeasible: Outcome.UNBOUNDED,
    }
    return known.get(status, Outcome.FAILED)
