"""How one batch of an objective is computed with torch: from an expression, or by a user's function.

Variables and data whose leading axis is the sample axis arrive as the rows of the batch; all others arrive whole.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from scipy.sparse import issparse

from solverkit.errors import UsageError
from solverkit.expressions import torch_target
from solverkit.expressions.errors import ExpressionError
from solverkit.expressions.functions import FUNCTIONS
from solverkit.expressions.program import OPERATORS, Program, Step, lower
from solverkit.expressions.torch_callable import callable_digest
from solverkit.expressions.tree import Call, Name, Tree, names, walk

Shape = tuple[int, ...]

LENGTHS = 16  # batch lengths whose list of operations is kept


class Terms(Protocol):
    """One objective over a batch. Shapes and names are fixed; the length of the batch is not."""

    shapes: Mapping[str, Shape]  # of the variables, whole
    reads: frozenset[str]  # variables and sampled data that the objective depends on
    indices: frozenset[str]  # sampled data that arrives as a NumPy array, since it only picks entries

    def value(self, torch: Any, inputs: Mapping[str, Any], device: str, kind: Any) -> Any:
        """The objective, a tensor of no dimension, of what `reads` names; differentiable in the variables."""
        ...

    def digest(self) -> str:
        """A hex sha256 of what is computed, without the sampled data."""
        ...


# -- expressions


@dataclass(eq=False)
class ExpressionTerms:
    """An expression, lowered anew for each length of a batch: milliseconds, then kept."""

    tree: Tree
    shapes: Mapping[str, Shape]
    constants: Mapping[str, Any]  # parameters and data, the sampled ones whole
    sampled: tuple[str, ...]
    reads: frozenset[str] = field(init=False)
    indices: frozenset[str] = field(init=False)
    _tapes: dict[tuple[int, str, Any], list[tuple[Any, ...]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        picks, others = _roles(self.tree)
        both = sorted(picks & others & set(self.sampled))
        if both:
            raise ExpressionError(f"'{both[0]}' counts and picks entries: give its picking role another name in `data`")
        self.indices = frozenset(picks & set(self.sampled))
        self.reads = frozenset((others & {*self.shapes, *self.sampled}) | self.indices)

    def __reduce__(self) -> tuple[Any, ...]:
        return ExpressionTerms, (self.tree, self.shapes, self.constants, self.sampled)

    def value(self, torch: Any, inputs: Mapping[str, Any], device: str, kind: Any) -> Any:
        values: list[Any] = []
        for operation, arguments in self._tape(torch, inputs, device, kind):
            if arguments is None:
                values.append(inputs[operation])
            elif callable(operation):
                values.append(operation(inputs, *[values[k] for k in arguments]))
            else:
                values.append(operation)
        return values[-1].reshape(())

    def digest(self) -> str:
        known = {name: value for name, value in self.constants.items() if name not in self.sampled}
        state = hashlib.sha256(repr((self.tree, sorted(self.shapes.items()), self.sampled)).encode())
        state.update(arrays_digest({name: known[name] for name in names(self.tree) if name in known}))
        return state.hexdigest()

    def _tape(self, torch: Any, inputs: Mapping[str, Any], device: str, kind: Any) -> list[tuple[Any, ...]]:
        length = next((len(inputs[name]) for name in self.sampled if name in inputs), 0)
        key = (length, device, kind)
        if key not in self._tapes:
            if len(self._tapes) >= LENGTHS:
                self._tapes.clear()
            self._tapes[key] = _tape(torch, self._program(length), self.indices, device, kind)
        return self._tapes[key]

    def _program(self, length: int) -> Program:
        """The expression with sampled names as leaves of `length` rows. The value is the last step."""
        leaves, constants = {}, {}
        for name, shape in self.shapes.items():
            leaves[name] = (length, *shape[1:]) if name in self.sampled else shape
        for name, value in self.constants.items():
            if name not in self.sampled:
                constants[name] = value
            elif name in self.indices:
                constants[name] = np.resize(value, length)
            else:
                leaves[name] = (length, *np.shape(value)[1:])
        return lower([self.tree], leaves, constants)


def _roles(tree: Tree) -> tuple[set[str], set[str]]:
    """Names that stand where a function takes fixed data, and names that stand anywhere else."""
    picks: set[str] = set()
    inside: set[int] = set()
    for node in walk(tree):
        if isinstance(node, Call):
            for position in FUNCTIONS[node.function].data:
                if isinstance(node.arguments[position], Name):
                    picks.add(node.arguments[position].name)  # type: ignore[union-attr]
                    inside.add(id(node.arguments[position]))
    return picks, {node.name for node in walk(tree) if isinstance(node, Name) and id(node) not in inside}


def _tape(torch: Any, program: Program, indices: frozenset[str], device: str, kind: Any) -> list[tuple[Any, ...]]:
    """(operation, positions of its arguments) for each step; (name, None) for a leaf, (tensor, ()) for a constant."""
    picked = {id(program.constants[name]): name for name in indices if name in program.constants}
    tape: list[tuple[Any, ...]] = []
    for step in program.steps:
        if step.operation == "variable":
            tape.append((step.detail, None))
        elif step.operation == "constant":
            tape.append((torch_target._constant(torch, step.detail, device, kind), ()))
        else:
            tape.append((_operation(torch, program, step, picked), step.inputs))
    return [*tape, (lambda inputs, value: value, (program.results[0],))]


def _operation(torch: Any, program: Program, step: Step, picked: Mapping[int, str]) -> Callable[..., Any]:
    """A function of (inputs of the batch, arguments of the step)."""
    if step.operation in OPERATORS:
        return partial(_plain, OPERATORS[step.operation])
    if step.operation == "call":
        fixed = [picked.get(id(getattr(part, "value", None)), None) for part in step.detail[1]]
        if any(fixed):
            return partial(_picking, torch, step, fixed)
    if step.operation == "@" and any(program.steps[k].sparse for k in step.inputs):
        return lambda inputs, *arguments: torch_target._operate(torch, step, list(arguments))
    if step.operation == "@":
        return lambda inputs, left, right: left @ right
    return lambda inputs, *arguments: torch_target._operate(torch, step, list(arguments))


def _plain(operator: Callable[..., Any], inputs: Mapping[str, Any], *arguments: Any) -> Any:
    return operator(*arguments)


def _picking(torch: Any, step: Step, fixed: list[str | None], inputs: Mapping[str, Any], *arguments: Any) -> Any:
    known = [
        inputs[name] if name else getattr(part, "value", part) for name, part in zip(fixed, step.detail[1], strict=True)
    ]
    return step.detail[0].torch(torch, *arguments, *known)


# -- Python


@dataclass(eq=False)
class PythonTerms:
    """A user's torch function of variables, data and parameters by name; `fun(x, y, A, b)`."""

    fun: Callable[..., Any]
    shapes: Mapping[str, Shape]
    constants: Mapping[str, Any]  # parameters and data, the sampled ones whole
    sampled: tuple[str, ...]
    modules: Mapping[str, Any] = field(default_factory=dict)  # name of a block -> `modules.Stateless`
    reads: frozenset[str] = field(init=False)
    indices: frozenset[str] = frozenset()
    names: tuple[str, ...] = field(init=False)  # what `fun` takes, in its order
    _moved: dict[tuple[str, Any], dict[str, Any]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.names = wanted(self.fun, [*self.shapes, *self.constants])
        self.reads = frozenset(name for name in self.names if name in self.shapes or name in self.sampled)

    def __reduce__(self) -> tuple[Any, ...]:
        return PythonTerms, (self.fun, self.shapes, self.constants, self.sampled, self.modules)

    def value(self, torch: Any, inputs: Mapping[str, Any], device: str, kind: Any) -> Any:
        whole = self._whole(torch, device, kind)
        given = {name: inputs[name] if name in inputs else whole[name] for name in self.names}
        for name, module in self.modules.items():
            if name in given:
                given[name] = module.at(given[name])
        result = self.fun(**given)
        if not isinstance(result, torch.Tensor) or result.numel() != 1:
            size = f"{tuple(result.shape)}" if isinstance(result, torch.Tensor) else type(result).__name__
            raise TypeError(f"an objective returns a tensor with one number, not {size}")
        return result.reshape(())

    def _whole(self, torch: Any, device: str, kind: Any) -> dict[str, Any]:
        """Constants that are not sampled, as tensors; parameters as numbers."""
        if (device, kind) not in self._moved:
            self._moved[device, kind] = {
                name: value if isinstance(value, int | float) else as_tensor(torch, value, device, kind)
                for name, value in self.constants.items()
                if name in self.names and name not in self.sampled
            }
        return self._moved[device, kind]

    def digest(self) -> str:
        state = hashlib.sha256(callable_digest(self.fun, self.shapes).encode())
        state.update(repr((self.names, self.sampled)).encode())
        state.update(arrays_digest({name: self.constants[name] for name in self.names if name in self.constants}))
        for name, module in sorted(self.modules.items()):
            state.update(f"{name} {module.digest()}".encode())
        return state.hexdigest()


def closes_over_module(fun: Callable[..., Any]) -> bool:
    """Whether a function refers to a module that was imported in the function around it."""
    return any(isinstance(cell.cell_contents, ModuleType) for cell in getattr(fun, "__closure__", None) or ())


def wanted(fun: Callable[..., Any], known: list[str]) -> tuple[str, ...]:
    """The names that a function takes; UsageError for one that nothing is called by."""
    found = []
    for part in inspect.signature(fun).parameters.values():
        if part.kind in (part.VAR_POSITIONAL, part.VAR_KEYWORD) or part.kind is part.POSITIONAL_ONLY:
            raise UsageError("an objective over data takes its variables and data by name, as in f(x, y, A, b)")
        if part.name in known:
            found.append(part.name)
        elif part.default is part.empty:
            raise UsageError(f"takes '{part.name}', which is no variable, data or parameter ({', '.join(known)})")
    return tuple(found)


def as_tensor(torch: Any, value: Any, device: str, kind: Any) -> Any:
    """Floating-point data in the working precision; whole numbers and booleans stay what they are."""
    array = np.asarray(value)
    return torch.tensor(array, dtype=kind if array.dtype.kind == "f" else None, device=device)


def arrays_digest(arrays: Mapping[str, Any]) -> bytes:
    """Sha256 of named arrays, dense or sparse: names, shapes, types and bytes."""
    state = hashlib.sha256()
    for name in sorted(arrays):
        value = arrays[name]
        parts = (value.indptr, value.indices, value.data) if issparse(value) else (np.asarray(value),)
        for part in parts:
            state.update(repr((name, part.shape, part.dtype.str)).encode() + np.ascontiguousarray(part).tobytes())
    return state.digest()
