"""Names, data and expressions for a kind that builds a problem: what `kinds.base.Source` promises, without files.

A problem file's source (`formats.source`) adds places and data files; a problem that is built in Python uses this one
as it is. Defects are gathered, not raised, so that all of them come out at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import Defect, InvalidProblem
from solverkit.expressions import shapes as rule
from solverkit.expressions.errors import ExpressionError, unknown_name
from solverkit.expressions.functions import CONSTANTS, FUNCTIONS
from solverkit.expressions.syntax import parse
from solverkit.expressions.tree import Compare, Name, names, walk
from solverkit.kinds.base import Constraints

if TYPE_CHECKING:
    from solverkit.expressions.constraints import Constraint
    from solverkit.expressions.function import Function
    from solverkit.expressions.tree import Tree

MAX_ELEMENTS = 10_000_000
"""Largest number of elements of one variable."""

NAMED = ("parameters", "data", "variables")
"""Sections whose keys are names that expressions use."""

KeyPath = Sequence[str | int]


class NamedSource:
    """Names and what they stand for, while a problem is built."""

    def __init__(
        self,
        name: str,
        parameters: Mapping[str, float] | None = None,
        data: Mapping[str, Any] | None = None,
        expect: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.parameters: dict[str, float] = dict(parameters or {})
        self.data: dict[str, Any] = dict(data or {})
        self.expect: Mapping[str, Any] = dict(expect or {})
        self.columns: dict[str, tuple[str, ...]] = {}
        self.defects: list[Defect] = []
        self.unsure: set[str] = set()  # names that have a defect of their own: their shapes say nothing

    # -- defects

    def defect(self, path: KeyPath, message: str, offset: int | None = None, key: bool = False) -> None:
        """Record what is wrong at `path`.

        offset : characters within the text that stands there
        key : the key is what is wrong, not what stands behind it
        """
        self._note(path)
        found = self.locate(tuple(path), message, offset, key)
        if found not in self.defects:
            self.defects.append(found)

    def locate(self, path: tuple[str | int, ...], message: str, offset: int | None, key: bool) -> Defect:
        """The defect with its place; without a file the path has to do."""
        return Defect(self.name, 0, 0, dotted(path), message)

    def _note(self, path: KeyPath) -> None:
        for position, section in enumerate(path[:-1]):
            name, rest = path[position + 1], path[position + 2 :]
            harmless = section == "variables" and rest and rest[0] != "shape"
            if section in NAMED and isinstance(name, str) and not harmless:
                self.unsure.add(name)

    def check(self) -> None:
        """Raise `InvalidProblem` where anything was recorded."""
        if self.defects:
            raise InvalidProblem(self.defects)

    # -- values

    @property
    def constants(self) -> dict[str, Any]:
        """Parameters and data."""
        return {**self.parameters, **self.data}

    def number(self, value: Any, path: KeyPath) -> float:
        """A number or an expression of parameters; 0 where it has a defect."""
        result = self.array(value, (), path)
        return float(result)

    def shape(self, value: Any, path: KeyPath) -> tuple[int, ...]:
        """A `shape:` entry as a tuple."""
        items = list(value) if isinstance(value, list | tuple) else [value]
        lengths = []
        for position, item in enumerate(items):
            place = (*path, position) if isinstance(value, list | tuple) else tuple(path)
            before = len(self.defects)
            length = self.number(item, place)
            if len(self.defects) > before:
                lengths.append(1)
            elif not np.isfinite(length) or length != round(length) or length < 1:
                self.defect(place, f"a length is a whole number from 1 on, not {length:g}")
                lengths.append(1)
            else:
                lengths.append(int(length))
        if rule.size(tuple(lengths)) > MAX_ELEMENTS:
            self.defect(path, f"a variable has at most {MAX_ELEMENTS} elements, not {rule.size(tuple(lengths))}")
            return (1,) * len(lengths)
        return tuple(lengths)

    def array(self, value: Any, shape: tuple[int, ...], path: KeyPath) -> np.ndarray:
        """A number, parameter expression, nested list or data name, broadcast to `shape` as float64.

        Infinities pass, since bounds may be infinite; NaN does not.
        """
        before = len(self.defects)
        result = self._evaluated(value, tuple(path))
        if len(self.defects) > before:
            return np.zeros(shape)
        if np.isnan(result).any():
            self.defect(path, "NaN is not a number that a problem can use")
            return np.zeros(shape)
        try:
            return np.array(np.broadcast_to(result, shape), dtype=float)
        except ValueError:
            self.defect(path, f"has shape {result.shape}, and cannot fill {rule.show(shape)}")
            return np.zeros(shape)

    def matrix(self, value: Any, columns: int, path: KeyPath) -> Any:
        """A matrix with so many columns: the name of data (dense or sparse), a nested list, or an array."""
        if isinstance(value, str) and value in self.data:
            value = self.data[value]
        if not hasattr(value, "tocsr"):
            before = len(self.defects)
            value = self._evaluated(value, tuple(path))
            if len(self.defects) > before:
                return np.zeros((1, columns))
        if len(value.shape) != 2 or value.shape[1] != columns:
            self.defect(path, f"has shape {value.shape}; needs {columns} columns, one for each element of the variable")
            return np.zeros((1, columns))
        return value

    def _evaluated(self, value: Any, path: tuple[str | int, ...]) -> np.ndarray:
        if isinstance(value, str):
            if value in self.data and not hasattr(self.data[value], "tocsr"):
                return np.asarray(self.data[value], dtype=float)
            return np.asarray(self._evaluate(value, path), dtype=float)
        if isinstance(value, list | tuple):
            parts = [self._evaluated(item, (*path, position)) for position, item in enumerate(value)]
            if not parts or any(part.shape != parts[0].shape for part in parts):
                self.defect(path, "a list needs entries, all of one length")
                return np.zeros(())
            return np.stack(parts)
        if hasattr(value, "toarray"):
            self.defect(path, "a sparse matrix cannot stand here; give a dense array")
            return np.zeros(())
        return np.asarray(value, dtype=float)

    def _evaluate(self, text: str, path: tuple[str | int, ...]) -> Any:
        from solverkit.expressions.evaluate import evaluate

        tree = self.parse(text, path)
        if tree is None or not self._known(tree, {}, path):
            return 0.0
        try:
            return evaluate(tree, self.constants)
        except ExpressionError as error:
            self.defect(path, error.message, error.offset)
            return 0.0

    # -- expressions

    def parse(self, text: str, path: KeyPath) -> Tree | None:
        """The tree of a text; None with a defect where it has none."""
        try:
            return parse(text)
        except ExpressionError as error:
            self.defect(path, error.message, error.offset)
            return None

    def _known(self, tree: Tree, variables: Mapping[str, tuple[int, ...]], path: KeyPath) -> bool:
        """Whether every name stands for something; each that does not is a defect. False where one is unsure."""
        known = {*variables, *self.parameters, *self.data, *CONSTANTS}
        missing: dict[str, int] = {}
        for node in walk(tree):
            if isinstance(node, Name) and node.name not in known and node.name not in self.unsure:
                missing[node.name] = min(missing.get(node.name, node.offset), node.offset)
        others = [*self.parameters, *self.data]
        for name, offset in missing.items():
            self.defect(path, unknown_name(name, list(variables), others, offset).message, offset)
        return not missing and not names(tree) & self.unsure

    def function(self, texts: Sequence[tuple[str, KeyPath]], variables: Mapping[str, tuple[int, ...]]) -> Function:
        """Compile expressions, stacked in order; zeros where one has a defect."""
        trees = [self._checked(text, path, variables) for text, path in texts]
        return self.compiled(trees, variables)

    def scalar(self, text: str, path: KeyPath, variables: Mapping[str, tuple[int, ...]]) -> Function:
        """Compile one expression that must be a single number."""
        return self.compiled([self.tree(text, path, variables)], variables)

    def tree(self, text: str, path: KeyPath, variables: Mapping[str, tuple[int, ...]]) -> Tree | None:
        """The syntax tree of an expression that must be a single number; None, after a defect, where it has none."""
        return self._checked(text, path, variables, single=True)

    def _checked(
        self, text: str, path: KeyPath, variables: Mapping[str, tuple[int, ...]], single: bool = False
    ) -> Tree | None:
        """The tree of an expression that fits its names and their shapes; None where it does not."""
        from solverkit.expressions.program import lower

        tree = self.parse(text, path)
        if tree is None:
            return None
        if isinstance(tree, Compare):
            self.defect(path, "a comparison, where a value is needed; constraints belong in subject_to", tree.offset)
            return None
        if not self._known(tree, variables, path):
            return None
        try:
            shape = lower([tree], variables, self.constants).shapes[0]
        except ExpressionError as error:
            self.defect(path, error.message, error.offset)
            return None
        if single and rule.size(shape) != 1:
            self.defect(path, f"must be a single number, and has shape {shape}; sum(...) makes one")
            return None
        return tree

    def compiled(self, trees: Sequence[Tree | None], variables: Mapping[str, tuple[int, ...]]) -> Function:
        """Compile trees, stacked in order; zeros where one is missing, or where anything has a defect."""
        from solverkit.expressions.compile import compile_function

        whole = [tree for tree in trees if tree is not None]
        if self.defects or len(whole) < len(trees):
            return Nothing(sum(rule.size(shape) for shape in variables.values()), max(len(trees), 1))
        return compile_function(whole, variables, self.constants)

    def constraints(
        self, texts: Mapping[str, str], path: KeyPath, variables: Mapping[str, tuple[int, ...]]
    ) -> Constraints:
        """Compile a `subject_to:` mapping."""
        from solverkit.expressions.program import lower

        trees: list[Tree | None] = []
        lower_bounds, upper_bounds, labels = [np.zeros(0)], [np.zeros(0)], []
        for name, text in texts.items():
            parts = self._split(text, (*path, name), variables)
            for number, part in enumerate(parts, start=1):
                trees.append(part.tree)
                shape = lower([part.tree], variables, self.constants).shapes[0]
                low, high = part.bounds(variables, self.constants)
                lower_bounds.append(low)
                upper_bounds.append(high)
                labels += _labels(name if len(parts) == 1 else f"{name}.{number}", shape)
        low, high = np.concatenate(lower_bounds), np.concatenate(upper_bounds)
        return Constraints(self.compiled(trees, variables), low, high, tuple(labels))

    def _split(self, text: str, path: KeyPath, variables: Mapping[str, tuple[int, ...]]) -> list[Constraint]:
        """The constraints in one text that fit; empty where there is a defect."""
        from solverkit.expressions.constraints import split

        tree = self.parse(text, path)
        if tree is None or not self._known(tree, variables, path):
            return []
        try:
            parts = split(tree, variables)
            for part in parts:
                part.bounds(variables, self.constants)
        except ExpressionError as error:
            self.defect(path, error.message, error.offset)
            return []
        return parts

    # -- files

    def matrices(self, folder: str, path: KeyPath) -> Mapping[str, Callable[[], Any]] | None:
        """A folder has no meaning without a problem file."""
        self.defect(path, "a folder has a meaning in problem files only")
        return None

    # -- Python

    def python(self, reference: Any, path: KeyPath) -> Any:
        """A callable passes; a reference to a file has no meaning without a problem file."""
        if not callable(reference):
            self.defect(path, "needs the function itself here; a file's name has a meaning in problem files only")
            return None
        return reference


class Nothing:
    """A function that is zero: stands in where the true one has a defect. Never part of a problem that is returned."""

    device = "cpu"
    dtype = "float64"
    degree: int | None = 0

    def __init__(self, inputs: int, outputs: int) -> None:
        self.inputs = inputs
        self.outputs = outputs

    def value(self, z: np.ndarray) -> np.ndarray:
        return np.zeros(self.outputs)

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.zeros(self.inputs)

    def jvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return np.zeros(self.outputs)

    def jacobian(self, z: np.ndarray) -> Any:
        from scipy.sparse import csr_array

        return csr_array((self.outputs, self.inputs))

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return np.zeros(self.inputs)

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> Any:
        from scipy.sparse import csr_array

        return csr_array((self.inputs, self.inputs))

    def gradient(self, z: np.ndarray) -> np.ndarray:
        return np.zeros(self.inputs)

    def to(self, device: str, dtype: str) -> Function:
        return self

    def digest(self) -> str:
        return "nothing"


def dotted(path: Sequence[str | int]) -> str:
    """`lower.variables.y.start[2]`; what lies deeper than anything that has a meaning is left out."""
    if len(path) > 12:
        return dotted(path[:3]) + "..."
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part[:64]}" if text else part[:64]
    return text


def reserved(name: str) -> str:
    """Why a name cannot be given to something of the user's; empty where it can."""
    import keyword

    if name in FUNCTIONS:
        return f"'{name}' is a function of the expression language; choose another name"
    if name in CONSTANTS:
        return f"'{name}' is a constant of the expression language; choose another name"
    if keyword.iskeyword(name) or name.startswith("__"):
        return f"'{name}' cannot be a name in an expression; choose another one"
    return ""


def _labels(name: str, shape: tuple[int, ...]) -> list[str]:
    if not shape:
        return [name]
    return [f"{name}[{','.join(map(str, index))}]" for index in np.ndindex(*shape)]
