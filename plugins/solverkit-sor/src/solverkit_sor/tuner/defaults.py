"""The space that `auto` stands for, and what its arms may be expected to cost before any of them was tried."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.errors import UsageError
from solverkit_sor.solvers.base import Matrices
from solverkit_sor.tuner.backstop import Attempt, Backstop
from solverkit_sor.tuner.space import Arms, Choice, Parameters, Real

SHARE = {"cg": 1.0, "ssor-cg": 0.35, "sor": 5.0, "ilu": 0.3, "gmres": 1.5}
"""Iterations relative to those of the first, safe solve: orders of magnitude on meshes, which the first rounds
correct."""

FEW = {"amg": 8, "direct": 1}
"""Iterations of solvers whose number does not grow with the safe solver's."""


def automatic_space(matrix: csr_array, matrices: Matrices, safe: Parameters) -> list[dict[str, Any]]:
    """What fits this matrix; the safe solver first."""
    if not positive_definite_looks(matrix, matrices):
        return [
            safe,
            *({"solver": solver} for solver in ("gmres", "direct") if safe != {"solver": solver}),
            {"solver": "ilu", "drop": Real(1e-4, 1e-1, 4, "log"), "refresh": "lazy"},
        ]
    spaces: list[dict[str, Any]] = [
        safe,
        {"solver": "ssor-cg", "w": Real(1.0, 1.95, 12, "relaxation")},
        {"solver": "ssor-cg", "formula": Real(0.5, 8.0, 5, "log")},
        {"solver": "direct", "refresh": Choice("changed", "lazy")},
    ]
    if find_spec("pyamg") is not None:
        spaces.append({"solver": "amg", "kind": "rs", "refresh": Choice("lazy", "always")})
    return spaces


def positive_definite_looks(matrix: csr_array, matrices: Matrices) -> bool:
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


def guesses(arms: Arms, backstop: Backstop, matrix: csr_array, first: Attempt) -> np.ndarray:
    """(arms,) expected work of each arm, from the iterations of the first solve."""
    n, nnz = matrix.shape[0], matrix.nnz
    result = np.empty(len(arms))
    for arm, parameters in enumerate(arms.parameters):
        solver = parameters["solver"]
        iterations = FEW.get(solver, max(1, round(SHARE.get(solver, 1.0) * first.iterations)))
        result[arm] = backstop.predicted(parameters, n, nnz, iterations)
    return result
