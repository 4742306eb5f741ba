"""The sum of several smooth parts and a constant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from solverkit.kinds.composite.parts import Smooth


class Total:
    """f = f_1 + f_2 + ... + constant."""

    count = 1

    def __init__(self, parts: Sequence[Smooth], constant: float = 0.0) -> None:
        self.parts, self.constant = tuple(parts), float(constant)
        self.size = self.parts[0].size
        self.quadratic = all(part.quadratic for part in self.parts)
        self.known = all(getattr(part, "known", False) for part in self.parts)

    @cached_property
    def lipschitz(self) -> float | None:
        """The sum of the parts', None where one has none."""
        found = [part.lipschitz for part in self.parts]
        return None if None in found else float(sum(each for each in found if each is not None))

    @cached_property
    def strong(self) -> float:
        """The sum of what is proven of the parts."""
        return float(sum(getattr(part, "strong", 0.0) for part in self.parts))

    def value(self, x: np.ndarray) -> float:
        """f(x)."""
        return sum(part.value(x) for part in self.parts) + self.constant

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """(n,)."""
        return np.sum([part.gradient(x) for part in self.parts], axis=0)

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Both."""
        values, gradients = zip(*(part.value_and_gradient(x) for part in self.parts), strict=True)
        return sum(values) + self.constant, np.sum(gradients, axis=0)

    def batch_gradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """The gradient: there is one term."""
        return self.gradient(x)

    def to(self, device: str, dtype: str) -> Total:
        """The same with its arithmetic elsewhere."""
        moved = [part.to(device, dtype) for part in self.parts]
        same = all(one is two for one, two in zip(moved, self.parts, strict=True))
        return self if same else Total(moved, self.constant)

    def digest(self) -> str:
        """Of all parts."""
        return f"total {self.constant!r} " + ";".join(part.digest() for part in self.parts)
