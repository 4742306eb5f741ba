"""Exact graph questions about a (d, d) mask of edges i -> j: orders, paths."""

from __future__ import annotations

import numpy as np


def topological_order(edges: np.ndarray) -> np.ndarray | None:
    """An order in which every edge goes forward, (d,) int; None where there is a cycle. Kahn 1962, O(d^2).

    Among free variables the one of least index comes first, so that the order is the same everywhere.
    """
    waiting = edges.sum(axis=0).astype(int)
    free = waiting == 0
    order = np.empty(len(edges), dtype=int)
    for k in range(len(edges)):
        chosen = int(np.argmax(free))
        if not free[chosen]:
            return None
        order[k] = chosen
        free[chosen] = False
        waiting[edges[chosen]] -= 1
        free |= edges[chosen] & (waiting == 0)
    return order


def closure(edges: np.ndarray) -> np.ndarray:
    """(d, d) bool: whether a path of at least one edge leads from i to j. ValueError where there is a cycle.

    Bitsets in reverse topological order: O(|E| d / 8) bytes.
    """
    order = topological_order(edges)
    if order is None:
        raise ValueError("the graph has a cycle")
    d = len(edges)
    bits = np.packbits(edges, axis=1)
    for node in order[::-1]:
        bits[node] |= np.bitwise_or.reduce(bits[edges[node]], axis=0)
    return np.unpackbits(bits, axis=1, count=d).astype(bool)
