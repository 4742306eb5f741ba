"""Batches of a mean over samples, on torch.

    f(z) = (1 / N) sum_i f_i(z),      f_S(z) = (1 / |S|) sum_{i in S} f_i(z)

`f_S` is the objective itself, evaluated on the rows S of everything that has the sample axis. Rows of a variable that
is sampled are gathered before torch sees them, and their derivatives are added into place afterwards: a batch costs
what it needs and O(n + m) for the result, whatever N is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import issparse

from solverkit.errors import UsageError
from solverkit.expressions.torch_target import _torch, check_device
from solverkit.kinds.bilevel.terms import Terms, arrays_digest, as_tensor


@dataclass(eq=False)
class Batches:
    """`Summands` whose terms are computed by torch."""

    terms: Terms
    count: int  # N
    sampled: Mapping[str, Any]  # data with the sample axis, whole: dense or sparse
    by_sample: frozenset[str]  # variables with the sample axis
    device: str = "cpu"
    dtype: str = "float64"
    _rows: dict[str, Any] = field(init=False, default_factory=dict)  # `sampled` on the device
    _latest: tuple[Any, ...] | None = field(init=False, default=None)  # (z, samples, leaves, gradients) of an hvp

    def __post_init__(self) -> None:
        check_device(self.device)
        self._torch = _torch()
        self._kind = getattr(self._torch, self.dtype)
        self._places: dict[str, tuple[int, int, tuple[int, ...]]] = {}
        first = 0
        for name, shape in self.terms.shapes.items():
            size = int(np.prod(shape, dtype=int))
            self._places[name] = (first, first + size, tuple(shape))
            first += size
        self.inputs = first
        self._variables = [name for name in self._places if name in self.terms.reads]
        self._data = [name for name in self.sampled if name in self.terms.reads]

    def __reduce__(self) -> tuple[Any, ...]:
        return Batches, (
            self.terms,
            self.count,
            self.sampled,
            self.by_sample,
            self.device,
            self.dtype,
        )

    def value(self, z: np.ndarray, samples: np.ndarray) -> float:
        """f_S(z)."""
        samples = self._checked(samples)
        with self._torch.no_grad():
            inputs = self._leaves(z, samples, differentiable=False) | self._batch(samples)
            return float(self.terms.value(self._torch, inputs, self.device, self._kind))

    def gradient(self, z: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """grad f_S(z), (n + m,)."""
        samples = self._checked(samples)
        with self._torch.enable_grad():
            leaves = self._leaves(z, samples)
            value = self.terms.value(self._torch, leaves | self._batch(samples), self.device, self._kind)
            return self._scattered(self._derivatives([value], [None], leaves), samples)

    def hvp(self, z: np.ndarray, direction: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Hessian of f_S at z times a direction, (n + m,). The graph is kept for further products."""
        samples = self._checked(samples)
        with self._torch.enable_grad():
            known = self._latest
            if known is None or not (np.array_equal(known[1], samples) and np.array_equal(known[0], z)):
                self._latest = None  # its memory, before as much is needed again
                leaves = self._leaves(z, samples)
                value = self.terms.value(self._torch, leaves | self._batch(samples), self.device, self._kind)
                slopes = self._derivatives([value], [None], leaves, again=True)
                known = self._latest = np.array(z), np.array(samples), leaves, slopes
            _, _, leaves, slopes = known
            directions = self._leaves(direction, samples, differentiable=False)
            curved = [name for name, slope in slopes.items() if slope is not None and slope.requires_grad]
            products = self._derivatives(
                [slopes[name] for name in curved], [directions[name] for name in curved], leaves, keep=True
            )
            return self._scattered(products, samples)

    def to(self, device: str, dtype: str) -> Batches:
        """The same terms with their arithmetic elsewhere."""
        if (device, dtype) == (self.device, self.dtype):
            return self
        return Batches(self.terms, self.count, self.sampled, self.by_sample, device, dtype)

    def digest(self) -> str:
        """A hex sha256 of what is computed."""
        text = f"{self.terms.digest()} {self.count} {sorted(self.by_sample)}"
        return hashlib.sha256(text.encode() + arrays_digest(self.sampled)).hexdigest()

    # -- what torch sees

    def _checked(self, samples: np.ndarray) -> np.ndarray:
        samples = np.asarray(samples)
        if samples.ndim != 1 or samples.size == 0 or samples.dtype.kind not in "iu":
            raise UsageError(f"samples are a vector of whole numbers, not {samples.dtype} of shape {samples.shape}")
        if samples.min() < 0 or samples.max() >= self.count:
            found = f"{samples.min()} to {samples.max()}"
            raise UsageError(f"samples from {found}, of {self.count}: they count from 0 to {self.count - 1}")
        return samples

    def _leaves(self, z: np.ndarray, samples: np.ndarray, differentiable: bool = True) -> dict[str, Any]:
        """The variables as tensors of their own: derivatives by blocks need no slicing of z."""
        if np.shape(z) != (self.inputs,):
            raise ValueError(f"an argument of shape {np.shape(z)} where {(self.inputs,)} is needed")
        leaves = {}
        for name in self._variables:
            first, last, shape = self._places[name]
            block = np.asarray(z[first:last]).reshape(shape)
            if name in self.by_sample:
                block = block[samples]
            leaves[name] = self._torch.tensor(block, dtype=self._kind, device=self.device, requires_grad=differentiable)
        return leaves

    def _batch(self, samples: np.ndarray) -> dict[str, Any]:
        """The rows of the sampled data."""
        index = None
        batch = {}
        for name in self._data:
            value = self.sampled[name]
            if name in self.terms.indices:
                batch[name] = np.asarray(value)[samples]
            elif issparse(value):
                batch[name] = as_tensor(self._torch, value[samples].toarray(), self.device, self._kind)
            else:
                if name not in self._rows:
                    self._rows[name] = as_tensor(self._torch, value, self.device, self._kind)
                if index is None:
                    index = self._torch.as_tensor(samples, dtype=self._torch.int64, device=self.device)
                batch[name] = self._rows[name].index_select(0, index)
        return batch

    def _derivatives(
        self, results: list[Any], weights: list[Any], leaves: dict[str, Any], again: bool = False, keep: bool = False
    ) -> dict[str, Any]:
        """weights' d results / d leaf for every leaf; None where there is no dependence."""
        if not leaves or not results or not any(result.requires_grad for result in results):
            return dict.fromkeys(leaves)
        found = self._torch.autograd.grad(
            results,
            list(leaves.values()),
            grad_outputs=weights,
            create_graph=again,
            retain_graph=again or keep,
            allow_unused=True,
        )
        return dict(zip(leaves, found, strict=True))

    def _scattered(self, parts: dict[str, Any], samples: np.ndarray) -> np.ndarray:
        """Derivatives by blocks as one vector; rows of a sampled variable are added into place."""
        result = np.zeros(self.inputs, dtype=self.dtype)
        for name, part in parts.items():
            if part is None:
                continue
            first, last, shape = self._places[name]
            array = part.detach().cpu().numpy()
            if name in self.by_sample:
                np.add.at(result[first:last].reshape(shape), samples, array)
            else:
                result[first:last] = array.ravel()
        return result
