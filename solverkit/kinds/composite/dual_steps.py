"""prox_{s g*} in closed form where there is one: projections onto dom g*, with fewer passes than by g itself.

| g | prox_{s g*}(v) |
|---|---|
| L1 | clip to [-w, w] |
| L2, RowNorms | scaled into the ball of radius w, row by row |
| Translated(g, b) | that of g at v - s b |
| Tilted(g, q) | q + that of g at v - q |
| Product | slice by slice |
| any other | v - s prox_{g / s}(v / s) (Moreau) |
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.composite.row_norms import RowNorms
from solverkit.operators.proximal import L1, L2, Product, ProximalMap, Tilted, Translated


def dual_step(outer: ProximalMap, v: np.ndarray, step: float) -> np.ndarray:
    """prox_{step g*}(v), (m,), a new array."""
    if isinstance(outer, L1):
        return np.clip(v, -outer.weight.host, outer.weight.host)
    if isinstance(outer, L2):
        size = float(np.linalg.norm(v))
        return v * (outer.weight / size if size > outer.weight else 1.0)
    if isinstance(outer, RowNorms):
        rows = v.reshape(-1, outer.columns)
        sizes = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        weight = outer.weight.host
        kept = np.divide(weight, sizes, out=np.ones_like(sizes), where=sizes > weight)
        return (rows * kept[:, None]).ravel()
    if isinstance(outer, Translated):
        return dual_step(outer.inner, v - step * outer.shift.host, step)
    if isinstance(outer, Tilted):
        return outer.slope.host + dual_step(outer.inner, v - outer.slope.host, step)
    if isinstance(outer, Product):
        return _pieces(outer, v, step)
    return v - step * outer.prox(v / step, 1 / step)


def _pieces(outer: Product, v: np.ndarray, step: float) -> np.ndarray:
    found = np.zeros_like(v)  # g does not depend on what is between the slices: there dom g* is {0}
    for at, part in outer.parts:
        found[at] = dual_step(part, v[at], step)
    return found
