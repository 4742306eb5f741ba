"""Smooth functions on torch: expressions with much data, users' callables, devices, float32.

Every derivative is reverse mode, which each torch operation and each user's `autograd.Function` supports; J d is the
derivative of J'u with respect to u. Jacobians and Hessians are dense (stored as CSR with a full pattern): which
entries of a callable's are zero everywhere cannot be known by probing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.errors import MissingPackage, UsageError
from solverkit.expressions import shapes as rule
from solverkit.expressions.degree import program_degree
from solverkit.expressions.program import OPERATORS, Program, Shape, Step, fixed_arguments, run
from solverkit.expressions.torch_callable import callable_digest, flat_call

if TYPE_CHECKING:
    import torch

    from solverkit.expressions.function import Function

MAX_DENSE = 50_000_000  # elements of a dense Jacobian or Hessian (400 MB)
BATCH_ELEMENTS = 4_000_000  # elements that one batch of rows of a Jacobian or Hessian may hold

Call = Callable[["torch.Tensor"], "torch.Tensor"]


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingPackage("these functions need torch; pip install torch==2.13.0") from None
    return torch


class TorchFunction:
    """A `Function` whose arithmetic is torch's.

    call : a differentiable map of a flat tensor (n,) to a flat tensor (m,), both of `dtype` on `device`
    rebuild : (device, dtype) -> the same function elsewhere; without it `to` raises UsageError
    largest : elements of the largest intermediate array, which sets how many rows of a Jacobian are done at once
    reduce : what pickle stores, in the form of `__reduce__`; without it the attributes themselves
    """

    def __init__(
        self,
        call: Call,
        inputs: int,
        outputs: int,
        device: str = "cpu",
        dtype: str = "float64",
        degree: int | None = None,
        digest: str = "",
        rebuild: Callable[[str, str], Function] | None = None,
        largest: int = 0,
        reduce: tuple[Any, ...] | None = None,
    ) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.degree = degree
        self.device = device
        self.dtype = dtype
        self._call = call
        self._digest = digest
        self._rebuild = rebuild
        self._reduce = reduce
        self._batch = max(1, min(256, BATCH_ELEMENTS // max(inputs, outputs, largest, 1)))
        self._torch = _torch()
        self._kind = getattr(self._torch, dtype)
        self._constant_jacobian: np.ndarray | None = None
        self._constant_hessian: np.ndarray | None = None
        self._latest: tuple[Any, ...] | None = None  # (z, weights, tensor of z, J'w with its graph) of the last product

    @property
    def products_only(self) -> bool:
        """Whether a Hessian would be too large to form, so that only products with it are to be had."""
        return self.degree not in (0, 1) and self.inputs**2 > MAX_DENSE

    @classmethod
    def from_program(cls, program: Program, device: str = "cpu", dtype: str = "float64") -> TorchFunction:
        """The function of lowered expressions; UsageError where the device is not available."""
        check_device(device)
        from solverkit.expressions.compile import compile_program

        return cls(
            _program_call(program, device, dtype),
            program.inputs,
            program.outputs,
            device,
            dtype,
            degree=program_degree(program),
            digest=program.digest(),
            rebuild=lambda device, dtype: compile_program(program, "auto", device, dtype),
            largest=max((rule.size(step.shape) for step in program.steps if step.operation != "constant"), default=0),
            reduce=(cls.from_program, (program, device, dtype)),
        )

    @classmethod
    def from_callable(
        cls,
        fun: Callable[..., Any],
        variables: Mapping[str, Shape],
        device: str = "cpu",
        dtype: str = "float64",
        degree: int | None = None,
        digest: str | None = None,
        start: np.ndarray | None = None,
    ) -> TorchFunction:
        """The function of a user's torch code.

        fun : takes blocks as tensors by their names, fun(x, y), or the flat tensor as its only argument, fun(z);
            returns a tensor, or a tuple of tensors, which are ravelled and stacked. It is called once, at `start`
            (zeros if None), to learn m.
        variables : name -> shape, in the order of the flat vector
        degree : of fun as a polynomial, where the caller can vouch for it
        digest : what stands for fun in a problem's fingerprint; by default its source and the numbers it closes over

        Raises UsageError for a signature that does not fit the names or a device that is not available, TypeError and
        ValueError where `fun` returns something else than real tensors. NaN passes through.
        """
        check_device(device)
        torch = _torch()
        blocks = {name: tuple(shape) for name, shape in variables.items()}
        inputs = sum(rule.size(shape) for shape in blocks.values())
        call = flat_call(torch, fun, blocks, device, getattr(torch, dtype))
        point = np.zeros(inputs) if start is None else start
        with torch.no_grad():
            outputs = call(torch.tensor(point, dtype=getattr(torch, dtype), device=device)).numel()
        digest = digest or callable_digest(fun, blocks)
        known: dict[tuple[str, str], TorchFunction] = {}

        def rebuild(device: str, dtype: str) -> TorchFunction:
            if (device, dtype) not in known:
                known[device, dtype] = cls.from_callable(fun, blocks, device, dtype, degree, digest, start)
                known[device, dtype]._rebuild = rebuild
            return known[device, dtype]

        function = cls(
            call,
            inputs,
            outputs,
            device,
            dtype,
            degree=degree,
            digest=digest,
            rebuild=rebuild,
            largest=BATCH_ELEMENTS // 32,
            reduce=(cls.from_callable, (fun, blocks, device, dtype, degree, digest, start)),
        )
        known[device, dtype] = function
        return function

    def tensor(self, z: torch.Tensor) -> torch.Tensor:
        """r(z) of a tensor on `device`, differentiable by torch: for code that stays on the device."""
        result = self._call(z)
        if result.numel() != self.outputs:
            raise ValueError(f"the function returned {result.numel()} numbers, {self.outputs} at first")
        return result.reshape(-1)

    def value(self, z: np.ndarray) -> np.ndarray:
        """r(z), shape (m,)."""
        with self._torch.no_grad():
            return self._array(self.tensor(self._tensor(z, self.inputs)))

    def gradient(self, z: np.ndarray) -> np.ndarray:
        """The gradient of the single output, shape (n,); ValueError where m != 1."""
        if self.outputs != 1:
            raise ValueError(f"gradient is of a single output; this function has {self.outputs}. Use vjp or jacobian")
        return self.vjp(z, np.ones(1))

    def vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """J(z)' w, shape (n,)."""
        with self._torch.enable_grad():
            point = self._tensor(z, self.inputs).requires_grad_()
            return self._array(self._pull(self.tensor(point), point, self._tensor(weights, self.outputs)))

    def jvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """J(z) d, shape (m,)."""
        with self._torch.enable_grad():
            point = self._tensor(z, self.inputs).requires_grad_()
            dummy = self._tensor(np.zeros(self.outputs), self.outputs).requires_grad_()
            pulled = self._pull(self.tensor(point), point, dummy, again=True)
            return self._array(self._pull(pulled, dummy, self._tensor(direction, self.inputs)))

    def hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """H(z, w) d, shape (n,). The graph of J'w is kept: a further product at the same z and w is half the work."""
        with self._torch.enable_grad():
            known = self._latest
            if known is None or not (np.array_equal(known[0], z) and np.array_equal(known[1], weights)):
                self._latest = None  # its memory, before as much is needed again
                point = self._tensor(z, self.inputs).requires_grad_()
                pulled = self._pull(self.tensor(point), point, self._tensor(weights, self.outputs), again=True)
                known = self._latest = np.array(z), np.array(weights), point, pulled
            product = self._pull(known[3], known[2], self._tensor(direction, self.inputs), keep=True)
            return self._array(product)

    def jacobian(self, z: np.ndarray) -> csr_array:
        """J(z), (m, n) with a full pattern; computed once where the function is proven linear."""
        if self.degree not in (0, 1):
            return self._full(self._dense_jacobian(z))
        if self._constant_jacobian is None:
            self._constant_jacobian = self._dense_jacobian(np.zeros(self.inputs))
        return self._full(self._constant_jacobian)

    def hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        """H(z, w), (n, n) with a full pattern, empty where r is proven linear; computed once where one output is
        proven quadratic."""
        if self.degree in (0, 1):
            return csr_array((self.inputs, self.inputs), dtype=self.dtype)
        if self.degree is None or self.outputs != 1:
            return self._full(self._dense_hessian(z, weights))
        if self._constant_hessian is None:
            self._constant_hessian = self._dense_hessian(np.zeros(self.inputs), np.ones(1))
        return self._full(self._constant_hessian * np.asarray(weights[0], dtype=self.dtype))

    def to(self, device: str, dtype: str) -> Function:
        """The same function with its arithmetic elsewhere; `self` where nothing changes."""
        if (device, dtype) == (self.device, self.dtype):
            return self
        if self._rebuild is None:
            raise UsageError(f"this function is bound to '{self.device}' in '{self.dtype}'")
        return self._rebuild(device, dtype)

    def digest(self) -> str:
        """A hex sha256 of what is computed."""
        return self._digest

    def __reduce__(self) -> tuple[Any, ...]:
        if self._reduce is not None:
            return self._reduce
        arguments = (
            self._call,
            self.inputs,
            self.outputs,
            self.device,
            self.dtype,
            self.degree,
            self._digest,
        )
        return TorchFunction, arguments

    # -- tensors and derivatives ------------------------------------------------------------------------------------

    def _tensor(self, array: np.ndarray, length: int) -> torch.Tensor:
        if np.shape(array) != (length,):
            raise ValueError(f"an argument of shape {np.shape(array)} where {(length,)} is needed")
        return self._torch.tensor(np.asarray(array), dtype=self._kind, device=self.device)

    def _array(self, tensor: torch.Tensor) -> np.ndarray:
        return np.array(tensor.detach().cpu().numpy())

    def _pull(
        self, result: torch.Tensor, point: torch.Tensor, weights: Any, again: bool = False, keep: bool = False
    ) -> torch.Tensor:
        """weights' d result / d point; zeros where the result does not depend on the point.

        again : to be differentiated once more
        keep : the graph of `result` stays, for other weights"""
        found = None
        if result.requires_grad:
            (found,) = self._torch.autograd.grad(
                result, point, grad_outputs=weights, create_graph=again, retain_graph=again or keep, allow_unused=True
            )
        return self._torch.zeros_like(point) if found is None else found

    def _rows(self, result: torch.Tensor, point: torch.Tensor) -> np.ndarray:
        """d result / d point, dense, a batch of rows at a time."""
        torch = self._torch
        dense = np.zeros((result.numel(), point.numel()), dtype=self.dtype)
        if not result.requires_grad:
            return dense
        identity = torch.eye(result.numel(), dtype=self._kind, device=self.device)
        for first in range(0, result.numel(), self._batch):
            seeds = identity[first : first + self._batch]
            try:
                (rows,) = torch.autograd.grad(
                    result, point, seeds, retain_graph=True, allow_unused=True, is_grads_batched=True
                )
                rows = [] if rows is None else rows
            except RuntimeError:  # an operation that cannot be batched: one row at a time
                rows = [
                    torch.autograd.grad(result, point, seed, retain_graph=True, allow_unused=True)[0] for seed in seeds
                ]
            for position, row in enumerate(rows):
                dense[first + position] = row.detach().cpu().numpy()
        return dense

    def _check_dense(self, rows: int) -> None:
        if rows * self.inputs > MAX_DENSE:
            raise UsageError(
                f"a dense {rows} x {self.inputs} matrix of derivatives is too large; use products (vjp, jvp, hvp), "
                "or expressions on 'cpu' in 'float64', whose derivatives are sparse"
            )

    def _dense_jacobian(self, z: np.ndarray) -> np.ndarray:
        self._check_dense(self.outputs)
        with self._torch.enable_grad():
            point = self._tensor(z, self.inputs).requires_grad_()
            result = self.tensor(point)
            if self.outputs <= self.inputs:
                return self._rows(result, point)
            dummy = self._tensor(np.zeros(self.outputs), self.outputs).requires_grad_()
            return self._rows(self._pull(result, point, dummy, again=True), dummy).T.copy()

    def _dense_hessian(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        self._check_dense(self.inputs)
        with self._torch.enable_grad():
            point = self._tensor(z, self.inputs).requires_grad_()
            pulled = self._pull(self.tensor(point), point, self._tensor(weights, self.outputs), again=True)
            dense = self._rows(pulled, point)
        return 0.5 * (dense + dense.T)

    def _full(self, dense: np.ndarray) -> csr_array:
        rows, columns = dense.shape
        indices = np.tile(np.arange(columns, dtype=np.int32), rows)
        pointers = np.arange(0, rows * columns + 1, columns, dtype=np.int32)
        return csr_array((dense.ravel().copy(), indices, pointers), shape=dense.shape)


def check_device(device: str) -> None:
    """Raises UsageError where torch cannot compute on `device`: before any work is done there."""
    torch = _torch()
    try:
        torch.empty((), device=device)
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(f"device '{device}' is not available: {reason}. Use device 'cpu'") from None


# -- from expressions -----------------------------------------------------------------------------------------------


def _program_call(program: Program, device: str, dtype: str) -> Call:
    """The differentiable map of a lowered program; its constants are moved to the device once."""
    torch = _torch()
    kind = getattr(torch, dtype)
    moved: dict[int, Any] = {
        id(step.detail): _constant(torch, step.detail, device, kind)
        for step in program.steps
        if step.operation == "constant"
    }
    bounds = np.cumsum([0, *(rule.size(shape) for shape in program.variables.values())]).tolist()
    places = {name: slice(*pair) for name, pair in zip(program.variables, pairwise(bounds), strict=True)}

    def call(z: Any) -> Any:
        values = run(
            program,
            lambda name, shape: z[places[name]].reshape(shape),
            lambda value: moved[id(value)],
            lambda step, arguments, shapes: _operate(torch, step, arguments),
        )
        parts = [value.reshape(-1) for value in values]
        return torch.cat(parts) if parts else z[:0]

    return call


def _constant(torch: Any, value: Any, device: str, kind: Any) -> Any:
    if hasattr(value, "tocsr"):
        return _SparseMatrix(torch, value, device, kind)
    array = np.asarray(value)
    return torch.tensor(array, dtype=torch.bool if array.dtype == bool else kind, device=device)


def _operate(torch: Any, step: Step, arguments: list[Any]) -> Any:
    if step.operation == "@":
        left, right = arguments
        if isinstance(left, _SparseMatrix):
            return left.times(right)
        if isinstance(right, _SparseMatrix):
            product = right.transposed().times(left.T if left.ndim == 2 else left)
            return product.T if left.ndim == 2 else product
        return left @ right
    if step.operation == "index":
        return arguments[0][step.detail]
    if step.operation == "call":
        return step.detail[0].torch(torch, *arguments, *fixed_arguments(step))
    return OPERATORS[step.operation](*arguments)


class _SparseMatrix:
    """A constant sparse matrix A with its transpose, for products that torch can differentiate any number of times."""

    def __init__(self, torch: Any, matrix: csr_array, device: str, kind: Any) -> None:
        from solverkit.operators.torch_csr import csr_tensor

        self._torch = torch
        self._pair = tuple(csr_tensor(part, device, kind) for part in (matrix, matrix.T.tocsr()))

    def times(self, x: torch.Tensor) -> torch.Tensor:
        """A @ x for a vector or a matrix x."""
        return _sparse_product().apply(x, self)

    def transposed(self) -> _SparseMatrix:
        """A'."""
        other = object.__new__(_SparseMatrix)
        other._torch, other._pair = self._torch, self._pair[::-1]
        return other

    def raw(self, x: torch.Tensor) -> torch.Tensor:
        """A @ x outside of differentiation."""
        return self._pair[0] @ x


@cache
def _sparse_product() -> Any:
    """The autograd function of A @ x; its derivative is the same function of A', so it has all orders."""
    torch = _torch()

    class SparseProduct(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(x: Any, matrix: _SparseMatrix) -> Any:
            return matrix.raw(x)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            ctx.matrix = inputs[1]

        @staticmethod
        def backward(ctx: Any, weights: Any) -> Any:
            return SparseProduct.apply(weights, ctx.matrix.transposed()), None

        @staticmethod
        def vmap(info: Any, dims: tuple[Any, ...], x: Any, matrix: _SparseMatrix) -> Any:
            x = x.movedim(dims[0], -1)  # a batch of vectors is a matrix; of matrices, one wide matrix
            product = SparseProduct.apply(x.reshape(x.shape[0], -1), matrix)
            return product.reshape(product.shape[0], *x.shape[1:]), x.ndim - 1

    return SparseProduct
