"""Expressions on CasADi.

Vectorized expressions become MX graphs, whose size does not grow with n; expressions of single elements (x[0]*x[3])
become SX graphs, whose derivatives are smaller.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.expressions import shapes as rule
from solverkit.expressions.casadi_kernels import GraphFunction, casadi_module
from solverkit.expressions.degree import program_degree
from solverkit.expressions.function import Function
from solverkit.expressions.implementations import casadi_ravel, casadi_shaped
from solverkit.expressions.program import OPERATORS, Program, Shape, Step, fixed_arguments, run

SCALAR_LENGTH = 16  # mean number of elements a step up to which a graph of single elements is the better one
SCALAR_STEPS = 50_000  # and its largest size


class CasadiFunction(GraphFunction):
    """The function of a program on CasADi. Pickles by its trees and constants."""

    def __init__(self, program: Program) -> None:
        self.program = program
        super().__init__(program.inputs, program.outputs, program_degree(program))

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
        return CasadiFunction, (self.program,)

    def graph(self) -> tuple[Any, Any]:
        """The symbol z and the expression r(z) as dense columns."""
        ca = casadi_module()
        kind = symbol_kind(ca, self.program)
        z = kind.sym("z", self.inputs)
        return z, expression(ca, kind, self.program, z)


# -- graphs ---------------------------------------------------------------------------------------------------------


def symbol_kind(ca: Any, program: Program) -> Any:
    """SX for expressions of few single elements, MX for vectorized ones."""
    elements = sum(rule.size(step.shape) for step in program.steps if step.operation not in ("variable", "constant"))
    operations = sum(step.operation not in ("variable", "constant") for step in program.steps)
    return ca.SX if elements <= min(SCALAR_LENGTH * operations, SCALAR_STEPS) else ca.MX


def expression(ca: Any, kind: Any, program: Program, z: Any) -> Any:
    """r(z) as one dense column."""
    bounds = np.cumsum([0, *(rule.size(shape) for shape in program.variables.values())]).tolist()
    parts = ca.vertsplit(z, bounds) if program.variables else []
    blocks = dict(zip(program.variables, parts, strict=True))
    values = run(
        program,
        lambda name, shape: casadi_shaped(ca, blocks[name], shape),
        lambda value: _constant(ca, kind, value),
        lambda step, arguments, shapes: _operate(ca, step, arguments, shapes),
    )
    columns = [casadi_ravel(ca, value, shape) for value, shape in zip(values, program.shapes, strict=True)]
    return ca.densify(ca.vertcat(*columns)) if columns else kind(0, 1)


def _constant(ca: Any, kind: Any, value: Any) -> Any:
    if hasattr(value, "tocsc"):
        return kind(ca.DM(value.tocsc()))
    return kind(ca.DM(np.asarray(value, dtype=np.float64)))


def _operate(ca: Any, step: Step, arguments: list[Any], shapes: list[Shape]) -> Any:
    if step.operation == "@":
        return _matmul(ca, *arguments, *shapes)
    if step.operation == "index":
        return _index(arguments[0], shapes[0], step.detail)
    if step.operation == "call":
        primitive = step.detail[0]
        if primitive.elementwise:
            arguments = [_stretch(ca, *pair, step.shape) for pair in zip(arguments, shapes, strict=True)]
        return primitive.casadi(ca, shapes, *arguments, *fixed_arguments(step))
    if len(arguments) == 2:
        # a number that depends on z is stretched, too: CasADi 3.8 loses rows of the Jacobian of (vector + number)
        arguments = [
            argument if rule.size(shape) == 1 and argument.is_constant() else _stretch(ca, argument, shape, step.shape)
            for argument, shape in zip(arguments, shapes, strict=True)
        ]
    return OPERATORS[step.operation](*arguments)


def _stretch(ca: Any, value: Any, shape: Shape, target: Shape) -> Any:
    """NumPy's broadcasting, written out."""
    if shape == target:
        return value
    if len(shape) == 1 and len(target) == 2:
        value = value.T
    rows, columns = target if len(target) == 2 else (*target, 1, 1)[:2]
    return ca.repmat(value, rows // value.shape[0], columns // value.shape[1])


def _matmul(ca: Any, left: Any, right: Any, left_shape: Shape, right_shape: Shape) -> Any:
    if len(left_shape) == 2:
        return ca.mtimes(left, right)
    return ca.dot(left, right) if len(right_shape) == 1 else ca.mtimes(right.T, left)


def _index(base: Any, shape: Shape, key: rule.Key) -> Any:
    if len(shape) == 1:
        return base[key[0]]
    rows = key[0]
    columns = key[1] if len(key) == 2 else slice(0, shape[1], 1)
    part = base[rows, columns]
    return part.T if isinstance(rows, int) and isinstance(columns, slice) else part
