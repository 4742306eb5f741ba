"""Objectives of data: f(z) = g(z, A_1 z, A_2 z, ...) with large constant matrices A_k, dense or sparse.

    grad f = [I; A]' grad g,    Hess f = [I; A]' Hess g [I; A],    A = the A_k stacked

A sum of losses over samples is of this form, its g a sum over elements: Hess g is then diagonal, and a Hessian costs
one Gram product A'DA where automatic differentiation of the whole takes n passes over the data. g is compiled by CasADi
with the products as further variables; the products are NumPy's and SciPy's.

A z and Hess g at the last point are kept: the value, the gradient and the Hessian of one point share A z, and each
product with the Hessian costs two with each A_k, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from solverkit.expressions import shapes as rule
from solverkit.expressions.casadi_target import CasadiFunction
from solverkit.expressions.degree import program_degree
from solverkit.expressions.function import Function
from solverkit.expressions.gram import Gram, pays
from solverkit.expressions.program import Program, Step

LARGE = 100_000  # entries of a dense matrix from which it is taken out of the graph
LARGE_SPARSE = 10_000  # stored entries of a sparse one: CasADi's Hessian takes a pass for each column there
MOST = 2000  # variables up to which Hessians are formed


@dataclass(frozen=True)
class _Product:
    """The step of A x, x one whole block."""

    step: int
    matrix: Any  # (rows, length of the block), ndarray or csr_array
    block: str


@dataclass
class _Point:
    """The last point and what was computed there."""

    z: np.ndarray  # (n,), a copy
    u: np.ndarray  # [I; A] z
    curvature: csr_array | None = None  # Hess g at u


def is_composed(program: Program) -> bool:
    """A single output, with a large matrix times a block of variables in it."""
    return program.outputs == 1 and any(True for _ in _products(program))


def _products(program: Program) -> Iterator[_Product]:
    for position, step in enumerate(program.steps):
        if step.operation != "@" or len(step.shape) != 1:
            continue
        left, right = (program.steps[at] for at in step.inputs)
        if left.operation != "constant" or right.operation != "variable" or len(left.shape) != 2:
            continue
        if left.detail.nnz >= LARGE_SPARSE if left.sparse else rule.size(left.shape) >= LARGE:
            yield _Product(position, left.detail, right.detail)


class ComposedFunction:
    """A `Function` with one output on the CPU in float64. Pickles by its program."""

    device = "cpu"
    dtype = "float64"
    outputs = 1

    def __init__(self, program: Program) -> None:
        self.program = program
        self.inputs = program.inputs
        self.degree = program_degree(program)
        self.products_only = self.inputs > MOST
        offsets, first = {}, 0
        for name, shape in program.variables.items():
            offsets[name] = slice(first, first + rule.size(shape))
            first += rule.size(shape)
        products = list(_products(program))
        self._parts = [(offsets[product.block], product.matrix) for product in products]
        self._lengths = np.cumsum([self.inputs, *(matrix.shape[0] for _, matrix in self._parts)])
        self._outer = CasadiFunction(_outer(program, products))
        self._grams: dict[int, Gram | None] = {}
        self._last: _Point | None = None

    # -- values and products

    def value(self, z: np.ndarray) -> np.ndarray:
        """f, (1,)"""
        return self._outer.value(self._at(z).u)

    def gradient(self, z: np.ndarray) -> np.ndarray:
        """grad f, (n,)"""
        return self._back(self._outer.gradient(self._at(z).u))

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """grad f times a number."""
        return float(weights[0]) * self.gradient(z)

    def jvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """grad f'd, (1,)"""
        return np.array([self.gradient(z) @ direction])

    def jacobian(self, z: np.ndarray) -> csr_array:
        """grad f' as one full row."""
        return _full(self.gradient(z)[None, :])

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Hess f d, (n,): two products with each matrix."""
        return self._back(float(weights[0]) * (self._curvature(z) @ self._inner(direction)))

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        """Hess f with a full pattern, through a dense (n, n)."""
        return _full(self.dense_hessian(z, weights))

    def dense_hessian(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Hess f as an ndarray, (n, n)."""
        H = self._curvature(z)
        n = self.inputs
        total = H[:n, :n].toarray()
        for (at, matrix), first, last in zip(self._parts, self._lengths, self._lengths[1:], strict=False):
            cross = H[:n, first:last]
            if cross.nnz:
                mixed = np.asarray(_dense(cross @ matrix))
                total[:, at] += mixed
                total[at] += mixed.T
        for i, (row, left) in enumerate(self._parts):
            for j, (column, right) in enumerate(self._parts):
                middle = H[self._lengths[i] : self._lengths[i + 1], self._lengths[j] : self._lengths[j + 1]]
                if middle.nnz == 0:
                    continue
                gram = self._gram(i) if i == j and _is_diagonal(middle) else None
                total[row, column] += gram(middle.diagonal()) if gram else _dense(left.T @ _times(middle, right))
        return float(weights[0]) * total

    def hessian_diagonal(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The diagonal of Hess f, (n,): one pass over each matrix."""
        H, n = self._curvature(z), self.inputs
        total = H.diagonal()[:n]
        for i, (row, left) in enumerate(self._parts):
            cross = H[row, self._lengths[i] : self._lengths[i + 1]]
            if cross.nnz:
                total[row] += 2.0 * np.asarray(cross.multiply(left.T).sum(axis=1)).ravel()
            for j, (column, right) in enumerate(self._parts):
                middle = H[self._lengths[i] : self._lengths[i + 1], self._lengths[j] : self._lengths[j + 1]]
                if middle.nnz and row == column:
                    total[row] += _summed(left, middle, right)
        return float(weights[0]) * total

    # -- elsewhere

    def to(self, device: str, dtype: str) -> Function:
        """The same function with its arithmetic elsewhere; `self` where nothing changes."""
        if (device, dtype) == (self.device, self.dtype):
            return self
        from solverkit.expressions.compile import compile_program

        return compile_program(self.program, "auto", device, dtype)

    def digest(self) -> str:
        """A hex sha256 of trees, layout and constants."""
        return self.program.digest()

    def __reduce__(self) -> tuple[Any, ...]:
        return ComposedFunction, (self.program,)

    def _at(self, z: np.ndarray) -> _Point:
        """What is known at z."""
        last = self._last
        if last is None or not np.array_equal(last.z, z):
            last = self._last = _Point(np.array(z, dtype=float), self._inner(z))
        return last

    def _curvature(self, z: np.ndarray) -> csr_array:
        """Hess g at [I; A] z."""
        point = self._at(z)
        if point.curvature is None:
            point.curvature = csr_array(self._outer.hessian(point.u, np.ones(1)))
        return point.curvature

    def _gram(self, part: int) -> Gram | None:
        """The pairs of a sparse A_k where they are few."""
        if part not in self._grams:
            matrix = self._parts[part][1]
            self._grams[part] = Gram(matrix) if issparse(matrix) and pays(csr_array(matrix)) else None
        return self._grams[part]

    def _inner(self, z: np.ndarray) -> np.ndarray:
        """[I; A] z"""
        if np.shape(z) != (self.inputs,):
            raise ValueError(f"an argument of shape {np.shape(z)} where {(self.inputs,)} is needed")
        return np.concatenate([z, *(matrix @ z[at] for at, matrix in self._parts)])

    def _back(self, u: np.ndarray) -> np.ndarray:
        """[I; A]' u"""
        out = u[: self.inputs].copy()
        for (at, matrix), first, last in zip(self._parts, self._lengths, self._lengths[1:], strict=False):
            out[at] += matrix.T @ u[first:last]
        return out


def _outer(program: Program, products: list[_Product]) -> Program:
    """g: the products replaced by variables, whose names no file can use."""
    variables, steps = dict(program.variables), list(program.steps)
    for number, product in enumerate(products):
        name = f"product {number}"
        variables[name] = program.steps[product.step].shape
        steps[product.step] = Step("variable", (), program.steps[product.step].shape, name)
    needed = set(program.results)
    for position in range(len(steps) - 1, -1, -1):
        if position in needed:
            needed.update(steps[position].inputs)
    order = {old: new for new, old in enumerate(sorted(needed))}
    kept = tuple(replace(steps[old], inputs=tuple(order[i] for i in steps[old].inputs)) for old in order)
    results = tuple(order[position] for position in program.results)
    return Program(program.trees, variables, {}, kept, results)


def _times(middle: csr_array, matrix: Any) -> Any:
    """middle @ matrix; a diagonal middle scales rows in place of a sparse product."""
    if not _is_diagonal(middle):
        return middle @ matrix
    diagonal = middle.diagonal()
    if issparse(matrix):
        data = matrix.data * np.repeat(diagonal, np.diff(matrix.indptr))
        return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
    return diagonal[:, None] * matrix


def _summed(left: Any, middle: csr_array, right: Any) -> np.ndarray:
    """The diagonal of left' middle right."""
    scaled = _times(middle, right)
    if issparse(left):
        return np.asarray(left.multiply(scaled).sum(axis=0)).ravel()
    return np.einsum("ij,ij->j", left, _dense(scaled))


def _is_diagonal(matrix: csr_array) -> bool:
    coo = matrix.tocoo()
    return np.array_equal(coo.row, coo.col)


def _dense(matrix: Any) -> np.ndarray:
    return matrix.toarray() if issparse(matrix) else np.asarray(matrix)


def _full(dense: np.ndarray) -> csr_array:
    rows, columns = dense.shape
    indices = np.tile(np.arange(columns, dtype=np.int32), rows)
    pointers = np.arange(0, rows * columns + 1, columns, dtype=np.int32)
    return csr_array((dense.ravel(), indices, pointers), shape=dense.shape)
