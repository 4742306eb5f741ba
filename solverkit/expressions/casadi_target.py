"""Expressions on CasADi: exact sparse derivatives, a few microseconds a call.

Vectorized expressions become MX graphs, whose size does not grow with n; expressions of single elements (x[0]*x[3])
become SX graphs, whose derivatives are smaller. Every derivative is built at its first use. A call copies its
arguments into preset buffers, runs, and copies the result out: CasADi's own call interface costs ten times that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.errors import MissingPackage
from solverkit.expressions import shapes as rule
from solverkit.expressions.degree import program_degree
from solverkit.expressions.function import Function
from solverkit.expressions.functions import casadi_ravel, casadi_shaped
from solverkit.expressions.program import OPERATORS, Program, Shape, Step, fixed_arguments, run

SCALAR_LENGTH = 16  # mean number of elements a step up to which a graph of single elements is the better one
SCALAR_STEPS = 50_000  # and its largest size

_building = threading.RLock()  # CasADi's reference counts are not atomic


def _casadi() -> Any:
    try:
        import casadi
    except ImportError:
        raise MissingPackage('these expressions need CasADi; pip install "solverkit[casadi]"') from None
    return casadi


class CasadiFunction:
    """A `Function` whose arithmetic is CasADi's, on the CPU in float64.

    `value(z)`, `gradient(z)` (where m = 1), `vjp(z, w)`, `jvp(z, d)` and `hvp(z, w, d)` are kernels: callables that
    take vectors, return a new vector as the protocol says, and raise ValueError for other lengths. All of it may be
    called from several threads at once. Pickles by its trees and constants.
    """

    device = "cpu"
    dtype = "float64"

    def __init__(self, program: Program) -> None:
        _casadi()
        self.program = program
        self.inputs = program.inputs
        self.outputs = program.outputs
        self.degree = program_degree(program)
        n, m = self.inputs, self.outputs
        self.value = _Kernel(self, "value", n)
        self.gradient = _Kernel(self, "gradient", n) if m == 1 else self._no_gradient
        self.vjp = _Kernel(self, "vjp", n, m)
        self.jvp = _Kernel(self, "jvp", n, n)
        self.hvp = _Kernel(self, "hvp", n, m, n)
        self._jacobian = _Kernel(self, "_jacobian", n)
        self._hessian = _Kernel(self, "_hessian", n, m)
        self._symbols: tuple[Any, Any] | None = None
        self._constant_jacobian: csr_array | None = None
        self._constant_hessian: csr_array | None = None

    def jacobian(self, z: np.ndarray) -> csr_array:
        """J(z), sparse (m, n); computed once where the function is proven linear."""
        if self.degree not in (0, 1):
            return self._jacobian.matrix((self.outputs, self.inputs), z)
        if self._constant_jacobian is None:
            self._constant_jacobian = self._jacobian.matrix((self.outputs, self.inputs), np.zeros(self.inputs))
        return self._constant_jacobian.copy()

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        """H(z, w), sparse symmetric (n, n); computed once where one output is proven quadratic."""
        shape = (self.inputs, self.inputs)
        if self.degree is None or self.outputs != 1:
            return self._hessian.matrix(shape, z, weights)
        if self._constant_hessian is None:
            self._constant_hessian = self._hessian.matrix(shape, np.zeros(self.inputs), np.ones(1))
        return self._constant_hessian * float(weights[0])

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

    def _no_gradient(self, z: np.ndarray) -> np.ndarray:
        """r(z) has m != 1 elements: raises ValueError."""
        raise ValueError(f"gradient is of a single output; this function has {self.outputs}. Use vjp or jacobian")

    def _graph(self) -> tuple[Any, Any]:
        """The symbol z and the expression r(z) as dense columns."""
        if self._symbols is None:
            ca = _casadi()
            kind = symbol_kind(ca, self.program)
            z = kind.sym("z", self.inputs)
            self._symbols = z, expression(ca, kind, self.program, z)
        return self._symbols

    def _build(self, what: str) -> Any:
        """One derivative as a CasADi function; called at its first use."""
        ca = _casadi()
        z, r = self._graph()
        w, d = type(z).sym("w", self.outputs), type(z).sym("d", self.inputs)
        weighted = r if what == "gradient" else ca.dot(w, r)
        match what:
            case "value":
                return _function(ca, [z], ca.densify(r))
            case "gradient":
                return _function(ca, [z], ca.densify(ca.gradient(weighted, z)))
            case "vjp":
                return _function(ca, [z, w], ca.densify(ca.jtimes(r, z, w, True)))
            case "jvp":
                return _function(ca, [z, d], ca.densify(ca.jtimes(r, z, d)))
            case "hvp":
                return _function(ca, [z, w, d], ca.densify(ca.jtimes(ca.gradient(weighted, z), z, d)))
            case "_jacobian":
                return _function(ca, [z], ca.jacobian(r, z).T)  # columns of the transpose are rows of J
            case _:
                return _function(ca, [z, w], ca.hessian(weighted, z)[0])


def _function(ca: Any, arguments: list[Any], result: Any) -> Any:
    return ca.Function("r", arguments, [result])


class _Buffers(threading.local):
    """What one thread needs to call a CasADi function: its arguments, its result, the call itself."""

    arguments: tuple[np.ndarray, ...]
    result: np.ndarray
    evaluate: Callable[[], Any]
    owner: Any  # CasADi's buffer object: `evaluate` holds a bare pointer to it


class _Kernel:
    """One CasADi function with preset buffers, a set for each thread; built at the first call."""

    def __init__(self, owner: CasadiFunction, name: str, *lengths: int) -> None:
        self._owner = owner
        self._name = name  # the attribute of the owner that this kernel is
        self._lengths = lengths
        self._function: Any = None
        self._pattern: tuple[np.ndarray, np.ndarray] | None = None
        self._buffers = _Buffers()

    def __call__(self, *arguments: np.ndarray) -> np.ndarray:
        """The result's nonzeros as a new array; ValueError for vectors of another length."""
        buffers = self._buffers
        try:
            evaluate = buffers.evaluate
        except AttributeError:
            evaluate = self._bind()
        for buffer, argument in zip(buffers.arguments, arguments, strict=True):
            if len(argument) != len(buffer):
                raise ValueError(f"an argument of length {len(argument)} where {len(buffer)} is needed")
            buffer[:] = argument
        evaluate()
        return buffers.result.copy()

    def matrix(self, shape: tuple[int, int], *arguments: np.ndarray) -> csr_array:
        """The result as a sparse matrix, where CasADi's columns are its rows."""
        data = self(*arguments)
        if self._pattern is None:
            sparsity = self._function.sparsity_out(0)
            self._pattern = (
                np.array(sparsity.row(), dtype=np.int32),
                np.array(sparsity.colind(), dtype=np.int32),
            )
        return csr_array((data, *self._pattern), shape=shape, copy=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._owner, self._name)

    def _bind(self) -> Callable[[], Any]:
        with _building:
            if self._function is None:
                self._function = self._owner._build(self._name)
            buffer, evaluate = self._function.buffer()
            arguments = tuple(np.zeros(length) for length in self._lengths)
            result = np.zeros(self._function.nnz_out(0))
            for position, argument in enumerate(arguments):
                buffer.set_arg(position, memoryview(argument.data))
            buffer.set_res(0, memoryview(result.data))
        self._buffers.arguments, self._buffers.result = arguments, result
        self._buffers.owner, self._buffers.evaluate = buffer, evaluate
        return evaluate


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
        arguments = [
            argument if rule.size(shape) == 1 else _stretch(ca, argument, shape, step.shape)
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
