"""From what a peer returns to a point of the kind: a graph without cycles, its order and its weights."""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit.errors import UsageError
from solverkit.kinds.base import Point
from solverkit.kinds.dag.acyclic import topological_order
from solverkit.kinds.dag.problem import ORDER, WEIGHTS, Dag
from solverkit.kinds.dag.scores import refitted


def without_knowledge(problem: Dag, method: str) -> None:
    """UsageError where something is known of the edges, which these tools cannot be told."""
    if not problem.known.trivial:
        raise UsageError(
            f"{method} cannot be told of forbidden or required edges, nor of tiers, and {problem.name!r} has some: "
            "take topological-swaps"
        )


def unproven(method: str, point: Point) -> Stop:
    """How these tools end: none of them says whether a change of its graph would be better."""
    return Stop(Termination.STALLED, f"{method} is done, and claims no optimum; topological-swaps refines it", point)


def as_point(problem: Dag, W: np.ndarray, refit: bool) -> Point:
    """The weights, fitted anew on their graph if asked for, and an order of it. W: (d, d), acyclic."""
    order = topological_order(W != 0)
    assert order is not None  # the callers see to it
    weights = refitted(problem.gram, W != 0) if refit else W
    return {WEIGHTS: weights, ORDER: order.astype(float)}


def without_cycles(W: np.ndarray) -> np.ndarray:
    """W without its least entries: as few of them as leave no cycle. Bisection, O(d^2 log d)."""
    sizes = np.sort(np.abs(W[W != 0]))
    low, high = 0, len(sizes)
    while low < high:
        middle = (low + high) // 2
        acyclic = topological_order(np.abs(W) >= sizes[middle]) is not None
        low, high = (low, middle) if acyclic else (middle + 1, high)
    return np.where(np.abs(W) >= sizes[low], W, 0.0) if low < len(sizes) else np.zeros_like(W)
