"""Operators that are Python functions, of NumPy arrays or of torch tensors.

A function takes the blocks by their names, F(x, y), or u as its only argument, and returns F(u) as an array, or one
array for each block in their order. Which library it works in is found out by calling it once: with NumPy arrays
first, and with tensors where it cannot take those.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.expressions.shapes import size
from solverkit.expressions.torch_callable import callable_digest

if TYPE_CHECKING:
    from solverkit.kinds.inclusion.operator import Operator

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Called:
    """How a user's function is called with a flat vector. `more` arguments follow the blocks, as they are."""

    function: Callable[..., Any]
    shapes: Shapes
    library: str  # numpy or torch
    named: bool  # whether it takes the blocks by name
    device: str = "cpu"
    dtype: str = "float64"

    @classmethod
    def of(cls, function: Callable[..., Any], shapes: Shapes, start: np.ndarray, *more: np.ndarray) -> Called:
        """The call that works at `start`. Raises UsageError where none does, with what the function said."""
        named = _takes_names(function, shapes, len(more))
        said = ""
        for library in ("numpy", "torch"):
            call = cls(function, dict(shapes), library, named)
            try:
                call(start, *more)
                return call
            except UsageError:
                raise
            except ImportError:
                break
            except Exception as error:  # the user's own code may raise anything
                said = said or f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        raise UsageError(f"{_label(function)} cannot be used: {said}")

    def __call__(self, u: np.ndarray, *more: np.ndarray) -> np.ndarray:
        """F(u), (N,) float64 on the host. Raises UsageError for a result of another size."""
        arguments = [self._given(u), *(self._given(part) for part in more)]
        if self.named:
            returned = self.function(**self._blocks(arguments[0]), **self._extra(arguments[1:]))
        else:
            returned = self.function(*arguments)
        parts = returned if isinstance(returned, tuple | list) else (returned,)
        flat = np.concatenate([_host(part) for part in parts])
        if flat.shape != u.shape:
            raise UsageError(f"{_label(self.function)} returned {len(flat)} numbers; the variables have {len(u)}")
        return flat

    def _given(self, part: np.ndarray) -> Any:
        if self.library == "numpy":
            return part
        import torch

        tensor = torch.as_tensor(np.ascontiguousarray(part), device=self.device)
        return tensor.to(getattr(torch, self.dtype)) if tensor.is_floating_point() else tensor

    def _blocks(self, u: Any) -> dict[str, Any]:
        found, first = {}, 0
        for name, shape in self.shapes.items():
            found[name] = u[first : first + size(shape)].reshape(shape)
            first += size(shape)
        return found

    def _extra(self, more: list[Any]) -> dict[str, Any]:
        names = [name for name in inspect.signature(self.function).parameters if name not in self.shapes]
        return dict(zip(names, more, strict=False))

    def to(self, device: str, dtype: str) -> Called:
        """The same call elsewhere; UsageError for a NumPy function."""
        if (device, dtype) == (self.device, self.dtype):
            return self
        if self.library == "numpy":
            raise UsageError(f"{_label(self.function)} works on NumPy arrays; device 'cpu' and dtype 'float64' only")
        from solverkit.expressions.torch_target import check_device

        check_device(device)
        return replace(self, device=device, dtype=dtype)

    def digest(self) -> str:
        """Of the function's source and what it closes over."""
        return callable_digest(self.function, self.shapes)


def _takes_names(function: Callable[..., Any], shapes: Shapes, more: int) -> bool:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return False
    required = [part.name for part in parameters if part.default is part.empty and part.kind is not part.VAR_POSITIONAL]
    if set(shapes) <= {part.name for part in parameters}:
        return True
    if len(required) == 1 + more:
        return False
    raise UsageError(
        f"{_label(function)}({', '.join(required)}) takes neither the variables by name ({', '.join(shapes)}) "
        "nor u as its only argument"
    )


def _host(part: Any) -> np.ndarray:
    array = part.detach().cpu().numpy() if hasattr(part, "detach") else np.asarray(part)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{array.dtype} is no real number")
    return array.astype(float).ravel()


def _label(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


@dataclass(frozen=True, eq=False)
class CalledOperator:
    """F(u) by a Python function."""

    call: Called
    lipschitz: float | None = None
    cocoercive: bool = False

    count: int = field(default=1, init=False)
    weights: None = field(default=None, init=False)
    mean_lipschitz: None = field(default=None, init=False)

    @property
    def size(self) -> int:
        """N."""
        return sum(size(shape) for shape in self.call.shapes.values())

    def value(self, u: np.ndarray) -> np.ndarray:
        """F(u), (N,)."""
        return self.call(u)

    def components(self, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """F(u): there is one component."""
        return self.call(u)

    def to(self, device: str, dtype: str) -> Operator:
        """The same operator elsewhere, where the function works on tensors."""
        call = self.call.to(device, dtype)
        return self if call is self.call else replace(self, call=call)

    def digest(self) -> str:
        return f"called {self.call.digest()}"


@dataclass(frozen=True, eq=False)
class CalledSum:
    """F = (1 / n) sum_i F_i by a Python function of the blocks and `samples`, which returns the mean of their F_i."""

    call: Called
    count: int
    lipschitz: float | None = None
    cocoercive: bool = False

    weights: None = field(default=None, init=False)
    mean_lipschitz: None = field(default=None, init=False)

    @property
    def size(self) -> int:
        """N."""
        return sum(size(shape) for shape in self.call.shapes.values())

    def value(self, u: np.ndarray) -> np.ndarray:
        """F(u), (N,)."""
        return self.call(u, np.arange(self.count))

    def components(self, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """(1 / b) sum over samples of F_i(u), (N,)."""
        return self.call(u, np.asarray(samples))

    def to(self, device: str, dtype: str) -> Operator:
        """The same operator elsewhere, where the function works on tensors."""
        call = self.call.to(device, dtype)
        return self if call is self.call else replace(self, call=call)

    def digest(self) -> str:
        return f"called {self.count} {self.call.digest()}"
