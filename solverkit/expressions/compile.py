"""From trees to a `Function`: which target does the arithmetic, and the one entrance to both.

CasADi evaluates a small vectorized expression in microseconds and knows exact sparse derivatives; torch is faster
where dense data dominate, and the only one on a device or in float32. A number that depends on the variables through
large matrix products is composed of both: the products apart, the rest on CasADi.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from solverkit.errors import UsageError
from solverkit.expressions import shapes as rule
from solverkit.expressions.errors import ExpressionError
from solverkit.expressions.program import Program, lower
from solverkit.expressions.syntax import parse
from solverkit.expressions.tree import Tree

if TYPE_CHECKING:
    from solverkit.expressions.function import Function

# Multiplications in dense matrix products above which torch is faster on one core: measured with
# sum(logistic(A @ x)), value and gradient together, the targets are even at A of 400 x 200 to 1000 x 100.
DENSE_WORK = 100_000


def compile_function(
    trees: Sequence[Tree | str] | Tree | str,
    variables: Mapping[str, tuple[int, ...]],
    constants: Mapping[str, Any] | None = None,
    target: str = "auto",
    device: str = "cpu",
    dtype: str = "float64",
) -> Function:
    """The function r(z) of the stacked values of `trees`, each ravelled rows first.

    trees : one or several trees or texts; m is the number of elements of all of them
    variables : name -> shape; z is the concatenation of these blocks in this order, each ravelled rows first
    constants : name -> number, array of at most two dimensions, or scipy sparse matrix
    target : "casadi", "torch", or "auto" for the one that suits the expression and is installed

    Raises `ExpressionError` for expressions that do not fit the names and shapes, `MissingPackage` where the target is
    not installed, `UsageError` for an unknown target, device or dtype.
    """
    several = [trees] if isinstance(trees, str) or not isinstance(trees, Sequence) else trees
    parsed = [parse(tree) if isinstance(tree, str) else tree for tree in several]
    for name, shape in variables.items():
        if len(shape) > 2 or rule.size(shape) < 1:
            raise ExpressionError(f"variable '{name}' has shape {shape}; needs one or two positive lengths")
    blocks = {name: tuple(int(length) for length in shape) for name, shape in variables.items()}
    return compile_program(lower(parsed, blocks, constants or {}), target, device, dtype)


def compile_program(program: Program, target: str = "auto", device: str = "cpu", dtype: str = "float64") -> Function:
    """The function of a lowered program; the same object for the same arguments."""
    if target not in ("auto", "casadi", "torch"):
        raise UsageError(f"unknown target '{target}'; use 'auto', 'casadi' or 'torch'")
    if dtype not in ("float64", "float32"):
        raise UsageError(f"unknown dtype '{dtype}'; use 'float64' or 'float32'")
    on_casadi = device == "cpu" and dtype == "float64"
    if target == "auto":
        target = _suitable(program) if on_casadi else "torch"
    if target == "casadi" and not on_casadi:
        raise UsageError(f"target 'casadi' computes on 'cpu' in 'float64', not on '{device}' in '{dtype}'; use 'torch'")
    key = (target, device, dtype)
    if key not in program.compiled:
        program.compiled[key] = _build(program, *key)
    return program.compiled[key]


def dense_work(program: Program) -> int:
    """Multiplications in the matrix products of one evaluation, products with sparse matrices left out."""
    total = 0
    for step in program.steps:
        if step.operation == "@":
            left, right = (program.steps[position] for position in step.inputs)
            if not left.sparse and not right.sparse:
                total += rule.size(left.shape) * (right.shape[1] if len(right.shape) == 2 else 1)
    return total


def _suitable(program: Program) -> str:
    """The better target of those installed; where neither is, CasADi, whose absence is then reported."""
    from solverkit.expressions.composed import is_composed

    if find_spec("casadi") is not None and is_composed(program):
        return "composed"
    first, second = ("torch", "casadi") if dense_work(program) > DENSE_WORK else ("casadi", "torch")
    return second if find_spec(first) is None and find_spec(second) is not None else first


def _build(program: Program, target: str, device: str, dtype: str) -> Function:
    if target == "casadi":
        from solverkit.expressions.casadi_target import CasadiFunction

        return CasadiFunction(program)
    if target == "composed":
        from solverkit.expressions.composed import ComposedFunction

        return ComposedFunction(program)
    from solverkit.expressions.torch_target import TorchFunction

    return TorchFunction.from_program(program, device, dtype)
