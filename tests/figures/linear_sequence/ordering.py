"""Iterations by relaxation and ordering: whether there is anything to tune.

I + alpha L on 100 x 100 points; the solution is 1 with noise of variance 1; relative residual 1e-8. Natural order; red
before black; four colours; tiles of 16 x 16, coloured red-black, in their natural order inside.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, eye_array

from solverkit_sor.generators.grid import laplacian
from solverkit_sor.solvers.base import Matrices
from solverkit_sor.solvers.cg import CG
from solverkit_sor.solvers.relaxed import SOR, SSORCG

M = 100
RELAXATIONS = (1.0, 1.2, 1.5, 1.7, 1.8, 1.9, 1.95)


def orders() -> dict[str, np.ndarray]:
    """Row numbers in the order in which each ordering visits them."""
    i, j = (index.ravel() for index in np.indices((M, M)))
    natural = np.arange(M * M)
    tile_row, tile_column = i // 16, j // 16
    return {
        "natural": natural,
        "red-black": np.lexsort((natural, (i + j) % 2)),
        "4-colour": np.lexsort((natural, 2 * (i % 2) + j % 2)),
        "16 x 16 tiles": np.lexsort((natural, tile_column, tile_row, (tile_row + tile_column) % 2)),
    }


def main() -> None:
    for alpha in (5, 500):
        A = csr_array(eye_array(M * M) + alpha * laplacian(M))
        b = A @ (1 + np.random.default_rng(0).standard_normal(M * M))
        print(f"\nalpha = {alpha}: CG takes {CG().solve(A, b).iterations} iterations")
        print(f"{'':10s}{'order':16s}" + "".join(f"{f'w = {w:g}':>9s}" for w in RELAXATIONS))
        for kind in (SSORCG, SOR) if alpha == 500 else (SSORCG,):
            for name, order in orders().items():
                matrix, solver = csr_array(A[order][:, order]), kind(Matrices())
                counts = [solver.solve(matrix, b[order], parameters={"w": w}).iterations for w in RELAXATIONS]
                print(f"{kind.name:10s}{name:16s}" + "".join(f"{count:9d}" for count in counts))
