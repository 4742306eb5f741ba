"""A checked expression as a straight list of operations: what every target executes.

`lower` walks the trees once and resolves names, shapes and indices, computes everything that depends on no variable,
and lets equal subexpressions share one step. Each target then is a loop over steps, with no recursion and nothing left
to check:

    steps[k].value = operation(steps[i].value for i in steps[k].inputs)
"""

from __future__ import annotations

import hashlib
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sparse

from solverkit.expressions import shapes as rule
from solverkit.expressions.errors import ExpressionError, unknown_name
from solverkit.expressions.functions import CONSTANTS, FUNCTIONS, Primitive
from solverkit.expressions.tree import Call, Chain, Compare, Index, Name, Negative, Number, Power, Slice, Tree, names

Shape = rule.Shape

MAX_PRODUCTS = 4_000_000_000  # multiplications in products of constants with constants: about a second


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: `variable`, `constant`, `negate`, `+ - * / @ **`, a comparison, `index` or `call`."""

    operation: str
    inputs: tuple[int, ...]  # earlier steps
    shape: Shape
    detail: Any = None  # the variable's name, the constant's value, the key of an index, (Primitive, fixed arguments)
    sparse: bool = False  # a scipy csr_array; always a constant


@dataclass(frozen=True)
class Program:
    """Expressions ready to be compiled; equal trees, variables and constants have the same `digest`."""

    trees: tuple[Tree, ...]
    variables: dict[str, Shape]  # in the order of the flat vector, each block rows first
    constants: dict[str, Any]  # those that the trees name
    steps: tuple[Step, ...]
    results: tuple[int, ...]  # the step of each tree
    compiled: dict[tuple[str, str, str], Any] = field(default_factory=dict, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return lower, (self.trees, self.variables, self.constants)

    @property
    def inputs(self) -> int:
        """n, the length of the flat vector of all variables."""
        return sum(rule.size(shape) for shape in self.variables.values())

    @property
    def outputs(self) -> int:
        """m, the number of elements of all trees together."""
        return sum(rule.size(shape) for shape in self.shapes)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shape of each tree."""
        return tuple(self.steps[position].shape for position in self.results)

    def digest(self) -> str:
        """A hex sha256 of the trees, the layout of the variables and the constants' values."""
        state = hashlib.sha256(b"solverkit expressions 1\n")
        state.update(repr((self.trees, list(self.variables.items()))).encode())
        for name in sorted(self.constants):
            value = self.constants[name]
            state.update(f"\n{name} {np.shape(value)} {sparse.issparse(value)}\n".encode())
            parts = (value.indptr, value.indices, value.data) if sparse.issparse(value) else (np.asarray(value),)
            for part in parts:
                wide = np.int64 if part.dtype.kind == "i" else np.float64
                state.update(np.ascontiguousarray(part, dtype=wide).tobytes())
        return state.hexdigest()


def run(
    program: Program,
    variable: Callable[[str, Shape], Any],
    constant: Callable[[Any], Any],
    operate: Callable[[Step, list[Any], list[Shape]], Any],
) -> list[Any]:
    """The value of each tree, with a target's own leaves and operations."""
    values: list[Any] = []
    for step in program.steps:
        if step.operation == "variable":
            values.append(variable(step.detail, step.shape))
        elif step.operation == "constant":
            values.append(constant(step.detail))
        else:
            arguments = [values[position] for position in step.inputs]
            values.append(operate(step, arguments, [program.steps[position].shape for position in step.inputs]))
    return [values[position] for position in program.results]


def lower(trees: Sequence[Tree], variables: Mapping[str, Shape], constants: Mapping[str, Any]) -> Program:
    """Check trees against the names and shapes they meet, and list their operations.

    variables : shapes of the blocks, in the order of the flat vector
    constants : numbers, arrays of at most two dimensions, scipy sparse matrices

    Raises `ExpressionError`, with its place in the text, for unknown names, shapes that do not match, indices out of
    range, sparse matrices where only dense ones can be, and constants that are not finite.
    """
    lowering = _Lowering(dict(variables), constants)
    results = []
    for tree in trees:
        if isinstance(tree, Compare):
            raise ExpressionError("a comparison where a value is needed", tree.offset)
        position = lowering.lower(tree)
        if lowering.steps[position].sparse:
            raise ExpressionError("a sparse matrix is not a value; multiply it by a vector", tree.offset)
        results.append(position)
    return _pruned(tuple(trees), dict(variables), lowering, results)


def _pruned(trees: tuple[Tree, ...], variables: dict[str, Shape], lowering: _Lowering, results: list[int]) -> Program:
    """The program without the steps that only constants needed."""
    needed = set(results)
    for position in range(len(lowering.steps) - 1, -1, -1):
        if position in needed:
            needed.update(lowering.steps[position].inputs)
    order = {old: new for new, old in enumerate(sorted(needed))}
    steps = tuple(
        Step(step.operation, tuple(order[i] for i in step.inputs), step.shape, step.detail, step.sparse)
        for step in (lowering.steps[position] for position in order)
    )
    used = {name: lowering.values[name] for name in sorted(lowering.values)}
    return Program(trees, variables, used, steps, tuple(order[position] for position in results))


class _Lowering:
    """The walk of `lower`: steps so far, and which of them are equal."""

    def __init__(self, variables: dict[str, Shape], constants: Mapping[str, Any]) -> None:
        self.variables = variables
        self.constants = constants
        self.values: dict[str, Any] = {}  # constants that were named, converted
        self.steps: list[Step] = []
        self.known: dict[tuple[Any, ...], int] = {}
        self.elements = 0  # of constants computed so far
        self.products = 0
        both = sorted(set(variables) & set(constants))
        if both:
            raise ExpressionError(f"'{both[0]}' is both a variable and a constant")

    def lower(self, tree: Tree) -> int:
        match tree:
            case Number():
                return self._constant(np.float64(tree.value), ("number", tree.value))
            case Name():
                return self._name(tree)
            case Negative():
                return self._add("negate", (self.lower(tree.operand),), tree.offset)
            case Chain():
                position = self.lower(tree.first)
                for symbol, operand in tree.rest:
                    position = self._add(symbol, (position, self.lower(operand)), operand.offset)
                return position
            case Power():
                return self._power(tree)
            case Compare():
                left, right = (self.lower(operand) for operand in tree.operands)
                return self._add(tree.operators[0], (left, right), tree.offset)
            case Index():
                base = self.lower(tree.base)
                try:
                    key, _ = rule.index(self.steps[base].shape, tuple(self._item(item) for item in tree.items))
                except ValueError as error:
                    raise ExpressionError(str(error), tree.items[0].offset) from None
                return self._add("index", (base,), tree.offset, key)
        return self._call(tree)

    def _name(self, tree: Name) -> int:
        name = tree.name
        if name in self.variables:
            return self._store(Step("variable", (), self.variables[name], name), ("variable", name))
        if name not in self.constants and name not in CONSTANTS:
            raise unknown_name(name, list(self.variables), list(self.constants), tree.offset)
        if name in self.constants and name not in self.values:
            self.values[name] = as_constant(self.constants[name], name, tree.offset)
        return self._constant(self.values[name] if name in self.values else CONSTANTS[name], ("name", name))

    def _power(self, tree: Power) -> int:
        base, exponent = self.lower(tree.base), self.lower(tree.exponent)
        step = self.steps[exponent]
        if step.operation == "constant" and step.shape == () and not self.steps[base].sparse:
            if step.detail == 0:
                return self._constant(np.ones(self.steps[base].shape), ("ones", self.steps[base].shape))
            if step.detail == 1:
                return base
            if step.detail == 2:
                return self._add("call", (base,), tree.offset, (FUNCTIONS["square"], ()))
        return self._add("**", (base, exponent), tree.offset)

    def _call(self, tree: Call) -> int:
        primitive = FUNCTIONS[tree.function]
        inputs: list[int] = []
        fixed: list[Any] = []
        for position, argument in enumerate(tree.arguments):
            if position in primitive.integers:
                fixed.append(self._integer(argument))
            elif position in primitive.data:
                fixed.append(_Data(self._data(argument, primitive)))
            else:
                inputs.append(self.lower(argument))
        return self._add("call", tuple(inputs), tree.offset, (primitive, tuple(fixed)))

    def _add(self, operation: str, inputs: tuple[int, ...], offset: int, detail: Any = None) -> int:
        """The step of an operation, computed at once where all inputs are constants."""
        before = [self.steps[position] for position in inputs]
        is_sparse = any(step.sparse for step in before) and self._stays_sparse(operation, before, detail, offset)
        if operation == "/" and before[1].operation == "constant" and not np.all(before[1].detail):
            raise ExpressionError("division by zero", offset)
        try:
            shape = _shape(operation, [step.shape for step in before], detail)
        except ValueError as error:
            name = f"{detail[0].name}: " if operation == "call" else ""
            raise ExpressionError(name + str(error), offset) from None
        if not is_sparse and rule.size(shape) > rule.MAX_ELEMENTS:
            raise ExpressionError(f"an array of shape {shape}; at most {rule.MAX_ELEMENTS} elements", offset)
        step = Step(operation, inputs, shape, detail, is_sparse)
        key = (operation, inputs, _hashable(detail))
        if key in self.known or not all(part.operation == "constant" for part in before):
            return self._store(step, key)
        self._spend(step, before, offset)
        with np.errstate(all="ignore"):
            value = numpy_operate(step, [part.detail for part in before], [])
        if operation not in _COMPARISONS and not _finite(value):
            raise ExpressionError("a constant overflows, divides by zero or leaves the domain of a function", offset)
        return self._constant(value, key)

    def _spend(self, step: Step, before: list[Step], offset: int) -> None:
        """Count the memory and the work of computing a constant; an error where the text asks for too much."""
        products = _products(*before) if step.operation == "@" else 0
        self.elements += min(products, rule.size(step.shape)) if step.sparse else rule.size(step.shape)
        self.products += products
        if self.elements > rule.MAX_ELEMENTS or self.products > MAX_PRODUCTS:
            raise ExpressionError("constants take too much memory or time; compute them outside, as data", offset)

    def _stays_sparse(self, operation: str, before: list[Step], detail: Any, offset: int) -> bool:
        """Whether a step with a sparse input has a sparse result; an error where it cannot be done."""
        dense = [step for step in before if not step.sparse]
        if operation == "@":
            return not dense
        if operation == "negate" or (operation in ("+", "-") and not dense):
            return True
        if operation == "*" and len(dense) == 1 and dense[0].shape == () and dense[0].operation == "constant":
            return True
        if (
            operation == "/"
            and before[0].sparse
            and dense
            and dense[0].shape == ()
            and dense[0].operation == "constant"
        ):
            return True
        if operation == "call" and detail[0] in (FUNCTIONS["T"], FUNCTIONS["transpose"]):
            return True
        raise ExpressionError("a sparse matrix can be multiplied (A @ x), scaled, added to another, and T(A)", offset)

    def _constant(self, value: Any, key: tuple[Any, ...]) -> int:
        if sparse.issparse(value):
            value = value.tocsr()
        return self._store(Step("constant", (), np.shape(value), value, sparse.issparse(value)), key)

    def _store(self, step: Step, key: tuple[Any, ...]) -> int:
        if key not in self.known:
            self.known[key] = len(self.steps)
            self.steps.append(step)
        return self.known[key]

    def _fixed(self, tree: Tree, wanted: str) -> Any:
        for name in sorted(names(tree)):
            if name in self.variables:
                raise ExpressionError(f"'{name}' is a variable; {wanted} is known before solving", tree.offset)
        return self.steps[self.lower(tree)].detail

    def _integer(self, tree: Tree) -> int:
        value = self._fixed(tree, "an index or size")
        if np.shape(value) != () or value != np.round(value) or abs(value) > 2**53:
            raise ExpressionError("an index or size is an integer", tree.offset)
        return int(value)

    def _data(self, tree: Tree, primitive: Primitive) -> np.ndarray:
        value = self._fixed(tree, f"this argument of {primitive.name}")
        if sparse.issparse(value):
            raise ExpressionError(f"{primitive.name}: this argument is a dense array", tree.offset)
        return np.asarray(value)

    def _item(self, item: Tree | Slice) -> Any:
        if not isinstance(item, Slice):
            return self._integer(item)
        return tuple(None if part is None else self._integer(part) for part in (item.start, item.stop, item.step))


class _Data:
    """A fixed array argument; equal only to itself."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = value


def fixed_arguments(step: Step) -> tuple[Any, ...]:
    """The arguments of a call that are known before solving: ints and arrays."""
    return tuple(part.value if isinstance(part, _Data) else part for part in step.detail[1])


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}

# What NumPy arrays, torch tensors and CasADi matrices (of equal shapes) have in common.
OPERATORS: dict[str, Callable[..., Any]] = {
    "negate": lambda a: -a,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    **_COMPARISONS,
}


def numpy_operate(step: Step, arguments: list[Any], shapes: list[Shape]) -> Any:
    """One step in NumPy; sparse matrices are scipy's."""
    if step.operation == "call":
        return step.detail[0].numpy(*arguments, *fixed_arguments(step))
    if step.operation == "index":
        return arguments[0][step.detail]
    if step.operation == "@":
        return arguments[0] @ arguments[1]
    return OPERATORS[step.operation](*arguments)


def as_constant(value: Any, name: str, offset: int = 0) -> Any:
    """A constant as the targets want it: float64, at most two dimensions, finite; sparse ones as canonical csr_array.

    Raises `ExpressionError` where the value is none of that.
    """
    if sparse.issparse(value):
        result = sparse.csr_array(value, dtype=np.float64, copy=True)
        result.sum_duplicates()
    elif isinstance(value, numbers.Real | np.ndarray):
        array = np.asarray(value)
        if array.dtype.kind not in "biuf" or array.ndim > 2 or array.size == 0:
            raise ExpressionError(
                f"'{name}' is not a number, vector or matrix (shape {array.shape}, {array.dtype})", offset
            )
        result = array.astype(np.float64)
    else:
        raise ExpressionError(f"'{name}' is not a number or an array but {type(value).__name__}", offset)
    if not _finite(result):
        raise ExpressionError(f"'{name}' holds NaN, Inf, or a number too large", offset)
    return result


def _products(left: Step, right: Step) -> int:
    """Multiplications in a product of two constants."""
    rows, columns = rule.size(left.shape[:-1]), rule.size(right.shape[1:])
    if left.sparse and right.sparse:
        return int(np.diff(right.detail.indptr)[left.detail.indices].sum())
    if left.sparse:
        return left.detail.nnz * columns
    return rows * (right.detail.nnz if right.sparse else rule.size(right.shape))


def _finite(value: Any) -> bool:
    return bool(np.all(np.isfinite(value.data if sparse.issparse(value) else value)))


def _hashable(detail: Any) -> Any:
    if isinstance(detail, tuple) and any(isinstance(part, slice) for part in detail):
        return tuple((part.start, part.stop, part.step) if isinstance(part, slice) else part for part in detail)
    if isinstance(detail, tuple) and detail and isinstance(detail[0], Primitive):
        return (detail[0].name, detail[1])
    return detail


def _shape(operation: str, shapes: list[Shape], detail: Any) -> Shape:
    if operation == "negate":
        return shapes[0]
    if operation == "@":
        return rule.matmul(*shapes)
    if operation == "index":
        return _indexed(shapes[0], detail)
    if operation == "call":
        primitive, fixed = detail
        return primitive.shape(*shapes, *(part.value if isinstance(part, _Data) else part for part in fixed))
    return rule.broadcast(*shapes)


def _indexed(shape: Shape, key: rule.Key) -> Shape:
    """The shape under a resolved key."""
    kept = tuple(len(range(part.start, part.stop, part.step)) for part in key if isinstance(part, slice))
    return (*kept, *shape[len(key) :])
