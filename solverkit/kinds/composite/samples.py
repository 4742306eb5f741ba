"""f or h as the mean over samples of data of one expression, the term of a sample.

    f(x) = (1 / N) sum_i phi(x; a_i),   a_i the i-th row of the data

A batch is one call: the expression is mapped over its rows (`kinds.inclusion.sampled`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.expressions import shapes as rule
from solverkit.kinds.inclusion.sampled import SampledOperator, program_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from solverkit.kinds.base import Block, Source
    from solverkit.kinds.source import KeyPath


class SampleMean:
    """The mean of the terms of all samples, smooth or not."""

    quadratic = False

    def __init__(self, terms: SampledOperator, lipschitz: float | None = None) -> None:
        self.terms, self.lipschitz = terms, lipschitz
        self.size, self.count = terms.size, terms.count

    def value(self, x: np.ndarray) -> float:
        """The mean at x."""
        return float(self.terms.payoff(x))

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """(n,)."""
        return self.terms.value(x)

    subgradient = gradient

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Both."""
        return self.value(x), self.gradient(x)

    def batch_gradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """The mean of the gradients of some terms, (n,)."""
        return self.terms.components(x, samples)

    batch_subgradient = batch_gradient

    def to(self, device: str, dtype: str) -> SampleMean:
        """The same with its arithmetic elsewhere."""
        moved: Any = self.terms.to(device, dtype)
        return self if moved is self.terms else SampleMean(moved, self.lipschitz)

    def digest(self) -> str:
        """Of the expression and the data."""
        return self.terms.digest()


def sample_mean(
    term: str, samples: Mapping[str, Any], block: Block, source: Source, path: KeyPath, lipschitz: float | None = None
) -> SampleMean | None:
    """The mean of a term; None after a defect."""
    parts: list[np.ndarray] = []
    shapes: dict[str, tuple[int, ...]] = {}
    for name, value in samples.items():
        place = (*path, "samples", name)
        data = source.constants.get(value) if isinstance(value, str) else np.asarray(value, dtype=float)
        if data is None:
            source.defect(place, f"no data of that name (data here: {', '.join(source.data) or 'none'})")
            continue
        array = data.toarray() if hasattr(data, "toarray") else np.asarray(data, dtype=float)
        if name in source.constants or name == block.name:
            source.defect(place, f"'{name}' has a meaning already; choose another name for a sample's part", key=True)
        elif array.ndim not in (1, 2) or (parts and len(array) != len(parts[0])):
            source.defect(place, f"needs one row a sample, as the others have, and has shape {array.shape}")
        else:
            parts.append(array.reshape(len(array), -1))
            shapes[name] = array.shape[1:]
    if source.defects or not parts:
        return None
    function = source.scalar(term, (*path, "term"), {block.name: block.shape, **shapes})
    program = None if source.defects else program_of(function)
    if program is None:
        return None
    rows = np.concatenate(parts, axis=1)
    sign = np.ones(rule.size(block.shape))
    return SampleMean(SampledOperator(program, {block.name: block.shape}, frozenset(), rows, sign), lipschitz)
