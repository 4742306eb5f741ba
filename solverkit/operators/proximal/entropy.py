"""The simplex with the distance of the negative entropy, for mirror steps (Beck, Teboulle 2003, section 5).

    mirror(u, g, s) = argmin_w  <g, w> + D(w, u) / s    over { w >= 0, sum w = total }
                    = total * softmax(log u - s g),     D(w, u) = sum w_i log(w_i / u_i)

On the simplex D(w, u) >= ||w - u||_1^2 / (2 total) (Pinsker): the modulus of strong convexity that steps are chosen by.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.operators.proximal.arrays import column, floating, namespace


class EntropySimplex:
    """Mirror steps on { u >= 0, sum u = total }, total > 0. Entries that are 0 stay 0."""

    def __init__(self, total: float = 1.0) -> None:
        self.total = float(total)
        if not (self.total > 0 and np.isfinite(self.total)):
            raise ValueError(f"the entropy needs a finite total > 0, not {total}")

    def mirror(self, u: Any, gradient: Any, step: Any) -> Any:
        """argmin_w <gradient, w> + D(w, u) / step, (..., n); a step may have the batch's shape."""
        xp, u = namespace(u), floating(u)
        alive = u > 0
        score = xp.where(alive, xp.log(xp.where(alive, u, 1.0)) - column(step, u) * gradient, -np.inf)
        top = xp.amax(score if xp is np else score.detach(), axis=-1, keepdims=True)
        weight = xp.exp(score - top)
        return self.total * (weight / weight.sum(axis=-1, keepdims=True))

    def divergence(self, w: Any, u: Any) -> Any:
        """D(w, u), (...); infinite where w_i > 0 = u_i."""
        xp, w, u = namespace(w), floating(w), floating(u)
        used = w > 0
        ratio = xp.where(used & (u > 0), w / xp.where(u > 0, u, 1.0), 1.0)
        terms = xp.where(used, xp.where(u > 0, w * xp.log(ratio), np.inf), 0.0)
        return (terms - w + u).sum(axis=-1)

    def value(self, w: Any) -> Any:
        """sum w_i log w_i, (...)."""
        xp, w = namespace(w), floating(w)
        return xp.where(w > 0, w * xp.log(xp.where(w > 0, w, 1.0)), 0.0 * w).sum(axis=-1)
