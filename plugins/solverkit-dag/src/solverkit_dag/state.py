"""The state of `topological-swaps`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit_dag.search.base import Chain


@dataclass
class State:
    """Orders on their way, and the best of those that have settled or lead."""

    chains: list[Chain]
    best: Chain
    merit: float  # the problem's own score of the best chain's point
    wanted: int  # kicks
    kicks: int = 0  # done so far
    settled: bool = False


def point_of(chain: Chain) -> dict[str, np.ndarray]:
    """The chain as a point of the kind."""
    return {"W": chain.W, "order": chain.order.astype(float), **chain.blocks}
