"""Regressions of a whole graph on a Gram matrix."""

from __future__ import annotations

import numpy as np

from solverkit.kinds.dag.knowledge import priority_order
from solverkit.kinds.dag.scores import regression


def refit(gram: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Least-squares weights on the edges of a graph, (d, d): each variable on its parents."""
    W = np.zeros(edges.shape)
    for j in range(len(W)):
        chosen = np.flatnonzero(edges[:, j])
        if len(chosen):
            W[chosen, j] = regression(gram, j, chosen)
    return W


def as_point(W: np.ndarray, priority: np.ndarray) -> dict[str, np.ndarray]:
    """A graph as a point: its weights and its topological order that takes free variables by `priority`."""
    return {"W": W, "order": priority_order(W != 0, priority).astype(float)}
