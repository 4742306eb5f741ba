"""Multipliers of a point: those that it brings, and the core's own by least squares; both are measured alike.

    r = grad f + J'y + z                        stationarity, infinity norm; and r_j (1 + |x_j|), over 100
    |y_i| ||grad c_i|| * (scaled distance to the bound that the sign of y_i names)    complementarity
    |y_i| ||grad c_i|| where that bound does not exist                                multiplier_signs

and the same for z with gradients of length one. All are in the units of grad f, so one scale serves them (`local.py`).
Multipliers do not enter the scale: large ones buy nothing. What rounding may hide in J'y, 8 eps max(|J|'|y|), is added
to the residual, so multipliers that are too large to be checked do not pass either.

r_j (1 + |x_j|) is what f changes by when x_j changes by its own size. Without it a point at 1e20 may pass because its
multipliers are 1e-11: min -t subject to y = t^2.

The core's own minimize ||r||_2 over the rows and bounds within `width` of a bound, with the signs of those bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import block_array, csc_array, csr_array, eye_array, hstack
from scipy.sparse.linalg import lsmr, splu

from solverkit.kinds.base import Point
from solverkit.kinds.nonlinear.local import ROUNDING, TINY, Local
from solverkit.kinds.nonlinear.problem import BOUND_MULTIPLIERS, MULTIPLIERS
from solverkit.operators.least_squares import signed_least_squares

RELATIVE = 100.0  # what a relative residual may be larger than a plain one
SIGNED = 5000  # variables and active rows up to which the signs are kept exactly
ROUNDS = 6
DELTA = 1e-10  # of the proximal steps; gradients have length one
PROXIMAL = 20
FACTORED = 500_000  # variables and rows up to which they are factored; beyond, LSMR with STEPS steps
STEPS = 500


@dataclass(frozen=True, eq=False)
class Measured:
    """One choice of multipliers and what it leaves, absolute, in the units of grad f."""

    y: np.ndarray  # (m,)
    z: np.ndarray  # (n,)
    origin: str
    stationarity: float
    complementarity: float
    signs: float
    residual: np.ndarray  # r, (n,)

    @property
    def worst(self) -> float:
        """NaN where any part is."""
        return float(np.max([self.stationarity, self.complementarity, self.signs]))


def measure(local: Local, y: np.ndarray, z: np.ndarray, origin: str) -> Measured:
    """The three residuals of multipliers (y, z)."""
    residual = local.gradient + local.jacobian.T @ y + z
    noise = ROUNDING * (local.pulled_size(y) + float(np.abs(z).max(initial=0.0)))
    products, signs = [0.0], [0.0]
    for multiplier, norms, (below, above) in (
        (y, local.norms, local.row_room),
        (z, np.ones(len(z)), local.bound_room),
    ):
        force = np.abs(multiplier) * norms
        distance = np.where(multiplier > 0, above, below)
        missing = np.isinf(distance)
        signs.append(float(np.where(missing, force, 0.0).max(initial=0.0)))
        products.append(float((force * np.where(missing, 0.0, np.abs(distance))).max(initial=0.0)))
    stationarity = float(np.abs(residual).max(initial=0.0)) + noise
    relative = float(np.abs(residual * local.size).max(initial=0.0)) / local.relative_scale
    stationarity = max(stationarity, relative / RELATIVE * local.scale)
    return Measured(y, z, origin, stationarity, float(np.max(products)), float(np.max(signs)), residual)


def of_point(local: Local, point: Point) -> Measured | None:
    """The multipliers that a point brings. z is what makes r vanish where the point has y alone; None without y.

    Blocks of a wrong shape or that are not finite are no multipliers."""
    m, n = local.problem.m, local.problem.n
    y, z = _block(point, MULTIPLIERS, m), _block(point, BOUND_MULTIPLIERS, n)
    if y is None and (m or z is None):
        return None
    y = np.zeros(m) if y is None else y
    if z is None:
        z = _completed(local, y)
    return measure(local, y, z, "the point's")


def _block(point: Point, name: str, length: int) -> np.ndarray | None:
    block = np.asarray(point.get(name, np.nan), dtype=float)
    return block if block.shape == (length,) and np.isfinite(block).all() else None


def _completed(local: Local, y: np.ndarray) -> np.ndarray:
    """z for given y: it cancels r as far as the bounds that exist allow."""
    rest = -(local.gradient + local.jacobian.T @ y)
    below, above = local.bound_room
    rest = np.where(np.isinf(above), np.minimum(rest, 0.0), rest)
    return np.where(np.isinf(below), np.maximum(rest, 0.0), rest)


def least_squares(local: Local, width: float) -> Measured:
    """The core's own, on the active set."""
    rows, row_sign, row_free = active_sides(local.row_room, width)
    bounds, bound_sign, bound_free = active_sides(local.bound_room, width)
    if len(local.x) + len(rows) <= SIGNED and not isinstance(local.jacobian, np.ndarray):
        y, z = _signed(local, rows, row_sign, row_free, bounds, bound_sign, bound_free)
    else:
        y, z = _by_rounds(local, rows, row_sign, row_free, bounds, bound_sign, bound_free)
    return measure(local, y, z, "least squares")


def _signed(local: Local, rows, row_sign, row_free, bounds, bound_sign, bound_free) -> tuple[np.ndarray, np.ndarray]:
    """Least squares with signs, exactly."""
    m, n = local.problem.m, local.problem.n
    unit = row_sign / np.maximum(local.norms[rows], TINY)
    columns = csr_array(local.jacobian[rows]).multiply(unit[:, None]).T
    eye = csr_array(eye_array(n, format="csr")[:, bounds]).multiply(bound_sign[None, :])
    signed = np.concatenate([~row_free, ~bound_free])
    fit = signed_least_squares(csr_array(hstack([columns, eye])), local.gradient, csr_array((0, len(signed))), signed)
    y, z = np.zeros(m), np.zeros(n)
    y[rows] = fit.u[: len(rows)] * unit
    z[bounds] = fit.u[len(rows) :] * bound_sign
    return y, z


def _by_rounds(local: Local, rows, row_sign, row_free, bounds, bound_sign, bound_free) -> tuple[np.ndarray, np.ndarray]:
    """For large data: least squares without signs, rows of wrong sign left out, again; bounds take what is left.

    A bound whose multiplier is free or comes out right removes its variable from the residual, so only the other
    variables count in the sum of squares."""
    m, n = local.problem.m, local.problem.n
    held = np.zeros(n, bool)
    held[bounds] = True
    y = np.zeros(m)
    for _ in range(ROUNDS):
        force = _unsigned(local, rows, held)
        wrong = ~row_free & (force * row_sign < 0)
        y = np.zeros(m)
        y[rows] = np.where(wrong, 0.0, force) / np.maximum(local.norms[rows], TINY)
        rest = -(local.gradient + local.jacobian.T @ y)
        pulls = held[bounds] & ~bound_free & (rest[bounds] * bound_sign < 0)
        if not (wrong.any() or pulls.any()):
            break
        rows, row_sign, row_free = rows[~wrong], row_sign[~wrong], row_free[~wrong]
        held[bounds[pulls]] = False
    z = np.zeros(n)
    z[bounds] = np.where(held[bounds], rest[bounds], 0.0)
    return y, z


def _unsigned(local: Local, rows: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Forces of the rows, each gradient of length one, that minimize the residual over variables that are not held."""
    if len(rows) == 0:
        return np.zeros(0)
    norms = np.maximum(local.norms[rows], TINY)
    free = (~held).astype(float)
    target = local.gradient * free
    if isinstance(local.jacobian, np.ndarray):
        matrix = local.jacobian if len(rows) == len(local.jacobian) else local.jacobian[rows]
        gram = (matrix * free if held.any() else matrix) @ matrix.T / norms / norms[:, None]
        right = -(matrix @ target) / norms
        return np.linalg.lstsq(gram, right, rcond=1e-14)[0]
    return _proximal(
        csc_array(csr_array(local.jacobian[rows]).multiply(1 / norms[:, None]).multiply(free[None, :]).T), target
    )


def _proximal(M: csc_array, c: np.ndarray) -> np.ndarray:
    """argmin ||M u + c||_2 of any rank by proximal steps, one sparse factorization for all of them:

    [ I    M      ] [s]   [ -c         ]
    [ M'  -DELTA I ] [u] = [ -DELTA u_k ]
    """
    rows, columns = M.shape
    if rows + columns > FACTORED:
        return -lsmr(M, c, atol=1e-14, btol=1e-14, conlim=0, maxiter=STEPS)[0]
    matrix = block_array([[eye_array(rows), M], [M.T, -DELTA * eye_array(columns)]])
    try:  # the ordering that does not mind dense rows
        factor = splu(csc_array(matrix), permc_spec="COLAMD", diag_pivot_thresh=1e-3)
    except RuntimeError:
        return np.zeros(columns)
    u = np.zeros(columns)
    for _ in range(PROXIMAL):
        right = np.concatenate([-c, -DELTA * u])
        solution = factor.solve(right)
        solution += factor.solve(right - matrix @ solution)
        step, u = float(np.abs(solution[rows:] - u).max()), solution[rows:]
        if not step > 1e-12 * float(np.abs(u).max()):
            break
    return u


def active_sides(room: tuple[np.ndarray, np.ndarray], width: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(indices, sign of the multiplier, whether it is free) of what is within `width` of a bound."""
    below, above = room
    low, high = below <= width, above <= width
    index = np.flatnonzero(low | high)
    low, high = low[index], high[index]
    return index, np.where(high, 1.0, -1.0), low & high
