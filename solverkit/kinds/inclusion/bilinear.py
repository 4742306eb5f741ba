"""The operator of a bilinear saddle problem, by its matrix.

    min_x max_y  c'x + x'A y - b'y,      F(x, y) = (c + A y, b - A'x),      x (p,), y (q,)

As a sum of n = max(p, q) components: component i samples column i for x and row i for y, where there are such,

    F_i(x, y) / (n q_i) = (c + A_:i y_i / q_i,  b - A_i: x_i / q_i),     sum_i q_i of it = F.

The mean-square Lipschitz constant is the least for q_i proportional to m_i = max(||A_i:||^2, ||A_:i||^2):

    E ||F_i(u) - F_i(v)||^2 / (n q_i)^2 = sum_i (||A_:i||^2 dy_i^2 + ||A_i:||^2 dx_i^2) / q_i <= (sum_i m_i) ||u-v||^2,

between ||A||_F^2 and 2 ||A||_F^2. A kernel that draws the row and the column independently, each by its own squared
norms (`row_norms`, `column_norms`), has ||A||_F^2 itself.

| here | paper (arXiv 2310.02987) | meaning |
|---|---|---|
| matrix | A | the payoff of x against y |
| weights | q | probabilities of the components |
| mean_lipschitz | L_Q | (sum_i m_i)^(1/2) |
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csc_array, csr_array, issparse

from solverkit.operators.quadratic import array_digest, matrix_digest

if TYPE_CHECKING:
    from solverkit.kinds.inclusion.operator import Operator

EXACT = 256  # the smaller side of a matrix up to which its spectral norm is worked out beforehand


@dataclass(frozen=True, eq=False)
class MatrixOperator:
    """F(x, y) = (c + A y, b - A'x); see the module. `matrix` is a C-ordered array or a csr_array."""

    matrix: Any  # A, (p, q)
    linear_x: np.ndarray  # c, (p,)
    linear_y: np.ndarray  # b, (q,)
    device: str = "cpu"
    dtype: str = "float64"
    given: MatrixOperator | None = None  # what this was made of by `to`
    cocoercive: bool = field(default=False, init=False)  # never, but for A = 0: the operator is skew

    @classmethod
    def of(cls, matrix: Any, linear_x: Any = 0.0, linear_y: Any = 0.0) -> MatrixOperator:
        """The operator of a matrix, dense or sparse, with linear terms that default to 0."""
        A = csr_array(matrix, dtype=float) if issparse(matrix) else np.ascontiguousarray(matrix, dtype=float)
        if isinstance(A, csr_array):
            A.sum_duplicates()
        p, q = A.shape
        c = np.array(np.broadcast_to(np.asarray(linear_x, dtype=float), p))
        return cls(A, c, np.array(np.broadcast_to(np.asarray(linear_y, dtype=float), q)))

    @property
    def shape(self) -> tuple[int, int]:
        """(p, q)."""
        return self.matrix.shape

    @property
    def size(self) -> int:
        """p + q."""
        return sum(self.shape)

    @property
    def count(self) -> int:
        """n = max(p, q)."""
        return max(self.shape)

    @cached_property
    def row_norms(self) -> np.ndarray:
        """||A_i:||, (p,)."""
        return self._norms(axis=1)

    @cached_property
    def column_norms(self) -> np.ndarray:
        """||A_:j||, (q,)."""
        return self._norms(axis=0)

    def _norms(self, axis: int) -> np.ndarray:
        if not issparse(self.matrix):  # without a matrix of squares
            return np.sqrt(np.einsum("ij,ij->j" if axis == 0 else "ij,ij->i", self.matrix, self.matrix, dtype=float))
        square = self.matrix.multiply(self.matrix)
        return np.sqrt(np.asarray(square.sum(axis=axis), dtype=float).ravel())

    @cached_property
    def frobenius(self) -> float:
        """||A||_F."""
        return float(np.linalg.norm(self.row_norms))

    @cached_property
    def _heights(self) -> np.ndarray:
        """m_i = max(||A_i:||^2, ||A_:i||^2), (n,)."""
        heights = np.zeros(self.count)
        for norms in (self.row_norms, self.column_norms):
            heights[: len(norms)] = np.maximum(heights[: len(norms)], norms**2)
        return heights

    @cached_property
    def weights(self) -> np.ndarray:
        """q, (n,): proportional to m_i; a component that is zero has none."""
        total = self._heights.sum()
        return self._heights / total if total > 0 else np.full(self.count, 1 / self.count)

    @cached_property
    def mean_lipschitz(self) -> float:
        """L_Q for sampling by `weights`."""
        return float(np.sqrt(self._heights.sum()))

    @cached_property
    def lipschitz(self) -> float | None:
        """||A||_2, exact; None where the smaller side is above EXACT, since finding it is work that methods count."""
        if min(self.shape) > EXACT:
            return None
        size = float(abs(self.matrix).max()) or 1.0  # squares of huge and of tiny entries are out of range
        A = (self.matrix if self.shape[0] >= self.shape[1] else self.matrix.T) / size
        gram = A.T @ A
        return size * float(np.sqrt(max(np.linalg.eigvalsh(gram.toarray() if issparse(gram) else gram)[-1], 0.0)))

    @cached_property
    def _columns(self) -> csc_array:
        return csc_array(self.matrix)

    # -- arithmetic

    def value(self, u: np.ndarray) -> np.ndarray:
        """F(u), (p + q,)."""
        p = self.shape[0]
        ahead, back = self._products(u[:p], u[p:])
        return np.concatenate([self.linear_x + ahead, self.linear_y - back])

    def _products(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(A y, A'x)."""
        if self.device == "cpu":
            return self.matrix @ y, self.matrix.T @ x
        import torch

        A = self._tensor
        left, right = (torch.as_tensor(part, dtype=A.dtype, device=A.device) for part in (x, y))
        back = left @ A if A.layout == torch.strided else self._transposed @ left
        return (A @ right).cpu().numpy(), back.cpu().numpy()

    def components(self, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """(1 / b) sum over samples of F_i(u) / (n q_i), (p + q,)."""
        p, q = self.shape
        factors = 1 / (len(samples) * self.weights[samples])
        columns, rows = samples < q, samples < p
        out = np.concatenate([self.linear_x, self.linear_y])
        j, i = samples[columns], samples[rows]
        source = self._columns if issparse(self.matrix) else self.matrix
        out[:p] += source[:, j] @ (factors[columns] * u[p:][j])
        out[p:] -= self.matrix[i].T @ (factors[rows] * u[:p][i])
        return out

    # -- elsewhere

    def to(self, device: str, dtype: str) -> Operator:
        """The same operator in another precision or with its products by torch on another device."""
        if (device, dtype) == (self.device, self.dtype):
            return self
        if device != "cpu":
            from solverkit.expressions.torch_target import check_device

            check_device(device)
        given = self.given or self
        if (device, dtype) == (given.device, given.dtype):
            return given
        return replace(given, matrix=given.matrix.astype(dtype), device=device, dtype=dtype, given=given)

    @cached_property
    def _tensor(self) -> Any:
        return self._on_device(self.matrix)

    @cached_property
    def _transposed(self) -> Any:
        return self._on_device(csr_array(self.matrix.T))

    def _on_device(self, matrix: Any) -> Any:
        import torch

        from solverkit.operators.torch_csr import csr_tensor

        if not issparse(matrix):
            return torch.as_tensor(matrix, device=self.device)
        return csr_tensor(matrix, self.device)

    def digest(self) -> str:
        """Of A, b and c as they were given."""
        return self.given.digest() if self.given is not None else self._digest

    @cached_property
    def _digest(self) -> str:
        matrix = matrix_digest(self.matrix) if issparse(self.matrix) else array_digest(self.matrix)
        return f"bilinear {matrix} {array_digest(self.linear_x, self.linear_y)}"
