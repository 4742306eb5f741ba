"""Markov classes: the completed partially directed graph that a DAG belongs to.

Two DAGs imply the same independences where they have the same edges without their directions, and the same v-structures
i -> k <- j with i, j not adjacent (Verma and Pearl 1990). The class is drawn with those directions alone that all its
members share: the v-structures, and what follows from them by the rules of Meek (1995). A member of a class is found by
taking sinks away (Dor and Tarsi 1992).
"""

from __future__ import annotations

import numpy as np


def cpdag(edges: np.ndarray) -> np.ndarray:
    """(d, d) bool of an acyclic mask: [i, j] alone is i -> j, [i, j] and [j, i] together an undirected edge."""
    skeleton = edges | edges.T
    directed = np.zeros_like(edges)
    for k in range(len(edges)):
        parents = np.flatnonzero(edges[:, k])
        apart = ~skeleton[np.ix_(parents, parents)]
        np.fill_diagonal(apart, False)
        directed[parents[apart.any(axis=1)], k] = True
    while True:
        free = skeleton & ~directed & ~directed.T
        new = free & (
            _away_from_parents(directed, skeleton) | _along_paths(directed) | _between(directed, free, skeleton)
        )
        if not new.any():
            return directed | free
        directed |= new


def consistent_extension(mask: np.ndarray) -> np.ndarray | None:
    """A DAG with the edges, the directions and the v-structures of a partially directed graph, (d, d) bool.

    mask : (d, d) bool; [i, j] alone is i -> j, [i, j] and [j, i] together an undirected edge
    None where there is none. A variable without children whose undirected neighbours are joined to all its other
    neighbours can be the last one: its edges come in, and it is taken away. O(d^4) at worst.
    """
    left, found = mask.copy(), mask & ~mask.T
    remaining = list(range(len(mask)))
    while remaining:
        sink = next((node for node in remaining if _may_be_last(left, node)), None)
        if sink is None:
            return None
        found[:, sink] |= left[:, sink]
        left[sink], left[:, sink] = False, False
        remaining.remove(sink)
    return found


def _may_be_last(mask: np.ndarray, node: int) -> bool:
    if (mask[node] & ~mask[:, node]).any():
        return False
    joined = mask | mask.T
    neighbours = np.flatnonzero(joined[node])
    return all(joined[other, neighbours[neighbours != other]].all() for other in np.flatnonzero(mask[node]))


def _away_from_parents(directed: np.ndarray, skeleton: np.ndarray) -> np.ndarray:
    """a -> i, a and j not adjacent: i -> j, or i would have a new v-structure."""
    apart = ~skeleton
    np.fill_diagonal(apart, False)
    return (directed.T.astype(float) @ apart.astype(float)) > 0


def _along_paths(directed: np.ndarray) -> np.ndarray:
    """i -> a -> j: i -> j, or there would be a cycle."""
    steps = directed.astype(float)
    return (steps @ steps) > 0


def _between(directed: np.ndarray, free: np.ndarray, skeleton: np.ndarray) -> np.ndarray:
    """i - a -> j, i - b -> j, a and b not adjacent: i -> j."""
    d = len(directed)
    found = np.zeros((d, d), dtype=bool)
    for i, j in np.argwhere(free):
        middle = np.flatnonzero(free[i] & directed[:, j])
        if len(middle) > 1:
            apart = ~skeleton[np.ix_(middle, middle)]
            np.fill_diagonal(apart, False)
            found[i, j] = bool(apart.any())
    return found
