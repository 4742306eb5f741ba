"""A Gram matrix that can be factored in every order.

    S <- S + r diag(s),   s_j = S_jj,  or the mean of the others where column j is constant

r = 0 wherever the correlation matrix has a reciprocal condition number above `LEAST`; otherwise the least power of ten
from `FIRST` on that brings it there. Fewer samples than variables, collinear, duplicate and constant columns need it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg.lapack import dpocon, dpotrf, dpstrf

from solverkit.errors import UsageError

LEAST = 1e-12
FIRST = 1e-9


def conditioned(gram: np.ndarray, ridge: float | None, log: Callable[[str], None] | None = None) -> np.ndarray:
    """S with the ridge that it needs, or with the one asked for; `log` hears of what was added."""
    diagonal = np.diag(gram).copy()
    if not np.isfinite(gram).all():
        raise UsageError("the Gram matrix holds NaN or infinite entries: remove or fill in missing values")
    if not (diagonal > 0).any():
        raise UsageError("every column is constant: there is nothing to learn")
    scale = np.where(diagonal > 0, diagonal, diagonal[diagonal > 0].mean())
    if ridge is not None:
        return gram + np.diag(ridge * scale)
    root = np.sqrt(scale)
    correlation = gram / np.outer(root, root)
    added = 0.0
    while reciprocal_condition(correlation + added * np.eye(len(gram))) < LEAST:
        added = FIRST if added == 0.0 else 10 * added
        if added > 1.0:
            raise UsageError("the Gram matrix is not positive semidefinite: it is not X'X / n of any samples")
    if added and log is not None:
        log(
            f"the columns are linearly dependent to rounding: a ridge of {added:g} of each variance was added; weights "
            "between dependent columns are not unique"
        )
    return gram + np.diag(added * scale)


def refuse_dependent(gram: np.ndarray, names: tuple[str, ...], n: int) -> None:
    """UsageError where columns depend on others: a likelihood with its own variance for each has no bound then."""
    scale = np.sqrt(np.where(np.diag(gram) > 0, np.diag(gram), 1.0))
    correlation = gram / np.outer(scale, scale)
    if reciprocal_condition(correlation) >= LEAST:
        return
    _, pivots, rank, _ = dpstrf(correlation, lower=1, tol=1e-11)
    chosen = ", ".join(names[k] for k in sorted(pivots[rank:] - 1)[:10]) or names[int(pivots[-1]) - 1]
    raise UsageError(
        f"the score bic has no lower bound: given the others, nothing is left of {chosen} ({n} samples, {len(gram)} "
        "variables). Drop constant, duplicate and combined columns, bring more samples than variables, or set ridge"
    )


def reciprocal_condition(matrix: np.ndarray) -> float:
    """LAPACK's estimate in the 1-norm; 0 where the matrix is not positive definite."""
    norm = float(np.abs(matrix).sum(axis=0).max())
    factor, info = dpotrf(matrix, lower=1)
    if info:
        return 0.0
    found, info = dpocon(factor, norm, uplo="L")
    return float(found) if info == 0 else 0.0
