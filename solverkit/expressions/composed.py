"""Objectives of data: f(z) = g(z, A_1 z, A_2 z, ...) with large constant matrices A_k, dense or sparse.

    grad f = [I; A]' grad g,    Hess f = [I; A]' Hess g [I; A],    A = the A_k stacked

A sum of losses over samples is of this form, its g a sum over elements: Hess g is then diagonal, and a Hessian costs
one Gram product A'DA where automatic differentiation of the whole takes n passes over the data. g is compiled by CasADi
with the products as further variables; the products are NumPy's and SciPy's.
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

    # -- values and products

    def value(self, z: np.ndarray) -> np.ndarray:
        """f, (1,)"""
        return self._outer.value(self._inner(z))

    def gradient(self, z: np.ndarray) -> np.ndarray:
        """grad f, (n,)"""
        return self._back(self._outer.gradient(self._inner(z)))

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
        return self._back(self._outer.hvp(self._inner(z), weights, self._inner(direction)))

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        """Hess f with a full pattern, through a dense (n, n)."""
        H = csr_array(self._outer.hessian(self._inner(z), weights))
        n = self.inputs
        total = H[:n, :n].toarray()
        for (at, matrix), first, last in zip(self._parts, self._lengths, self._lengths[1:], strict=False):
            cross = H[:n, first:last]
            if cross.nnz:
                mixed = np.asarray(_dense(cross @ matrix))
                total[:, at] += mixed
                total[at] += mixed.T
        for (row, left), first, last in zip(self._parts, self._lengths, self._lengths[1:], strict=False):
            for (column, right), start, stop in zip(self._parts, self._lengths, self._lengths[1:], strict=False):
                middle = H[first:last, start:stop]
                if middle.nnz:
                    total[row, column] += _dense(left.T @ _times(middle, right))
        return _full(total)

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
    coo = middle.tocoo()
    if not np.array_equal(coo.row, coo.col):
        return middle @ matrix
    diagonal = middle.diagonal()
    if issparse(matrix):
        data = matrix.data * np.repeat(diagonal, np.diff(matrix.indptr))
        return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
    return diagonal[:, None] * matrix


def _dense(matrix: Any) -> np.ndarray:
    return matrix.toarray() if issparse(matrix) else np.asarray(matrix)


def _full(dense: np.ndarray) -> csr_array:
    rows, columns = dense.shape
    indices = np.tile(np.arange(columns, dtype=np.int32), rows)
    pointers = np.arange(0, rows * columns + 1, columns, dtype=np.int32)
    return csr_array((dense.ravel(), indices, pointers), shape=dense.shape)
