"""lambda_min(D^{-1} A) along a sequence, from one vector.

    gap_t ~ v'A_t v / v'D_t v,   v near the lowest eigenvector of the first matrix

Exact where the matrices share that eigenvector (A + c I with a constant diagonal, I + alpha L), an upper bound
elsewhere. v comes from a few steps of inverse iteration, A v_new = D v, each solved roughly.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from solverkit_sor.solvers.cg import CG

STEPS = 4  # of inverse iteration: the Rayleigh quotient's error falls with the eighth power of the ratio of eigenvalues
ROUGH = 1e-3  # relative residual of each


class Gap:
    """Holds v; `state` and `load` for checkpoints."""

    def __init__(self) -> None:
        self.vector: np.ndarray | None = None  # (n,)
        self.iterations = 0  # of CG that it took
        self.work = 0.0

    def of(self, matrix: csr_array) -> float:
        """The gap of `matrix`; builds v at the first call. One product with A otherwise."""
        diagonal = matrix.diagonal()
        if self.vector is None:
            solver = CG()
            v = np.ones(len(diagonal))
            for _ in range(STEPS):
                solved = solver.solve(matrix, diagonal * v, rtol=ROUGH, parameters={"preconditioner": "jacobi"})
                self.iterations += solved.iterations
                self.work += solved.work
                size = float(np.linalg.norm(solved.x))
                if not (np.isfinite(size) and size > 0):  # singular: whatever stands here, its gap is no help
                    break
                v = solved.x / size
            self.vector = v
        v = self.vector
        return float(v @ (matrix @ v)) / float(v @ (diagonal * v))
