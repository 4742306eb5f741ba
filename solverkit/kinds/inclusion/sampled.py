"""Finite sums over samples of data, by one expression for the term of one sample.

    F = (1 / n) sum_i F_i,      F_i(u) = (grad_x phi_i, -grad_y phi_i)   or   F_i(u) = r_i(u)

phi_i and r_i are the same expression for every i, of the shared blocks, of the sample's row of the data, and of the
sample's own entry of blocks that have one for each sample (weights of samples in robust fitting, perturbations). A
batch is one call: the expression is mapped over its rows, by CasADi on the CPU in float64, and by torch elsewhere or
where a sample is much work.

| here | meaning |
|---|---|
| shared | blocks that every sample sees whole |
| own | blocks with n entries or rows, of which sample i sees the i-th |
| rows | the data, one row a sample |
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.expressions.shapes import size
from solverkit.kinds.inclusion.mapped import Mapped, suits
from solverkit.operators.quadratic import array_digest

if TYPE_CHECKING:
    from solverkit.expressions.function import Function
    from solverkit.expressions.program import Program
    from solverkit.kinds.inclusion.operator import Operator

CHUNK = 4096  # samples in one call
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class SampledOperator:
    """F of samples. `program` is phi_i or r_i over (blocks in order, own ones as their entries; the sample's row)."""

    program: Program
    shapes: Shapes  # of the blocks
    own: frozenset[str]
    rows: np.ndarray  # (n, width) data, each sample's arrays ravelled
    sign: np.ndarray | None = None  # (N,), 1 on x and -1 on y where `program` is a payoff; None where it is F_i
    lipschitz: float | None = None
    device: str = "cpu"
    dtype: str = "float64"

    cocoercive = False
    weights = None
    mean_lipschitz = None

    @cached_property
    def size(self) -> int:
        """N."""
        return sum(size(shape) for shape in self.shapes.values())

    @property
    def count(self) -> int:
        """n."""
        return len(self.rows)

    @cached_property
    def _places(self) -> dict[str, slice]:
        places, first = {}, 0
        for name, shape in self.shapes.items():
            places[name] = slice(first, first + size(shape))
            first += size(shape)
        return places

    # -- arithmetic

    def value(self, u: np.ndarray) -> np.ndarray:
        """F(u), (N,)."""
        total = np.zeros(self.size)
        for first in range(0, self.count, CHUNK):
            samples = np.arange(first, min(first + CHUNK, self.count))
            total += self._sum(u, samples)
        return total / self.count

    def components(self, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """(1 / b) sum over samples of F_i(u), (N,)."""
        return self._sum(u, np.asarray(samples)) / len(samples)

    @property
    def payoff(self) -> Any:
        """u -> (1 / n) sum_i phi_i(u); None where F_i is given itself."""
        return None if self.sign is None else self._payoff

    def _payoff(self, u: np.ndarray) -> float:
        total = 0.0
        for first in range(0, self.count, CHUNK):
            samples = np.arange(first, min(first + CHUNK, self.count))
            if self._on_host is not None:
                total += float(self._on_host[1](self._rows_of(u, samples)).sum())
            else:
                parts, given = self._inputs(u, self._tensor(samples))
                total += float(self._mapped(self._joined(parts, given)).sum())
        return total / self.count

    # -- on the host

    @cached_property
    def _on_host(self) -> tuple[Mapped, Mapped] | None:
        """(F_i, phi_i or F_i) over rows of what each sample sees; None where torch does it."""
        if (self.device, self.dtype) != ("cpu", "float64") or not suits(self.program):
            return None
        terms = Mapped(self.program, None if self.sign is None else sum(self._widths.values()))
        return terms, terms if self.sign is None else Mapped(self.program)

    @cached_property
    def _widths(self) -> dict[str, int]:
        """How many elements of each block a sample sees."""
        return {name: size(shape[1:] if name in self.own else shape) for name, shape in self.shapes.items()}

    def _rows_of(self, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """What each sample sees of u, then its data, (b, inputs)."""
        rows = np.empty((len(samples), self.program.inputs))
        first = 0
        for name, width in self._widths.items():
            block = u[self._places[name]]
            rows[:, first : first + width] = block.reshape(self.count, -1)[samples] if name in self.own else block
            first += width
        rows[:, first:] = self.rows[samples]
        return rows

    def _sum_on_host(self, terms: Mapped, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        found = terms(self._rows_of(u, samples))
        total = np.zeros(self.size)
        first = 0
        for name, width in self._widths.items():
            part, place = found[:, first : first + width], total[self._places[name]]
            if name in self.own:
                np.add.at(place.reshape(self.count, -1), samples, part)
            else:
                place += part.sum(axis=0)
            first += width
        return total if self.sign is None else self.sign * total

    # -- by torch

    def _sum(self, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """The sum of F_i over the samples."""
        if self._on_host is not None:
            return self._sum_on_host(self._on_host[0], u, samples)
        import torch

        index = self._tensor(samples)
        parts, given = self._inputs(u, index)
        if self.sign is None:
            with torch.no_grad():
                pieces = self._mapped(self._joined(parts, given)).split([part.shape[1] for part in parts.values()], 1)
                sums = {
                    name: piece if name in self.own else piece.sum(0) for name, piece in zip(parts, pieces, strict=True)
                }
        else:
            leaves = {name: part if name in self.own else part[0] for name, part in parts.items()}
            leaves = {name: leaf.detach().requires_grad_() for name, leaf in leaves.items()}
            spread = {
                name: leaf if name in self.own else leaf.expand(len(samples), -1) for name, leaf in leaves.items()
            }
            total = self._mapped(self._joined(spread, given)).sum()
            slopes = torch.autograd.grad(total, list(leaves.values()), materialize_grads=True)
            sums = dict(zip(leaves, slopes, strict=True))
        flat = [
            self._scattered(name, part, index) if name in self.own else part.reshape(-1) for name, part in sums.items()
        ]
        found = torch.cat(flat).cpu().numpy().astype(float)
        return found if self.sign is None else self.sign * found

    def _scattered(self, name: str, part: Any, index: Any) -> Any:
        """A sum over samples of what each gives to its own entry, ravelled."""
        entries = part.new_zeros((self.count, part.shape[1]))
        return entries.index_add_(0, index, part).reshape(-1)

    def _inputs(self, u: np.ndarray, samples: Any) -> tuple[dict[str, Any], Any]:
        """(each block as the samples see it, (b, width); their rows of data)."""
        point = self._tensor(u)
        parts = {}
        for name, place in self._places.items():
            if name in self.own:
                parts[name] = point[place].reshape(self.count, -1)[samples]
            else:
                parts[name] = point[place].expand(len(samples), -1)
        return parts, self._data[samples]

    def _joined(self, parts: Mapping[str, Any], given: Any) -> Any:
        import torch

        return torch.cat([*parts.values(), given], dim=1)

    def _mapped(self, z: Any) -> Any:
        import torch

        return torch.func.vmap(self._function.tensor)(z)

    @cached_property
    def _function(self) -> Any:
        from solverkit.expressions.torch_target import TorchFunction

        return TorchFunction.from_program(self.program, self.device, self.dtype)

    def _tensor(self, array: np.ndarray) -> Any:
        import torch

        tensor = torch.as_tensor(np.ascontiguousarray(array), device=self.device)
        return tensor.to(getattr(torch, self.dtype)) if tensor.is_floating_point() else tensor

    @cached_property
    def _data(self) -> Any:
        return self._tensor(self.rows)

    # -- elsewhere

    def to(self, device: str, dtype: str) -> Operator:
        """The same operator with its arithmetic elsewhere."""
        if (device, dtype) == (self.device, self.dtype):
            return self
        from solverkit.expressions.torch_target import check_device

        check_device(device)
        return replace(self, device=device, dtype=dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        """Without the compiled functions."""
        return type(self), tuple(getattr(self, part.name) for part in fields(self))

    def digest(self) -> str:
        own = sorted(self.own)
        text = f"{self.program.digest()} {list(self.shapes.items())} {own} {array_digest(self.rows)}"
        text += "" if self.sign is None else array_digest(self.sign)
        return f"sampled {hashlib.sha256(text.encode()).hexdigest()}"


def program_of(function: Function) -> Program | None:
    """The lowered expressions of a compiled function; None for a function that was not written as one."""
    program = getattr(function, "program", None)
    if program is None and hasattr(function, "inputs"):
        reduced = function.__reduce__()
        arguments = reduced[1] if isinstance(reduced, tuple) else ()
        program = next((part for part in arguments if hasattr(part, "steps")), None)
    return program
