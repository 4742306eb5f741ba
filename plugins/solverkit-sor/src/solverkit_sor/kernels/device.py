"""Stencil sweeps and Chebyshev iteration in torch: the same source on a CPU and on a device.

Problem, on a grid of (rows, columns): a 5-point matrix A with zeros around, scaled as in `stencil`,

    x_ij = b_ij + west x_i,j-1 + east x_i,j+1 + north x_i-1,j + south x_i+1,j

*Red-black SOR.* The layout of `stencil`: each colour dense, with a border of zeros. A colour is relaxed by whole-array
operations; which of its row neighbours lie at c - 1 and which at c + 1 alternates by row, so that even and odd rows are
two strided views. No value leaves the device between two residuals, `every` sweeps apart.

*Chebyshev iteration* (Saad 2003, section 12.3.2) on D^{-1} A with eigenvalues in [low, high]:

    theta = (high + low)/2, delta = (high - low)/2, sigma = theta/delta, rho_0 = 1/sigma
    d_0 = r_0 / theta;   x += d;   r = b - A x;   rho_k+1 = 1/(2 sigma - rho_k)
    d_k+1 = rho_k+1 rho_k d_k + 2 rho_k+1 / delta r_k+1

It needs no inner product, hence no synchronization, and as a smoother only the upper part [high / ratio, high].

| here | paper | meaning |
|---|---|---|
| w | omega | relaxation |
| low, high | alpha, beta | interval of the spectrum |
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array

from solverkit_sor.kernels.stencil import Stencil, join, split

Pair = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class DeviceStencil:
    """A 5-point matrix on a device. Couplings of each colour: west, east, north, south, as numbers or arrays."""

    shape: tuple[int, int]
    couplings: tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]  # of red, of black
    weights: Pair  # centre of the user's matrix by colour
    masks: Pair  # 1 on points of the grid, 0 on the border: a half row may end a point earlier

    @staticmethod
    def of(
        matrix: csr_array, shape: tuple[int, int], device: str = "cpu", dtype: torch.dtype = torch.float64
    ) -> DeviceStencil:
        """The stencil of a matrix (n, n) on a grid. Raises UsageError as `Stencil.of` does."""
        stencil = Stencil.of(matrix, shape)

        def moved(array: np.ndarray) -> torch.Tensor:
            return torch.as_tensor(np.ascontiguousarray(array), dtype=dtype, device=device)

        if stencil.coloured is None:
            numbers = tuple(moved(stencil.constant))
            couplings = (numbers, numbers)
        else:
            red, black = (moved(colour[:, 1:-1, 1:-1]) for colour in stencil.coloured)
            couplings = (tuple(red), tuple(black))
        ones = split(np.ones(shape))
        pairs = [(moved(red[1:-1, 1:-1]), moved(black[1:-1, 1:-1])) for red, black in (stencil.weights, ones)]
        return DeviceStencil(stencil.shape, couplings, pairs[0], pairs[1])

    # -- data

    def colours(self, grid: np.ndarray) -> Pair:
        """A (rows, columns) array as two colours with their borders, on the device."""
        like = self.weights[0]
        red, black = (torch.as_tensor(part.copy(), dtype=like.dtype, device=like.device) for part in split(grid))
        return red, black

    def grid(self, pair: Pair) -> np.ndarray:
        """Back to (rows, columns) in float64."""
        red, black = (part.detach().to("cpu", torch.float64).numpy() for part in pair)
        return join(red, black, self.shape)

    # -- operations; pairs have borders, and `b` is scaled by 1 / centre

    def around(self, colour: int, other: torch.Tensor) -> torch.Tensor:
        """Weighted sum of the four neighbours of a colour's points: (rows, half)."""
        west, east, north, south = self.couplings[colour]
        here, lower, upper = other[1:-1, 1:-1], other[1:-1, :-2], other[1:-1, 2:]
        total = north * other[:-2, 1:-1] + south * other[2:, 1:-1]
        # Beside red c lie black c - 1 and c in even rows, black c and c + 1 in odd ones; the reverse beside black c.
        first, second = (0, 1) if colour == 0 else (1, 0)
        for parity, left, right in ((first, lower, here), (second, here, upper)):
            rows = slice(parity, None, 2)
            total[rows] += _rows(west, rows) * left[rows] + _rows(east, rows) * right[rows]
        return total

    def sweep(self, x: Pair, b: Pair, w: float, count: int) -> None:
        """`count` red-black SOR sweeps in place; nothing is waited for."""
        for _ in range(count):
            for colour in (0, 1):
                own = x[colour][1:-1, 1:-1]
                step = b[colour][1:-1, 1:-1] + self.around(colour, x[1 - colour]) - own
                own += w * step * self.masks[colour]

    def residual(self, x: Pair, b: Pair) -> Pair:
        """b - A x of the scaled system, without borders."""
        red, black = (
            (b[colour][1:-1, 1:-1] + self.around(colour, x[1 - colour]) - x[colour][1:-1, 1:-1]) * self.masks[colour]
            for colour in (0, 1)
        )
        return red, black

    def norm(self, x: Pair, b: Pair) -> torch.Tensor:
        """|b - A x|_2 of the user's system, still on the device."""
        squares = [((r * c) ** 2).sum() for r, c in zip(self.residual(x, b), self.weights, strict=True)]
        return torch.sqrt(squares[0] + squares[1])

    def chebyshev(self, x: Pair, b: Pair, low: float, high: float, count: int) -> None:
        """`count` steps on D^{-1} A in place, for a spectrum in [low, high]; nothing is waited for."""
        theta, delta = 0.5 * (high + low), 0.5 * (high - low)
        sigma = theta / delta
        rho = 1.0 / sigma
        steps = [r / theta for r in self.residual(x, b)]
        for k in range(count):
            for colour in (0, 1):
                x[colour][1:-1, 1:-1] += steps[colour]
            if k + 1 == count:
                break
            following = 1.0 / (2.0 * sigma - rho)
            for step, r in zip(steps, self.residual(x, b), strict=True):
                step.mul_(following * rho).add_(r, alpha=2.0 * following / delta)
            rho = following

    def solve_sor(self, x: Pair, b: Pair, w: float, target: float, cap: int, every: int = 16) -> tuple[int, float]:
        """Sweep until |b - A x| <= target, looked at every `every` sweeps. Returns (sweeps, |b - A x|)."""
        count, norm = 0, float(self.norm(x, b))
        while norm > target and count < cap:
            block = min(every, cap - count)
            self.sweep(x, b, w, block)
            count += block
            norm = float(self.norm(x, b))
        return count, norm


def _rows(coupling: torch.Tensor, rows: slice) -> torch.Tensor:
    """Those rows of a coupling; a number as it is."""
    return coupling if coupling.ndim == 0 else coupling[rows]
