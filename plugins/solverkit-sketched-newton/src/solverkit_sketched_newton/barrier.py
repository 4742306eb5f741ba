"""The logarithmic barrier of the bounds, and the error of its optimality conditions.

    phi_mu(w) = f(w) - mu sum_i log(w_i - low_i) - mu sum_i log(high_i - w_i)

| here | meaning |
|---|---|
| below, above | distances w - low and high - w, at the finite bounds alone |
| z_low, z_high | multipliers of these bounds; mu / distance at a solution |
| sigma | z / distance, the primal-dual Hessian of the barrier |

Waechter and Biegler 2006, sections 2.1 and 2.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solverkit_sketched_newton.form import Form

S_MAX = 100.0  # multipliers up to this mean size do not loosen the test
KAPPA_SIGMA = 1e10  # how far z may be from mu / distance


@dataclass(frozen=True, eq=False)
class Distances:
    """Of one w to its finite bounds."""

    below: np.ndarray
    above: np.ndarray

    @classmethod
    def of(cls, form: Form, w: np.ndarray) -> Distances:
        """From the bounds that are finite."""
        return cls(w[form.below] - form.low[form.below], form.high[form.above] - w[form.above])

    def value(self, mu: float) -> float:
        """-mu times the sum of the logarithms; infinite at or beyond a bound."""
        total = 0.0
        for part in (self.below, self.above):
            if len(part):
                if part.min() <= 0:
                    return math.inf
                total += float(np.log(part).sum())
        return -mu * total

    def gradient(self, form: Form, mu: float) -> np.ndarray:
        """Of `value`, (n,)."""
        return self.spread(form, -mu / self.below, mu / self.above)

    def spread(self, form: Form, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Values at the finite bounds, added up into (n,)."""
        total = np.zeros(form.n)
        total[form.below] = low
        total[form.above] += high
        return total

    def weights(self, form: Form) -> tuple[np.ndarray, np.ndarray]:
        """min(1, distances), (n,), and its derivative along w: -1, 0 or 1. It tames mu / distance in the merit."""
        weight, sign = np.ones(form.n), np.zeros(form.n)
        near = np.minimum(1.0, self.below)
        weight[form.below] = near
        sign[form.below] = self.below < 1.0
        nearer = self.above < weight[form.above]
        columns = form.above[nearer]
        weight[columns] = self.above[nearer]
        sign[columns] = -1.0
        return weight, sign


def longest(distance: np.ndarray, change: np.ndarray, tau: float) -> float:
    """The largest a <= 1 with distance + a change >= (1 - tau) distance."""
    falling = change < 0
    if not falling.any():
        return 1.0
    return min(1.0, tau * float((distance[falling] / -change[falling]).min()))


def within(z: np.ndarray, distance: np.ndarray, mu: float) -> np.ndarray:
    """z kept within a factor of mu / distance, so that sigma stays a Hessian of the barrier."""
    centre = mu / distance
    return np.minimum(np.maximum(z, centre / KAPPA_SIGMA), centre * KAPPA_SIGMA)


@dataclass(frozen=True)
class KKT:
    """Parts of the optimality conditions of the scaled problem, infinity norms."""

    dual: float  # of grad f + J'y - z_low + z_high, divided by s_d
    primal: float  # of c
    gap: float  # of distance z - mu, divided by s_c
    plain: float  # `dual` without the division
    s_c: float = 1.0

    @property
    def error(self) -> float:
        """The largest, NaN where one is; E_mu of Waechter and Biegler 2006, equation (5)."""
        total = self.dual + self.primal + self.gap
        return max(self.dual, self.primal, self.gap) if total == total else math.nan


def kkt(
    lagrangian: np.ndarray,  # grad f + J'y
    c: np.ndarray,
    y: np.ndarray,
    z_low: np.ndarray,
    z_high: np.ndarray,
    form: Form,
    distances: Distances | None,
    mu: float,
) -> KKT:
    """E_mu at one iterate."""
    primal = norm_inf(c)
    total = float(np.abs(y).sum()) if len(y) else 0.0
    if distances is None:
        s_d = max(S_MAX, total / max(len(y) + form.n, 1)) / S_MAX
        plain = norm_inf(lagrangian)
        return KKT(plain / s_d, primal, 0.0, plain)
    z = float(z_low.sum() + z_high.sum())
    count = len(z_low) + len(z_high)
    s_d = max(S_MAX, (total + z) / (len(y) + count)) / S_MAX
    s_c = max(S_MAX, z / count) / S_MAX
    dual = lagrangian.copy()
    dual[form.below] -= z_low
    dual[form.above] += z_high
    plain = norm_inf(dual)
    return KKT(plain / s_d, primal, gap(distances, z_low, z_high, mu) / s_c, plain, s_c)


def gap(distances: Distances, z_low: np.ndarray, z_high: np.ndarray, mu: float) -> float:
    """max |distance z - mu|."""
    return max(norm_inf(distances.below * z_low - mu), norm_inf(distances.above * z_high - mu))


def norm_inf(v: np.ndarray) -> float:
    """max |v_i|; 0 for no elements."""
    return float(np.maximum.reduce(np.abs(v))) if len(v) else 0.0
