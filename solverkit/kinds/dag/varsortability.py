"""How far sorting variances alone would find a graph (Reisach, Seiler and Weichwald 2021, arXiv 2102.13647).

The share of directed paths along which the variance grows, paths of every length counted once for each pair of ends; 1
where sorting the variances gives an order of the graph, 1/2 where variances say nothing.
"""

from __future__ import annotations

import numpy as np


def varsortability(gram: np.ndarray, edges: np.ndarray) -> float:
    """Of the graph `edges`, (d, d) bool, acyclic, with marginal variances on the diagonal of `gram`; NaN without edges.

    Ties count one half. O(d) products of (d, d) matrices at most, as many as the longest path has edges.
    """
    variance = np.diag(gram)
    growth = variance[None, :] - variance[:, None]
    tied = np.abs(growth) <= 1e-9 * variance[:, None]
    counts = np.where(tied, 0.5, np.where(growth > 0, 1.0, 0.0))
    step = edges.astype(float)
    reach, good, total = step > 0, 0.0, 0.0
    while reach.any():
        total += float(reach.sum())
        good += float(counts[reach].sum())
        reach = (reach.astype(float) @ step) > 0
    return good / total if total else float("nan")
