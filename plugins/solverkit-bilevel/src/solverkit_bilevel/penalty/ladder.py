"""psi_s at several s over one x, and their extrapolation to s = 0.

    h_s(x, y) = s F(x, y) + f(x, y),   y_s in argmin_{y in Y} h_s(x, .),   l(x, s) = h_s(x, y_s)
    psi_s     = (l(x, s) - l(x, 0)) / s  = F(x, y_s) + (f(x, y_s) - f(x, y_0)) / s
    grad      = grad_x F(x, y_s) + (grad_x f(x, y_s) - grad_x f(x, y_0)) / s

    order 1:  psi_s                                         error O(s)
    order 2:  2 psi_{s/2} - psi_s                           error O(s^2)
    order 3:  (8 psi_{s/4} - 6 psi_{s/2} + psi_s) / 3       error O(s^3)

Each order is a function of x with the gradient of the same combination, so a line search may be made on it. The orders
hold where y_s is smooth in s: a unique lower solution whose active bounds stay as they are.

| here | paper (arXiv 2309.01753) | meaning |
|---|---|---|
| s | sigma | weight of F in h |
| psi, slopes | psi_sigma, its gradient | one row for each s, s/2, s/4 |
| rungs[0], rungs[j] | z, y | minimizations over y at weights 0 and s/2^(j-1) |

Accuracy. At y_s grad_y f = -s grad_y F, so the inner residual is asked to be eta s |grad F|: an error of relative size
eta in what the difference quotient divides by s. The number of inner steps follows from that, warm started.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.penalty.projected import Domain, Walk, minimize

WEIGHTS = {1: np.array([1.0]), 2: np.array([-1.0, 2.0]), 3: np.array([1.0, -6.0, 8.0]) / 3}
Seen = tuple[float, float, np.ndarray, np.ndarray]  # F, f and their gradients


@dataclass
class Rung:
    """One minimization over y, and what the oracles gave at its end."""

    walk: Walk
    upper: float  # F
    lower: float  # f
    upper_slope: np.ndarray  # (n,) grad_x F
    lower_slope: np.ndarray  # (n,) grad_x f
    upper_turn: np.ndarray  # (m,) grad_y F
    residual: float


@dataclass
class Reading:
    """All rungs at one x."""

    x: np.ndarray
    s: float
    rungs: list[Rung]
    inner: int  # iterations of the minimizations over y
    restarted: bool = False  # one rung was found below another's value and begun again from there

    @property
    def orders(self) -> int:
        """The highest order there is."""
        return len(self.rungs) - 1

    @property
    def psi(self) -> np.ndarray:
        """psi at s, s/2, ..., as many as there are rungs."""
        base = self.rungs[0].lower
        return np.array([r.upper + (r.lower - base) / (self.s / 2**j) for j, r in enumerate(self.rungs[1:])])

    @property
    def slopes(self) -> np.ndarray:
        """Their gradients, one a row."""
        base = self.rungs[0].lower_slope
        rows = [r.upper_slope + (r.lower_slope - base) / (self.s / 2**j) for j, r in enumerate(self.rungs[1:])]
        return np.array(rows)

    def value(self, order: int) -> float:
        """The extrapolation of this order."""
        return float(WEIGHTS[order] @ self.psi[:order])

    def gradient(self, order: int) -> np.ndarray:
        """And its gradient, (n,)."""
        return np.asarray(WEIGHTS[order] @ self.slopes[:order])

    @property
    def size(self) -> float:
        """|grad F| at y_0."""
        first = self.rungs[0]
        return float(np.hypot(np.linalg.norm(first.upper_slope), np.linalg.norm(first.upper_turn)))

    def answer(self, Y: Domain) -> np.ndarray:
        """y for s -> 0: the extrapolation of y_s, which among several lower solutions is near the best for F."""
        ys = np.array([rung.walk.v for rung in self.rungs[1:]])
        return Y.project(np.asarray(WEIGHTS[len(ys)] @ ys)) if len(ys) > 1 else ys[0].copy()


class Ladder:
    """Evaluates readings of one problem."""

    def __init__(self, problem: Bilevel, Y: Domain, noise: float, limit: int, memory: int) -> None:
        self.n, self.Y, self.noise = problem.n, Y, noise
        self.limit, self.memory = limit, memory

    def read(
        self, problem: Bilevel, x: np.ndarray, starts: list[Walk], s: float, order: int, eta: float, size: float
    ) -> Reading:
        """The reading of `order` + 1 rungs at x. `starts` are walks of an earlier reading, the last one repeated where
        there are too few; `size` is |grad F| there."""
        accuracy = eta * s / 2 ** (order - 1) * max(size, 1e-8)
        inner = 0
        rungs: list[Rung] = []
        for j in range(order + 1):
            walk = starts[min(j, len(starts) - 1)]
            rung, steps = self._solve(problem, x, walk.v, _weight(s, j), accuracy, walk)
            rungs.append(rung)
            inner += steps
        restarted, steps = self._reconcile(problem, x, s, rungs, accuracy)
        return Reading(x, s, rungs, inner + steps, restarted)

    def _reconcile(
        self, problem: Bilevel, x: np.ndarray, s: float, rungs: list[Rung], accuracy: float
    ) -> tuple[bool, int]:
        """A rung whose value another rung's y beats is no minimum: begin it again there (lower levels that are not
        convex). In place."""
        changed, inner = False, 0
        for j, rung in enumerate(rungs):
            weight = _weight(s, j)
            values = [weight * other.upper + other.lower for other in rungs]
            best = int(np.nanargmin(values)) if np.isfinite(values).any() else j
            slack = 100 * self.noise * (abs(rung.lower) + weight * abs(rung.upper)) + 10 * accuracy**2
            if values[best] < values[j] - slack - 1e-3 * weight * abs(rung.upper - rungs[best].upper):
                rungs[j], steps = self._solve(problem, x, rungs[best].walk.v, weight, accuracy, None)
                inner += steps
                changed |= bool(values[j] - values[best] > 1e-6 * (1 + abs(rung.lower)))
        return changed, inner

    def _solve(
        self, problem: Bilevel, x: np.ndarray, y: np.ndarray, weight: float, accuracy: float, warm: Walk | None
    ) -> tuple[Rung, int]:
        """min_y weight F + f over Y, from y with the curvature of `warm`."""
        n = self.n
        last: list[tuple[np.ndarray, Seen]] = []  # where h was evaluated last, and what was seen

        def look(y: np.ndarray) -> Seen:
            z = np.concatenate([x, y])
            return problem.upper(z), problem.lower(z), problem.upper_gradient(z), problem.lower_gradient(z)

        def evaluate(y: np.ndarray) -> tuple[float, np.ndarray]:
            if weight == 0:
                z = np.concatenate([x, y])
                return problem.lower(z), problem.lower_gradient(z)[n:]
            seen = look(y)
            last[:] = [(y, seen)]
            return weight * seen[0] + seen[1], weight * seen[2][n:] + seen[3][n:]

        value, gradient = evaluate(y)
        walk = Walk(y, value, gradient) if warm is None else replace(warm, v=y, value=value, gradient=gradient)
        walk, steps = minimize(evaluate, self.Y, walk, accuracy, self.limit, self.noise, self.memory)
        upper, lower, dF, df = last[0][1] if last and last[0][0] is walk.v else look(walk.v)
        residual = self.Y.residual(walk.v, walk.gradient)
        return Rung(walk, upper, lower, dF[:n], df[:n], dF[n:], residual), steps

    def settle(self, problem: Bilevel, x: np.ndarray, y: np.ndarray, size: float) -> Rung:
        """A lower solution as exact as rounding allows, from y."""
        return self._solve(problem, x, y, 0.0, 1e-13 * (1 + size), None)[0]


def _weight(s: float, rung: int) -> float:
    """Of F on a rung: 0, s, s/2, s/4."""
    return 0.0 if rung == 0 else s / 2 ** (rung - 1)
