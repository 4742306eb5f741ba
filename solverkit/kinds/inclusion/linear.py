"""Optimality of linear programs: primal residual, dual residual and gap, in float64.

    min c'x  s.t.  l <= A x <= u,  lower <= x <= upper        max_y  -sigma(y) + sum_j min_{x_j} r_j x_j,   r = c + A'y

y_i > 0 presses on the upper side of row i, y_i < 0 on the lower one, sigma(y) = sum_i (u_i y_i^+ - l_i y_i^-). Parts of
y and of r that press on a side that is infinite are the dual residual; the dual value is that of the rest. x enters
the gap clipped to its bounds, and the clipping counts in the primal residual.

| residual | norm | scaling |
|---|---|---|
| primal | distance of A x to [l, u], and of x to its bounds, 2-norm | ||b||, b the finite sides |
| dual | the parts that press on infinite sides, 2-norm | ||c|| |
| gap | |c'x - dual value| | at most 1 + |c'x| + |dual value| |

LP codes divide by 1 + ||b|| and 1 + ||c||. Where the data are small beside 1, the 1 would hide any error, so that it is
left out, and the gap is over no more than the sizes of the terms that enter c'x and sigma(y). Where b or c is 0, what
one unit of x or y does, at most 1, takes its place.

Norms do not see a row in a small unit beside one in a large unit, nor a column, so that each counts by itself too,

    rows:     (distance of (A x)_i to its sides) / (|b_i| + sum_j |a_ij x_j| + FLOOR ||a_i|| ||x||_inf),
    columns:  (part of r_j on an infinite side) / (|c_j| + sum_i |a_ij y_i| + FLOOR ||A_j|| ||y||_inf),

b_i the side that is broken: backward errors, of which the largest may be WIDE tol. In exact answers they are 0 whatever
the units; an iteration that stops by the norms alone is allowed what these let it leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from solverkit.kinds.inclusion.structure import LinearProgram

FLOOR = 1e-4
WIDE = 1e4
SMALL = 1e-6  # a backward error that need not be known better
TINY = 1e-300


@dataclass(frozen=True)
class Optimality:
    """Residuals with their scalings; values without the constant."""

    primal: float
    primal_scale: float
    dual: float
    dual_scale: float
    primal_value: float
    dual_value: float
    gap_scale: float
    rows: float  # the worst row's backward error
    columns: float

    @property
    def worst(self) -> float:
        """The largest of the five, each over its scaling."""
        pairs = (
            (self.primal, self.primal_scale),
            (self.dual, self.dual_scale),
            (self.gap, self.gap_scale),
            (self.rows, WIDE),  # at most: a loose tol allows less
            (self.columns, WIDE),
        )
        return max(size / scale if size else 0.0 for size, scale in pairs)

    @property
    def gap(self) -> float:
        return abs(self.primal_value - self.dual_value)


def optimality(program: LinearProgram, u: np.ndarray, at_u: np.ndarray | None = None) -> Optimality:
    """Of u = (x, y); where x is within its bounds, F(u) = (c + A'y, -A x) may be given, which saves both products."""
    n = len(program.c)
    x, y = u[:n], u[n:]
    held = np.clip(x, program.lower, program.upper)
    activity = program.A @ held if at_u is None else -at_u[n:]
    short = np.maximum(np.maximum(program.row_lower - activity, activity - program.row_upper), 0.0)
    primal = float(np.hypot(np.linalg.norm(short), np.linalg.norm(x - held)))
    side = np.where(activity < program.row_lower, program.row_lower, program.row_upper)
    reduced = program.c + program.A.T @ y if at_u is None else at_u[:n]
    strays, sigma, terms = support(y, program.row_lower, program.row_upper)
    pulls, least, more = support(-reduced, program.lower, program.upper)
    value = float(program.c @ held)
    dual_value = -sigma - least
    sizes = _Sizes.of(program)
    entering = float(np.abs(program.c) @ np.abs(held)) + terms + more
    return Optimality(
        primal,
        sizes.primal,
        float(np.hypot(np.linalg.norm(strays) * sizes.row, np.linalg.norm(pulls))),
        sizes.dual,
        value,
        dual_value,
        min(1 + abs(value) + abs(dual_value), max(entering, sizes.value)),
        *_backward_errors(program, held, y, short, side, np.abs(pulls)),
    )


def _backward_errors(
    program: LinearProgram, x: np.ndarray, y: np.ndarray, short: np.ndarray, side: np.ndarray, pulled: np.ndarray
) -> tuple[float, float]:
    """(the worst of the rows, the worst of the columns); short (m,) of `side` and pulled (n,) are what they miss."""
    rows, columns = program.norms
    return (
        _backward_error(program.A, short, np.abs(side) + FLOOR * _largest(x) * rows, x),
        _backward_error(program.A.T, pulled, np.abs(program.c) + FLOOR * _largest(y) * columns, y),
    )


def _backward_error(A: Any, missed: np.ndarray, unit: np.ndarray, v: np.ndarray) -> float:
    """The largest of missed / (unit + |A| |v|). Products are made of those alone that `unit` leaves in doubt."""
    error = missed / np.maximum(unit, TINY)
    doubtful = np.flatnonzero(error > SMALL)
    if len(doubtful):
        terms = abs(A[doubtful]) @ np.abs(v)
        error[doubtful] = missed[doubtful] / np.maximum(unit[doubtful] + terms, TINY)
    return _largest(error)


def _largest(v: np.ndarray) -> float:
    return float(np.abs(v).max(initial=0.0))


def support(y: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, float, float]:
    """(parts of y on infinite sides, sigma of the rest, the sum of the sizes of its terms)."""
    side = np.where(y > 0, upper, lower)
    free = np.isinf(side)
    terms = y * np.where(free, 0.0, side)
    return np.where(free, y, 0.0), float(terms.sum()), float(np.abs(terms).sum())


@dataclass(frozen=True)
class _Sizes:
    """Scalings that follow the units of the program."""

    row: float  # size of a row of A: what one unit of y does to the reduced costs
    primal: float
    dual: float
    value: float  # least size of c'x

    @classmethod
    def of(cls, program: LinearProgram) -> _Sizes:
        A = program.A
        sides = np.maximum(_finite(program.row_lower), _finite(program.row_upper))
        b, c = float(np.linalg.norm(sides)), float(np.linalg.norm(program.c))
        typical = float(np.linalg.norm(A.data if issparse(A) else A)) / np.sqrt(max(A.shape[0], 1)) or 1.0
        reach = max(_largest(_finite(bounds)) for bounds in (program.lower, program.upper))
        unit = min(1.0, b / typical if b > 0 else reach or 1.0)
        return cls(typical, b or min(1.0, typical * unit), c or min(1.0, typical), min(1.0, c or 1.0) * unit)


def _finite(sides: np.ndarray) -> np.ndarray:
    """Their sizes, 0 where they are infinite."""
    return np.where(np.isfinite(sides), np.abs(sides), 0.0)
