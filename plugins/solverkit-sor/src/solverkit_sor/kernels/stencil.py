"""Red-black SOR on a 5-point stencil, the two colours stored apart (Young 1971; Saad 2003, section 12.4.1).

Problem, on a grid of (rows, columns) in C order with zeros around it:

    centre x_ij + west x_i,j-1 + east x_i,j+1 + north x_i-1,j + south x_i+1,j = b_ij

A sweep relaxes the red points (i + j even) and then the black ones. Points of one colour do not couple, so that a row
of one colour is a plain loop over contiguous memory, which the compiler vectorizes; interleaved in one array it is not.

    colour[i + 1, c + 1] holds the point of that colour number c in row i;  a border of zeros is the boundary
    red point c of row i:    column 2 c + i mod 2;      its row neighbours are black c - 1 + i mod 2 and the one after
    black point c of row i:  column 2 c + 1 - i mod 2;  its row neighbours are red c - i mod 2 and the one after

Sweeps are interleaved in one pass over memory: red row i, then black row i - 1, then red row i - 2 of the next sweep,
and so on. Every row finds the neighbours that it would find were each sweep finished first, so that the numbers are the
same to the last bit; the memory is read once for `BLOCK` sweeps. Minimum traffic of one sweep: 24 bytes an unknown with
constant coefficients (x read and written, b read), 56 with variable ones.

Values are scaled to centre = 1, and signs turned: x += w (b + west x_w + east x_e + north x_n + south x_s - x).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import prange, set_num_threads
from scipy.sparse import csr_array

from solverkit.errors import UsageError
from solverkit.kernels import njit
from solverkit_sor.kernels.flags import VECTORS

BLOCK = (
    8  # sweeps in one pass over memory: 2 * 8 rows of both colours stay in the first-level cache up to 1,000 columns
)
THREADS_FROM = 200_000  # unknowns: below, waking a thread costs more than its half of the sweep


Colours = tuple[np.ndarray, np.ndarray]
"""Red and black, each (rows + 2, half + 2) with half = (columns + 1) // 2, a border of zeros around."""


@dataclass(frozen=True)
class Stencil:
    """A 5-point matrix on a grid, scaled to centre = 1; couplings in the order west, east, north, south."""

    shape: tuple[int, int]
    centre: np.ndarray  # (rows, columns) a_ii of the user's matrix
    weights: Colours  # centre by colour
    constant: np.ndarray  # (4,) couplings where they do not vary; NaN otherwise
    coloured: tuple[np.ndarray, np.ndarray] | None  # otherwise by colour, each (4, rows + 2, half + 2)

    @staticmethod
    def of(matrix: csr_array, shape: tuple[int, ...]) -> Stencil:
        """The stencil of `matrix` (n, n) on a grid `shape` (rows, columns).

        Raises UsageError where it has other entries, or a zero on its diagonal."""
        if len(shape) != 2 or shape[0] * shape[1] != matrix.shape[0]:
            raise UsageError(f"a matrix of {matrix.shape[0]} rows does not live on a grid of shape {shape}")
        rows, columns = int(shape[0]), int(shape[1])
        centre = matrix.diagonal().reshape(shape)
        if not (np.isfinite(matrix.data).all() and (centre != 0).all()):
            raise UsageError("a stencil needs finite values and a nonzero diagonal")
        couplings = np.zeros((4, rows, columns))
        if columns > 1:
            couplings[0].ravel()[1:] = matrix.diagonal(-1)
            couplings[1].ravel()[:-1] = matrix.diagonal(1)
        if rows > 1:
            couplings[2].ravel()[columns:] = matrix.diagonal(-columns)
            couplings[3].ravel()[:-columns] = matrix.diagonal(columns)
        outside = couplings[0, :, 0].any() or couplings[1, :, -1].any()
        if outside or np.count_nonzero(couplings) + centre.size != np.count_nonzero(matrix.data):
            raise UsageError(f"the matrix couples others than the four neighbours on a grid of shape {shape}")
        scaled = -couplings / centre
        constant = _constant(scaled)
        if constant is not None:
            return Stencil((rows, columns), centre, split(centre), constant, None)
        red, black = zip(*(split(one) for one in scaled), strict=True)
        coloured = (np.stack(red), np.stack(black))
        return Stencil((rows, columns), centre, split(centre), np.full(4, np.nan), coloured)

    def sweep(self, x: Colours, b: Colours, w: float, count: int, n_jobs: int = 1) -> None:
        """`count` SOR sweeps on `x` in place; `b` is scaled by 1 / centre.

        `n_jobs` threads, from 200,000 unknowns on and with constant coefficients."""
        rows, columns = self.shape
        if n_jobs > 1 and rows * columns >= THREADS_FROM and self.coloured is None:
            set_num_threads(n_jobs)
            _constant_sweeps_parallel(*x, *b, *self.constant, w, columns, count, n_jobs)
            return
        while count > 0:
            block = min(count, BLOCK)
            if self.coloured is None:
                _constant_sweeps(*x, *b, *self.constant, w, columns, block)
            else:
                _variable_sweeps(*x, *b, *self.coloured, w, columns, block)
            count -= block

    def norm(self, x: Colours, b: Colours) -> float:
        """|b - A x|_2 of the user's system; `b` is scaled by 1 / centre."""
        if self.coloured is None:
            return float(_constant_norm(*x, *b, *self.weights, *self.constant, self.shape[1]))
        return float(_variable_norm(*x, *b, *self.weights, *self.coloured, self.shape[1]))


def split(grid: np.ndarray) -> Colours:
    """The colours of a (rows, columns) array."""
    rows, columns = grid.shape
    colours = np.zeros((2, rows + 2, (columns + 1) // 2 + 2))
    for parity in (0, 1):
        part = grid[parity::2]
        red, black = part[:, parity::2], part[:, 1 - parity :: 2]
        colours[0, 1 + parity : rows + 1 : 2, 1 : 1 + red.shape[1]] = red
        colours[1, 1 + parity : rows + 1 : 2, 1 : 1 + black.shape[1]] = black
    return colours[0], colours[1]


def join(red: np.ndarray, black: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The (rows, columns) array of two colours."""
    rows = shape[0]
    grid = np.empty(shape)
    for parity in (0, 1):
        part = grid[parity::2]
        even, odd = part[:, parity::2], part[:, 1 - parity :: 2]
        even[:] = red[1 + parity : rows + 1 : 2, 1 : 1 + even.shape[1]]
        odd[:] = black[1 + parity : rows + 1 : 2, 1 : 1 + odd.shape[1]]
    return grid


def _constant(scaled: np.ndarray) -> np.ndarray | None:
    """The four couplings where each is the same at every point that has that neighbour, else None."""
    west, east, north, south = scaled
    inner = (west[:, 1:], east[:, :-1], north[1:], south[:-1])
    if all(part.size == 0 or (part == part.flat[0]).all() for part in inner):
        return np.array([part.flat[0] if part.size else 0.0 for part in inner])
    return None


@njit(**VECTORS)
def _constant_row(own, other, b, west, east, north, south, w, i, shift, width):
    """Relax one row of one colour; its row neighbours in the other colour begin at `shift`, 0 or 1."""
    # Slices that all begin at index 0: an index c + shift might be negative for all that the compiler knows, and would
    # keep the loop from being vectorized.
    x, rhs = own[i, 1 : width + 1], b[i, 1 : width + 1]
    above, below = other[i - 1, 1 : width + 1], other[i + 1, 1 : width + 1]
    left, right = other[i, shift : shift + width], other[i, shift + 1 : shift + 1 + width]
    for c in range(width):
        around = west * left[c] + east * right[c] + north * above[c] + south * below[c]
        x[c] += w * (rhs[c] + around - x[c])


@njit(**VECTORS)
def _variable_row(own, other, b, coupling, w, i, shift, width):
    """As `_constant_row`, with `coupling` (4, rows + 2, half + 2) of this colour."""
    x, rhs = own[i, 1 : width + 1], b[i, 1 : width + 1]
    above, below = other[i - 1, 1 : width + 1], other[i + 1, 1 : width + 1]
    left, right = other[i, shift : shift + width], other[i, shift + 1 : shift + 1 + width]
    west, east = coupling[0, i, 1 : width + 1], coupling[1, i, 1 : width + 1]
    north, south = coupling[2, i, 1 : width + 1], coupling[3, i, 1 : width + 1]
    for c in range(width):
        around = west[c] * left[c] + east[c] * right[c] + north[c] * above[c] + south[c] * below[c]
        x[c] += w * (rhs[c] + around - x[c])


@njit(**VECTORS)
def _constant_square(own, other, b, weight, west, east, north, south, i, shift, width):
    """Sum of squared residuals of one row of one colour."""
    x, rhs, scale = own[i, 1 : width + 1], b[i, 1 : width + 1], weight[i, 1 : width + 1]
    above, below = other[i - 1, 1 : width + 1], other[i + 1, 1 : width + 1]
    left, right = other[i, shift : shift + width], other[i, shift + 1 : shift + 1 + width]
    total = 0.0
    for c in range(width):
        r = scale[c] * (rhs[c] + west * left[c] + east * right[c] + north * above[c] + south * below[c] - x[c])
        total += r * r
    return total


@njit(**VECTORS)
def _variable_square(own, other, b, weight, coupling, i, shift, width):
    """As `_constant_square`, with `coupling` (4, rows + 2, half + 2) of this colour."""
    x, rhs, scale = own[i, 1 : width + 1], b[i, 1 : width + 1], weight[i, 1 : width + 1]
    above, below = other[i - 1, 1 : width + 1], other[i + 1, 1 : width + 1]
    left, right = other[i, shift : shift + width], other[i, shift + 1 : shift + 1 + width]
    west, east = coupling[0, i, 1 : width + 1], coupling[1, i, 1 : width + 1]
    north, south = coupling[2, i, 1 : width + 1], coupling[3, i, 1 : width + 1]
    total = 0.0
    for c in range(width):
        around = west[c] * left[c] + east[c] * right[c] + north[c] * above[c] + south[c] * below[c]
        total += (scale[c] * (rhs[c] + around - x[c])) ** 2
    return total


@njit(**VECTORS)
def _constant_norm(red, black, b_red, b_black, w_red, w_black, west, east, north, south, columns):
    total = 0.0
    for i in range(1, red.shape[0] - 1):
        odd = (i - 1) % 2
        some, others = (columns + 1 - odd) // 2, (columns + odd) // 2
        total += _constant_square(red, black, b_red, w_red, west, east, north, south, i, odd, some)
        total += _constant_square(black, red, b_black, w_black, west, east, north, south, i, 1 - odd, others)
    return np.sqrt(total)


@njit(**VECTORS)
def _variable_norm(red, black, b_red, b_black, w_red, w_black, on_red, on_black, columns):
    total = 0.0
    for i in range(1, red.shape[0] - 1):
        odd = (i - 1) % 2
        total += _variable_square(red, black, b_red, w_red, on_red, i, odd, (columns + 1 - odd) // 2)
        total += _variable_square(black, red, b_black, w_black, on_black, i, 1 - odd, (columns + odd) // 2)
    return np.sqrt(total)


@njit(**VECTORS)
def _constant_sweeps(red, black, b_red, b_black, west, east, north, south, w, columns, count):
    rows = red.shape[0] - 2
    for front in range(1, rows + 2 * count):
        for sweep in range(count):
            i = front - 2 * sweep
            if 1 <= i <= rows:
                odd = (i - 1) % 2
                _constant_row(red, black, b_red, west, east, north, south, w, i, odd, (columns + 1 - odd) // 2)
            i -= 1
            if 1 <= i <= rows:
                odd = (i - 1) % 2
                _constant_row(black, red, b_black, west, east, north, south, w, i, 1 - odd, (columns + odd) // 2)


@njit(**VECTORS)
def _variable_sweeps(red, black, b_red, b_black, on_red, on_black, w, columns, count):
    rows = red.shape[0] - 2
    for front in range(1, rows + 2 * count):
        for sweep in range(count):
            i = front - 2 * sweep
            if 1 <= i <= rows:
                odd = (i - 1) % 2
                _variable_row(red, black, b_red, on_red, w, i, odd, (columns + 1 - odd) // 2)
            i -= 1
            if 1 <= i <= rows:
                odd = (i - 1) % 2
                _variable_row(black, red, b_black, on_black, w, i, 1 - odd, (columns + odd) // 2)


@njit(parallel=True, **VECTORS)
def _constant_sweeps_parallel(red, black, b_red, b_black, west, east, north, south, w, columns, count, parts):
    """One colour at a time, its rows shared among threads."""
    rows = red.shape[0] - 2
    for _ in range(count):
        for part in prange(parts):
            for i in range(1 + part * rows // parts, 1 + (part + 1) * rows // parts):
                odd = (i - 1) % 2
                _constant_row(red, black, b_red, west, east, north, south, w, i, odd, (columns + 1 - odd) // 2)
        for part in prange(parts):
            for i in range(1 + part * rows // parts, 1 + (part + 1) * rows // parts):
                odd = (i - 1) % 2
                _constant_row(black, red, b_black, west, east, north, south, w, i, 1 - odd, (columns + odd) // 2)
