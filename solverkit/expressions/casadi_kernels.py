"""A CasADi graph as a `Function`: exact sparse derivatives, a few microseconds a call.

Every derivative is built at its first use. A call copies its arguments into preset buffers, runs, and copies the result
out: CasADi's own call interface costs ten times that.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.errors import MissingPackage
from solverkit.expressions.function import Function

_building = threading.RLock()  # CasADi's reference counts are not atomic


def casadi_module() -> Any:
    """The package; MissingPackage where it is not installed."""
    try:
        import casadi
    except ImportError:
        raise MissingPackage('these expressions need CasADi; pip install "solverkit[casadi]"') from None
    return casadi


class GraphFunction(ABC):
    """A `Function` whose arithmetic is CasADi's, on the CPU in float64; a subclass says what its graph is.

    `value(z)`, `gradient(z)` (where m = 1), `vjp(z, w)`, `jvp(z, d)` and `hvp(z, w, d)` are kernels: callables that
    take vectors, return a new vector as the protocol says, and raise ValueError for other lengths. All of it may be
    called from several threads at once.
    """

    device = "cpu"
    dtype = "float64"

    def __init__(self, inputs: int, outputs: int, degree: int | None) -> None:
        casadi_module()
        self.inputs = n = inputs
        self.outputs = m = outputs
        self.degree = degree
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

    @abstractmethod
    def to(self, device: str, dtype: str) -> Function:
        """The same function with its arithmetic elsewhere; `self` where nothing changes."""

    @abstractmethod
    def digest(self) -> str:
        """A hex sha256 of what the function computes."""

    @abstractmethod
    def graph(self) -> tuple[Any, Any]:
        """The symbol z (n) and the expression r(z) (m), as dense columns of one of CasADi's symbolic types."""

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

    def dense_jacobian(self, z: np.ndarray) -> np.ndarray:
        """J(z) as an ndarray, (m, n): for small functions, where a sparse matrix costs more than its values."""
        return self._jacobian.dense((self.outputs, self.inputs), z)

    def dense_hessian(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """H(z, w) as an ndarray, (n, n)."""
        return self._hessian.dense((self.inputs, self.inputs), z, weights)

    def _no_gradient(self, z: np.ndarray) -> np.ndarray:
        """r(z) has m != 1 elements: raises ValueError."""
        raise ValueError(f"gradient is of a single output; this function has {self.outputs}. Use vjp or jacobian")

    def _build(self, what: str) -> Any:
        """One derivative as a CasADi function; called at its first use."""
        ca = casadi_module()
        if self._symbols is None:
            self._symbols = self.graph()
        z, r = self._symbols
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

    def __init__(self, owner: GraphFunction, name: str, *lengths: int) -> None:
        self._owner = owner
        self._name = name  # the attribute of the owner that this kernel is
        self._lengths = lengths
        self._function: Any = None
        self._pattern: tuple[np.ndarray, np.ndarray] | None = None
        self._places: np.ndarray | None = None  # of the nonzeros in the ravelled dense matrix
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
        return csr_array((data, *self._csr()), shape=shape, copy=True)

    def dense(self, shape: tuple[int, int], *arguments: np.ndarray) -> np.ndarray:
        """The same as an ndarray."""
        data = self(*arguments)
        if self._places is None:
            columns, starts = self._csr()
            self._places = np.repeat(np.arange(shape[0]), np.diff(starts)) * shape[1] + columns
        full = np.zeros(shape)
        full.ravel()[self._places] = data
        return full

    def _csr(self) -> tuple[np.ndarray, np.ndarray]:
        """Column indices and row starts of `matrix`; after the first call."""
        if self._pattern is None:
            sparsity = self._function.sparsity_out(0)
            self._pattern = (
                np.array(sparsity.row(), dtype=np.int32),
                np.array(sparsity.colind(), dtype=np.int32),
            )
        return self._pattern

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
