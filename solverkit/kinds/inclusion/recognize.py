"""Bilinear payoffs among those that are written as expressions.

    phi(x, y) = c'x + x'A y - b'y + k       is read off its Hessian and its gradient at 0

so that methods for bilinear problems apply, and on two unit simplices the exact gap of a game: there x'1 = y'1 = 1, and
phi(x, y) = x'(A + c 1' - 1 b' + k 1 1') y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.kinds.inclusion import forms
from solverkit.kinds.inclusion.bilinear import MatrixOperator
from solverkit.kinds.inclusion.problem import Inclusion

if TYPE_CHECKING:
    from solverkit.expressions.function import Function
    from solverkit.kinds.base import Block
    from solverkit.operators.proximal import ProximalMap

LARGEST = 2000  # variables up to which a Hessian is formed
SPARSE = 0.25  # share of entries up to which a matrix is kept sparse


@dataclass(frozen=True, eq=False)
class BilinearPayoff(MatrixOperator):
    """The operator of a bilinear payoff, with its value."""

    constant: float = 0.0

    @property
    def sign(self) -> np.ndarray:
        """1 on x and -1 on y, (p + q,)."""
        return np.repeat([1.0, -1.0], self.shape)

    def payoff(self, u: np.ndarray) -> float:
        """phi(x, y)."""
        p = self.shape[0]
        x, y = u[:p], u[p:]
        return float(self.linear_x @ x + x @ (self.matrix @ y) - self.linear_y @ y) + self.constant


def bilinear_payoff(function: Function, p: int) -> BilinearPayoff | None:
    """The operator of phi where it is bilinear in its first p variables and the others; None elsewhere."""
    n = function.inputs
    if function.degree not in (0, 1, 2) or n > LARGEST:
        return None
    zero = np.zeros(n)
    hessian = csr_array(function.hessian(zero, np.ones(1)))
    hessian.eliminate_zeros()
    A = csr_array(hessian[:p, p:])
    if A.nnz == 0 or hessian[:p, :p].nnz or hessian[p:, p:].nnz:
        return None
    slope, value = function.gradient(zero), float(function.value(zero)[0])
    matrix: Any = A if A.nnz <= SPARSE * A.shape[0] * A.shape[1] else np.ascontiguousarray(A.toarray())
    return BilinearPayoff(matrix, slope[:p].copy(), -slope[p:], constant=value)


def bilinear_saddle(name: str, part: BilinearPayoff, blocks: Sequence[Block], sets: Sequence[ProximalMap]) -> Inclusion:
    """The saddle problem of a bilinear payoff: a matrix game where both sets are unit simplices."""
    from solverkit.operators.proximal import Simplex

    if all(isinstance(one, Simplex) and one.total == 1 for one in sets):
        shifts = np.add.outer(part.linear_x + part.constant, -part.linear_y)
        payoff = part.matrix + shifts if shifts.any() else part.matrix
        return replace(forms.matrix_game(name, payoff), variables=tuple(blocks))
    return Inclusion(name, tuple(blocks), part, tuple(sets), "saddle")
