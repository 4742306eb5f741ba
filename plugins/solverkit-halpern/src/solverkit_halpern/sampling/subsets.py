"""Uniform subsets without repetition, many at a time: the batches of the paper's experiments.

A partial Fisher-Yates shuffle: for s = 0, ..., b - 1 exchange place s with a place drawn from s, ..., n - 1. The
exchanges are undone after each subset, so that one needs b random numbers and O(b) work, whatever n.
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit


@njit(cache=True, nogil=True)
def _shuffle(uniforms: np.ndarray, n: int, out: np.ndarray) -> None:
    order = np.arange(n)
    count, size = uniforms.shape
    places = np.empty(size, np.int64)
    for t in range(count):
        for s in range(size):
            places[s] = min(s + int(uniforms[t, s] * (n - s)), n - 1)
            order[s], order[places[s]] = order[places[s]], order[s]
            out[t, s] = order[s]
        for s in range(size - 1, -1, -1):
            order[s], order[places[s]] = order[places[s]], order[s]


def subsets(rng: np.random.Generator, count: int, size: int, n: int) -> np.ndarray:
    """`count` subsets of {0, ..., n - 1} with `size` <= n members each, (count, size) int64."""
    out = np.empty((count, size), np.int64)
    _shuffle(rng.random((count, size)), n, out)
    return out
