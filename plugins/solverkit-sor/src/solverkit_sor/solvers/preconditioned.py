"""CG with a preconditioner from a library, in its flexible form (Notay 2000).

    b_k = z_new'(r_new - r) / z'r      instead of z_new'r_new / z'r

Multigrid cycles and incomplete factors with dropping are not exactly symmetric; this form copes with that for one more
inner product. The product with A is `kernels.cg`'s; the preconditioner dominates the time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solverkit_sor.kernels.cg import multiply
from solverkit_sor.kernels.splitting import Pattern
from solverkit_sor.solvers.base import Outcome, Start


def flexible_cg(
    begin: Start, pattern: Pattern, precondition: Callable[[np.ndarray], np.ndarray], cap: int
) -> tuple[int, Outcome]:
    """Solve from `begin`, whose x and r are overwritten. Returns (iterations, how it ended)."""
    x, r, data = begin.x, begin.r, begin.matrix.data
    q, norm = np.empty_like(r), begin.norm
    p, rho = np.zeros_like(r), 1.0
    before = np.zeros_like(r)
    for k in range(cap):
        if norm <= begin.target:
            return k, Outcome.CONVERGED
        z = precondition(r)
        beta = float(z @ (r - before)) / rho if k else 0.0
        rho = float(z @ r)
        p = z + beta * p
        curvature = multiply(pattern.indptr, pattern.indices, data, p, q)
        if not curvature > 0 or not rho > 0:
            return k, Outcome.BROKEN if np.isfinite(curvature) and np.isfinite(rho) else Outcome.DIVERGED
        before = r.copy()
        alpha = rho / curvature
        x += alpha * p
        r -= alpha * q
        norm = float(np.linalg.norm(r))
        if not np.isfinite(norm):
            return k + 1, Outcome.DIVERGED
    return cap, Outcome.CONVERGED if norm <= begin.target else Outcome.CAPPED
