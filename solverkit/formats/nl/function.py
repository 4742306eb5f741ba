"""Objective and constraints of an .nl file as functions: exact sparse derivatives by CasADi.

| here | meaning |
|---|---|
| values | the column of all that an expression may name: the variables, then the defined ones |
| part | what is computed: the objective (negated where it is maximized), or the rows |
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.errors import UsageError
from solverkit.expressions.casadi_kernels import GraphFunction, casadi_module
from solverkit.expressions.function import Function
from solverkit.formats.nl.expressions import (
    NUMBER,
    VARIABLE,
    Expression,
    build,
    degree,
    grouped,
    split_sum,
    without_sum,
)
from solverkit.formats.nl.model import ZERO, Model
from solverkit.formats.nl.operators import Degree, greatest

OBJECTIVE, ROWS = "objective", "rows"
LONG = 8  # terms of a sum from which on they are computed together
SUMS = 16  # of one expression that are computed so; the rest is computed one term after the other
DEPTH = 3  # how deep long sums within long sums are looked for


class NlFunction(GraphFunction):
    """The objective or the rows of a model. Pickles by the bytes of its file."""

    def __init__(self, model: Model, part: str) -> None:
        self.model = model
        self.part = part
        outputs = 1 if part == OBJECTIVE else model.header.constraints
        super().__init__(model.header.variables, outputs, _degree(model, part))

    def to(self, device: str, dtype: str) -> Function:
        """`self`, for CasADi computes on the CPU in float64; UsageError for anything else."""
        if (device, dtype) != (self.device, self.dtype):
            raise UsageError(
                f"functions of .nl files are computed on 'cpu' in 'float64', not on '{device}' in '{dtype}'"
            )
        return self

    def digest(self) -> str:
        """A hex sha256 of the file and the part."""
        return hashlib.sha256(f"{self.part} {self.model.digest()}".encode()).hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        return NlFunction, (self.model, self.part)

    def graph(self) -> tuple[Any, Any]:
        """The symbol x (n) and the expressions of the part (m) as one dense column."""
        ca = casadi_module()
        x = ca.SX.sym("x", self.inputs)
        values = _with_defined(ca, self.model, x)
        expressions, linear = _part(self.model, self.part)
        column = _column(ca, expressions, values) + ca.mtimes(ca.DM(linear.tocsc()), x)
        negative = self.part == OBJECTIVE and self.model.maximize
        return x, ca.densify(-column if negative else column)


def _part(model: Model, part: str) -> tuple[list[Expression], csr_array]:
    """The expressions and linear parts, row by row."""
    if part == ROWS:
        return [model.rows[row] for row in range(model.header.constraints)], model.jacobian()
    columns, values = model.objective_linear
    used = values != 0
    linear = csr_array(
        (values[used], (np.zeros(used.sum(), dtype=int), columns[used])), shape=(1, model.header.variables)
    )
    return [model.objective or ZERO], linear


def _column(ca: Any, expressions: list[Expression], values: Any, deeper: int = DEPTH) -> Any:
    """The values of expressions, those of one shape together. The terms of long sums are computed like rows."""
    expressions = list(expressions)
    terms: list[Expression] = []
    lengths: list[int] = []
    known = values.numel()
    for position in range(len(expressions) if deeper else 0):
        for _ in range(SUMS):
            found = split_sum(expressions[position], LONG)
            if found is None:
                break
            parts, start = found
            expressions[position] = without_sum(expressions[position], start, parts, known + len(lengths))
            terms += parts
            lengths.append(len(parts))
    if terms:
        rows = np.repeat(np.arange(len(lengths)), lengths)
        adding = csr_array((np.ones(len(terms)), (rows, np.arange(len(terms)))), shape=(len(lengths), len(terms)))
        sums = ca.mtimes(ca.DM(adding.tocsc()), _column(ca, terms, values, deeper - 1))
        values = ca.vertcat(values, sums)
    column = ca.SX.zeros(len(expressions))
    for shape, positions, leaves in grouped(expressions):
        column[positions.tolist()] = build(ca, shape, leaves, values)
    return column


def _with_defined(ca: Any, model: Model, x: Any) -> Any:
    """The variables and, below them, the defined ones, each computed after those that it uses."""
    n = model.header.variables
    values = ca.vertcat(x, ca.SX.zeros(len(model.defined)))
    for wave in _waves(model):
        indices = [indices for _, (indices, _) in (model.defined[k] for k in wave)]
        numbers = [numbers for _, (_, numbers) in (model.defined[k] for k in wave)]
        rows = np.repeat(np.arange(len(wave)), [len(part) for part in indices])
        linear = csr_array((np.concatenate(numbers), (rows, np.concatenate(indices))), shape=(len(wave), n))
        found = _column(ca, [model.defined[k][0] for k in wave], values) + ca.mtimes(ca.DM(linear.tocsc()), x)
        values[[n + k for k in wave]] = found
    return values


def _waves(model: Model) -> list[list[int]]:
    """The defined variables in groups that use only variables and the groups before."""
    n = model.header.variables
    level: dict[int, int] = {}
    for index, ((shape, leaves), _) in model.defined.items():
        names = [name for name in shape if name in (VARIABLE, NUMBER)]
        used = [int(leaf) - n for name, leaf in zip(names, leaves, strict=True) if name == VARIABLE and leaf >= n]
        level[index] = 1 + max((level[k] for k in used), default=-1)
    waves: list[list[int]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for index, depth in level.items():
        waves[depth].append(index)
    return waves


def _degree(model: Model, part: str) -> int | None:
    """0, 1 or 2 where the part is proven to be a polynomial of that degree."""
    n = model.header.variables
    degrees: list[Degree] = [1] * (n + len(model.defined))
    for wave in _waves(model):
        for shape, places, leaves in grouped([model.defined[k][0] for k in wave]):
            own = degree(shape, leaves, degrees)
            for place in places.tolist():
                terms = model.defined[wave[place]][1][0]
                degrees[n + wave[place]] = greatest(own, min(len(terms), 1))
    expressions, linear = _part(model, part)
    parts = [degree(shape, leaves, degrees) for shape, _, leaves in grouped(expressions)]
    found = greatest(min(linear.nnz, 1), *parts)
    return found if found is not None and found <= 2 else None
