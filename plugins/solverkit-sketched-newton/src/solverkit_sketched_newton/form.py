"""The problem in the form that the Newton steps work on.

    min f(w)   s.t.   c(w) = 0,   low <= w <= high,        w = (free x, slacks),   low < high

Fixed variables are taken out, rows without a finite bound dropped, an inequality lower <= c_i <= upper becomes
c_i - s_i = 0 with bounds on the slack s_i. f and the rows are scaled; multipliers of the problem are
y_i row_scale_i / f_scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array, hstack, issparse

from solverkit.kinds.nonlinear.problem import Nonlinear

Matrix = Any
RELAX = (
    1e-8  # bounds are moved apart by this much, relative, so that they have an interior (IPOPT's bound_relax_factor)
)
RELAX_ROWS = 1e-12  # the same of slacks: a row that is flat at the answer makes a long way of any more
MOST_RELAX = 10.0  # a bound on x counts as this large at most: answers lie within it, and rows see them move there
VISIBLE = 100 * float(np.finfo(float).eps)  # least relative distance that leaves an interior in floating point
STEEP = 100.0  # gradients at the start are scaled down to this (IPOPT's nlp_scaling_max_gradient)
FLAT = 1.0  # that of f is scaled up to this: weights of the merit function suit multipliers of ordinary size
NEXT_TO_NOTHING = 1e-8  # unless it is below this, where the start may be stationary
LEAST_SCALE = 1e-8
PRODUCTS = 200  # up to this many variables a Hessian that is known by products alone is formed from them


@dataclass(eq=False)
class Scaling:
    """Factors of f and of the rows; part of the state, as they come from the gradients at the start."""

    f: float
    rows: np.ndarray  # (m,)
    units: np.ndarray  # (m,) largest element of each scaled gradient, at most 1: what one step in x does to the row


class Form:
    """Reads the oracles of a problem in the standard form; holds nothing that depends on the iterate."""

    def __init__(self, problem: Nonlinear, tol: float, dense: bool | None = None, dense_size: int = 250) -> None:
        lower, upper = np.asarray(problem.lower, float), np.asarray(problem.upper, float)
        lowest, highest = np.asarray(problem.lowest, float), np.asarray(problem.highest, float)
        self.contradiction = _contradiction(problem)
        self.columns = np.flatnonzero(lowest < highest)  # free variables
        self.fixed = np.flatnonzero(~(lowest < highest))
        self.anchor = np.where(lowest < highest, 0.0, lowest)
        self.rows = np.flatnonzero(np.isfinite(lower) | np.isfinite(upper))
        self.lower, self.upper = lower[self.rows], upper[self.rows]
        equal = self.lower == self.upper
        self.target = np.where(equal, self.lower, 0.0)
        self.slack_rows = np.flatnonzero(~equal)
        self.total, self.all_rows = problem.n, problem.m
        self.free, self.slacks = len(self.columns), len(self.slack_rows)
        self.n, self.m = self.free + self.slacks, len(self.rows)
        self.whole = self.free == self.total and self.m == self.all_rows  # nothing taken out
        self.plain = self.whole and self.slacks == 0
        self.has_hessian = "hessian" in problem.provides
        small = self.n + self.m <= dense_size or (not self.has_hessian and self.n <= PRODUCTS)
        self.dense = small if dense is None else dense
        self.linear = problem.affine
        self.constant: Matrix | None = None  # J in this form, where rows are affine and it is known
        self._box = lowest[self.columns], highest[self.columns]
        self.scaling = Scaling(1.0, np.ones(self.m), np.ones(self.m))
        self._scaled = False
        self._relax = min(RELAX, 0.01 * tol)  # multipliers may be large, and the certificate sees what they lean on
        self.bound()

    def scale(self, scaling: Scaling) -> None:
        """Use these factors from now on."""
        if scaling is self.scaling:
            return
        self.scaling = scaling
        self._scaled = scaling.f != 1.0 or bool(np.any(scaling.rows != 1.0))
        self.bound()

    def bound(self) -> None:
        """Bounds of w, moved apart a little."""
        rows = self.slack_rows
        low = np.concatenate([self._box[0], self.scaling.rows[rows] * self.lower[rows]])
        high = np.concatenate([self._box[1], self.scaling.rows[rows] * self.upper[rows]])
        units = np.concatenate([np.ones(self.free), self.scaling.units[rows]])
        most = np.full(self.n, np.inf)
        most[: self.free] = MOST_RELAX
        self.low = low - self._apart(low, units, most)
        self.high = high + self._apart(high, units, most)
        self.below = np.flatnonzero(np.isfinite(low))
        self.above = np.flatnonzero(np.isfinite(high))
        # where a slack is away from its only bound: +1 upwards, -1 downwards, 0 where it has two
        self.outward = np.isposinf(high[self.free :]) * 1.0 - np.isneginf(low[self.free :]) * 1.0
        self.bounded = len(self.below) + len(self.above) > 0

    def _apart(self, bound: np.ndarray, units: np.ndarray, most: np.ndarray) -> np.ndarray:
        size = np.abs(np.where(np.isfinite(bound), bound, 0.0))
        # answers move back to all their bounds at once, and a row sees the sum of that
        together = max(1, int(np.isfinite(self._box[0]).sum() + np.isfinite(self._box[1]).sum()))
        relax = np.full(self.n, max(self._relax / together, min(RELAX_ROWS, self._relax)))
        relax[self.free :] = min(RELAX_ROWS, self._relax)
        return np.maximum(relax * np.minimum(np.maximum(units, size), most), VISIBLE * size)

    # -- from w to x and back

    def full(self, w: np.ndarray) -> np.ndarray:
        """x of w, (problem.n,)."""
        if self.free == self.total:
            return w[: self.free] if self.slacks else w
        x = self.anchor.copy()
        x[self.columns] = w[: self.free]
        return x

    def answer(self, w: np.ndarray) -> np.ndarray:
        """x within its true bounds, (problem.n,)."""
        x = self.full(w)
        if len(self.below) or len(self.above):
            x = x.copy()
            x[self.columns] = np.clip(x[self.columns], *self._box)
        return x

    def multipliers(self, y: np.ndarray) -> np.ndarray:
        """Multipliers of all rows of the problem, unscaled."""
        return self.weights(y) / self.scaling.f

    def weights(self, y: np.ndarray) -> np.ndarray:
        """Weights of scaled rows as weights of all rows of the problem, (problem.m,)."""
        values = y * self.scaling.rows if self._scaled else y
        if self.m == self.all_rows:
            return values
        full = np.zeros(self.all_rows)
        full[self.rows] = values
        return full

    def direction(self, moved: np.ndarray) -> np.ndarray:
        """A direction of w as one of x, (problem.n,); what is rounding beside its largest element is zero."""
        full = np.zeros(self.total)
        full[self.columns] = moved[: self.free]
        return np.where(np.abs(full) > 1e-12 * np.abs(full).max(initial=0.0), full, 0.0)

    # -- oracles

    def values(self, problem: Nonlinear, w: np.ndarray) -> tuple[float, np.ndarray]:
        """f and c, (m,)."""
        x = self.full(w)
        return self.objective(problem, x), self.residual(w, problem.constraints(x))

    def objective(self, problem: Nonlinear, x: np.ndarray) -> float:
        """Scaled f."""
        return self.scaling.f * problem.value(x)

    def residual(self, w: np.ndarray, c: np.ndarray) -> np.ndarray:
        """c(w) from the problem's rows at w."""
        c = (c if self.m == self.all_rows else c[self.rows]) - self.target
        if self._scaled:
            c *= self.scaling.rows
        if self.slacks:
            c[self.slack_rows] -= w[self.free :]
        return c

    def reset_slacks(self, w: np.ndarray, c: np.ndarray) -> None:
        """Slacks that may grow away from their only bound are set to their rows' values, in place: c_i = 0 there.

        That lowers both the barrier and the violation."""
        excess = c[self.slack_rows]
        grows = self.outward * excess > 0
        if grows.any():
            w[self.free :][grows] += excess[grows]
            c[self.slack_rows[grows]] = 0.0

    def slopes(self, problem: Nonlinear, w: np.ndarray) -> tuple[np.ndarray, Matrix]:
        """grad f, (n,), and J, (m, n); that of affine rows is asked for once."""
        x = self.full(w)
        gradient = self.gradient(problem.gradient(x))
        if self.constant is not None:
            return gradient, self.constant
        return gradient, self.jacobian(problem.dense_jacobian(x) if self.dense else problem.jacobian(x))

    def gradient(self, gradient: np.ndarray) -> np.ndarray:
        """grad f with respect to w."""
        if not self.plain:
            full = np.zeros(self.n)
            full[: self.free] = gradient[self.columns]
            gradient = full
        return gradient * self.scaling.f if self._scaled else gradient

    def jacobian(self, jacobian: Matrix) -> Matrix:
        """J with respect to w: dense where the form is, otherwise as the problem gives it."""
        if not self.whole:
            jacobian = jacobian[self.rows][:, self.columns]
        if self._scaled:
            jacobian = scale_rows(jacobian, self.scaling.rows)
        if not self.slacks:
            return jacobian
        if issparse(jacobian):
            ones = -np.ones(self.slacks)
            minus = csr_array((ones, (self.slack_rows, np.arange(self.slacks))), shape=(self.m, self.slacks))
            return hstack([jacobian, minus], format="csr")
        full = np.zeros((self.m, self.n))
        full[:, : self.free] = jacobian
        full[self.slack_rows, np.arange(self.free, self.n)] = -1.0
        return full

    def rescaled(self, jacobian: Matrix) -> Matrix:
        """A J that was computed without scaling, scaled; its columns of slacks stay -1."""
        if not self._scaled:
            return jacobian
        scaled = scale_rows(jacobian, self.scaling.rows)
        if self.slacks:
            ones = 1.0 / self.scaling.rows[self.slack_rows]
            back = np.concatenate([np.ones(self.free), ones])
            scaled = scaled * back if not issparse(scaled) else csr_array(scaled @ diags_array(back))
        return scaled

    def hessian(self, problem: Nonlinear, w: np.ndarray, y: np.ndarray) -> Matrix:
        """Hessian of the Lagrangian, (n, n); None where only products are known and n is too large to form it."""
        x = self.full(w)
        weights = self.weights(y)
        if not self.has_hessian:
            return self._by_products(problem, x, weights) if self.dense else None
        oracle = problem.dense_hessian if self.dense else problem.hessian
        hessian = oracle(x, weights, self.scaling.f)
        if self.plain:
            return hessian
        if self.free < self.total:
            hessian = hessian[self.columns][:, self.columns]
        if not self.slacks:
            return hessian
        if issparse(hessian):
            hessian = csr_array(hessian)
            indptr = np.concatenate([hessian.indptr, np.full(self.slacks, hessian.indptr[-1])])
            return csr_array((hessian.data, hessian.indices, indptr), shape=(self.n, self.n))
        full = np.zeros((self.n, self.n))
        full[: self.free, : self.free] = hessian
        return full

    def product(self, problem: Nonlinear, w: np.ndarray, y: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """The Hessian of the Lagrangian times a direction, (n,)."""
        d = np.zeros(self.total)
        d[self.columns] = direction[: self.free]
        full = np.zeros(self.n)
        full[: self.free] = problem.hvp(self.full(w), self.weights(y), d, self.scaling.f)[self.columns]
        return full

    def hessian_diagonal(self, problem: Nonlinear, w: np.ndarray, y: np.ndarray) -> np.ndarray | None:
        """The diagonal of the Hessian of the Lagrangian, (n,), zero for slacks; None where the problem has no oracle
        for it."""
        if "hessian-diagonal" not in problem.provides:
            return None
        full = np.zeros(self.n)
        full[: self.free] = problem.hessian_diagonal(self.full(w), self.weights(y), self.scaling.f)[self.columns]
        return full

    def _by_products(self, problem: Nonlinear, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The Hessian from one product a column."""
        full = np.zeros((self.n, self.n))
        unit = np.zeros(self.total)
        for position, column in enumerate(self.columns):
            unit[column] = 1.0
            full[: self.free, position] = problem.hvp(x, weights, unit, self.scaling.f)[self.columns]
            unit[column] = 0.0
        return 0.5 * (full + full.T)


def _contradiction(problem: Nonlinear) -> str:
    """A bound that no value satisfies, in words; empty where there is none."""
    for lower, upper, what in (
        (problem.lower, problem.upper, "row"),
        (problem.lowest, problem.highest, "variable"),
    ):
        crossed = np.flatnonzero(lower > upper)
        if len(crossed):
            i = int(crossed[0])
            return f"{what} {i} is to lie between {lower[i]:g} and {upper[i]:g}"
    return ""


def pushed(w: np.ndarray, low: np.ndarray, high: np.ndarray, push: float) -> np.ndarray:
    """w moved to at least push max(1, |bound|), and push times the width, off both bounds."""
    has_low, has_high = np.isfinite(low), np.isfinite(high)
    floor, ceiling = np.where(has_low, low, 0.0), np.where(has_high, high, 0.0)
    width = np.where(has_low & has_high, ceiling - floor, np.inf)
    lifted = floor + np.minimum(push * np.maximum(1.0, np.abs(floor)), push * width)
    lowered = ceiling - np.minimum(push * np.maximum(1.0, np.abs(ceiling)), push * width)
    w = np.where(has_low, np.maximum(w, lifted), w)
    return np.where(has_high, np.minimum(w, lowered), w)


def gradient_scaling(gradient: np.ndarray, jacobian: Matrix) -> Scaling:
    """Factors that bring gradients of f and of the rows down to `STEEP`, and that of f up to `FLAT`."""
    steepest = np.abs(gradient).max(initial=0.0)
    f = 1.0
    if steepest > STEEP:
        f = max(STEEP / steepest, LEAST_SCALE)
    elif NEXT_TO_NOTHING < steepest < FLAT:
        f = FLAT / steepest
    if issparse(jacobian):
        largest = abs(jacobian).max(axis=1).toarray().ravel() if jacobian.nnz else np.zeros(jacobian.shape[0])
    else:
        largest = np.maximum(jacobian.max(axis=1, initial=0.0), -jacobian.min(axis=1, initial=0.0))
    rows = np.maximum(np.minimum(1.0, STEEP / np.maximum(largest, 1e-300)), LEAST_SCALE)
    return Scaling(float(f), rows, np.where(largest > 0, np.minimum(1.0, rows * largest), 1.0))


def row_norms(matrix: Matrix) -> np.ndarray:
    """2-norms of the rows, (m,)."""
    if issparse(matrix):
        rows = csr_array(matrix)
        return np.sqrt(
            np.bincount(np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)), rows.data**2, rows.shape[0])
        )
    return np.sqrt(np.einsum("ij,ij->i", matrix, matrix))


def scale_rows(matrix: Matrix, factors: np.ndarray) -> Matrix:
    """diag(factors) matrix."""
    if not issparse(matrix):
        return matrix * factors[:, None]
    scaled = matrix.tocsr()
    data = scaled.data * np.repeat(factors, np.diff(scaled.indptr))
    return csr_array((data, scaled.indices, scaled.indptr), shape=scaled.shape)
