"""f as a sum over shards of its rows: each process holds some, and a gradient is one round of communication.

    f(x) = sum_r f_r(x),   grad f(x) = sum_r grad f_r(x)

Every process runs the same method on the same problem; f alone is shared out. The sum is taken by all_reduce over the
process group and then sent out by rank 0, so that all ranks go on with the same bits and take the same decisions.

| here | meaning |
|---|---|
| part | f_r, on this process |
| rounds | all_reduce calls so far: what sliding saves |
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import numpy as np

from solverkit.errors import MissingPackage
from solverkit.kinds.composite.losses import RowLoss
from solverkit.kinds.composite.problem import Composite

try:
    import torch
    import torch.distributed as group
except ImportError as error:
    raise MissingPackage("f on several processes needs torch: pip install 'solverkit-sliding[device]'") from error


class Sharded:
    """The sum over the ranks of a process group of what each holds. A `Smooth`; see the module."""

    def __init__(self, part: RowLoss) -> None:
        self.part, self.rounds = part, 0
        self.size, self.quadratic = part.size, part.quadratic
        self.count = 1  # terms cannot be drawn over processes

    def value(self, x: np.ndarray) -> float:
        """f(x), one round."""
        return float(self._sum(np.array([self.part.value(x)]))[0])

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """grad f(x), (n,), one round."""
        return self._sum(self.part.gradient(x))

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Both in one round."""
        value, gradient = self.part.value_and_gradient(x)
        both = self._sum(np.append(gradient, value))
        return float(both[-1]), both[:-1].copy()

    def batch_gradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """The gradient: there is one term."""
        return self.gradient(x)

    @cached_property
    def lipschitz(self) -> float:
        """L <= the sum of the parts' L, one round."""
        return float(self._sum(np.array([self.part.lipschitz]))[0])

    def to(self, device: str, dtype: str) -> Sharded:
        """Itself, or as its part refuses."""
        self.part.to(device, dtype)
        return self

    def digest(self) -> str:
        """Of all parts, in the order of the ranks, the same on each."""
        digests: list[Any] = [None] * group.get_world_size()
        group.all_gather_object(digests, self.part.digest())
        return hashlib.sha256("|".join(digests).encode()).hexdigest()

    def _sum(self, values: np.ndarray) -> np.ndarray:
        self.rounds += 1
        tensor = torch.from_numpy(np.ascontiguousarray(values, dtype=float).copy())
        group.all_reduce(tensor)
        group.broadcast(tensor, 0)
        return tensor.numpy()


def shard(problem: Composite) -> Composite:
    """The same problem with the rows of f shared out over the process group; f is a loss of data.

    Where each process has rows of its own already, build the problem with them and `Sharded` around the loss instead.
    TypeError for another f."""
    from dataclasses import replace

    if not isinstance(problem.smooth, RowLoss):
        raise TypeError(f"f of {problem.name!r} is {type(problem.smooth).__name__}; rows to share out are a RowLoss's")
    loss, rank, world = problem.smooth, group.get_rank(), group.get_world_size()
    rows = np.array_split(np.arange(loss.count), world)[rank]
    part = RowLoss(loss.loss, loss.A[rows[0] : rows[-1] + 1], loss.b[rows], loss.scale, loss.delta)
    return replace(problem, smooth=Sharded(part))
