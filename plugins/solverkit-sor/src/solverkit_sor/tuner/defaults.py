"""The space that `auto` stands for, and what its arms may be expected to cost before any of them was tried."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.errors import UsageError
from solverkit_sor.solvers.base import Matrices
from solverkit_sor.tuner.backstop import Backstop
from solverkit_sor.tuner.space import Arms, Choice, Parameters, Real

SHARE = {"cg": 4.0, "ssor-cg": 1.0, "sor": 15.0, "ilu": 1.0, "gmres": 5.0}
"""Iterations relative to SSOR-CG's: orders of magnitude on meshes, which the first rounds correct."""

FEW = {"amg": 8, "direct": 1}
"""Iterations of solvers whose number does not grow with SSOR-CG's."""

STALE = 5
"""Iterations with a factor that is kept for other matrices."""

SYMMETRIC = ("cg", "ssor-cg", "amg")
"""Solvers that are of no use to other matrices."""


def automatic_space(definite: bool, safe: Parameters) -> list[dict[str, Any]]:
    """What fits the matrices; what should do well at once comes first. `definite`: they may be positive definite.

    The classical formula (`formula`: 2 - w in units of what it gives) is left out: along heat flow with 40 to 5,000
    steps its arms cost more rounds than they saved, as a dozen values of w are known after about as many systems.
    """
    if not definite:
        return [
            {"solver": "ilu", "drop": Real(1e-4, 1e-1, 4, "log"), "refresh": "lazy"},
            {"solver": "gmres"},
            {"solver": "direct", "refresh": Choice("changed", "lazy")},
        ]
    spaces: list[dict[str, Any]] = [
        {"solver": "ssor-cg", "w": Real(1.0, 1.95, 12, "relaxation")},
        safe,
        {"solver": "direct", "refresh": Choice("changed", "lazy")},
    ]
    if find_spec("pyamg") is not None:
        spaces.append({"solver": "amg", "kind": "rs", "refresh": Choice("lazy", "always")})
    return spaces


def may_be_definite(matrix: csr_array, matrices: Matrices) -> bool:
    """Whether the matrix is symmetric with a positive diagonal, as far as one pass over it can tell."""
    pattern = matrices.pattern(matrix)
    if pattern.missing >= 0 or not pattern.symmetric:
        return False
    try:
        split = matrices.split(matrix)
    except UsageError:
        if not np.isfinite(matrix.data).all():
            raise
        return False
    return split.symmetric and split.positive


def guesses(arms: Arms, backstop: Backstop, matrix: csr_array, first: Parameters, iterations: int) -> np.ndarray:
    """(arms,) expected work of each arm, from the iterations of the arm `first` on this matrix."""
    n, nnz = matrix.shape[0], matrix.nnz
    unit = iterations / SHARE.get(first["solver"], 1.0)
    result = np.empty(len(arms))
    for arm, parameters in enumerate(arms.parameters):
        solver = parameters["solver"]
        count = FEW.get(solver, max(1, round(SHARE.get(solver, 1.0) * unit)))
        if solver == "direct" and parameters.get("refresh") == "lazy" and not backstop.constant:
            count = STALE
        result[arm] = backstop.predicted(parameters, n, nnz, count)
    return result
