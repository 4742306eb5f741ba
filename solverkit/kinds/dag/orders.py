"""Scores of orders node by node, for scores and knowledge that have no closed form: slow, plain, and cached.

The score of an order is the sum over variables of the best penalized fit on the allowed variables before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from solverkit.kinds.dag.neighbourhood import Move
from solverkit.kinds.dag.problem import Dag
from solverkit.kinds.dag.root import left_over
from solverkit.kinds.dag.scores import residual_variance, samples

Smooth = Callable[[np.ndarray], tuple[float, np.ndarray]]


class NodeScores:
    """Best penalized fits, remembered by variable and set of parents."""

    def __init__(self, problem: Dag, exact: np.ndarray | None = None) -> None:
        self.problem, self.exact = problem, exact  # exact: `root.exact_root`, for least squares
        self._held: dict[tuple[int, bytes], float] = {}
        self._weights: dict[int, np.ndarray] = {}  # of the latest penalized fit of each variable: where the next begins

    def order(self, order: np.ndarray) -> float:
        """The score of an order, (d,) int."""
        return sum(self.at(order, place) for place in range(len(order)))

    def at(self, order: np.ndarray, place: int) -> float:
        """The part of the variable at one position."""
        j = int(order[place])
        before = np.zeros(len(order), dtype=bool)
        before[order[:place]] = True
        before &= ~self.problem.known.forbidden[:, j]
        key = (j, np.packbits(before).tobytes())
        if key not in self._held:
            self._held[key] = self._fit(j, np.flatnonzero(before))
        return self._held[key]

    def _fit(self, j: int, parents: np.ndarray) -> float:
        problem = self.problem
        if problem.score == "least-squares" and problem.l1 == 0:
            if self.exact is not None:
                return 0.5 * left_over(self.exact, j, parents)
            return 0.5 * residual_variance(problem.gram, j, parents)
        if problem.score == "logistic":
            X = samples(problem)
            return _split(lambda w: _logistic(X[:, parents], X[:, j], w), len(parents), problem.l1)
        S, s = problem.gram[np.ix_(parents, parents)], problem.gram[parents, j]
        start = self._weights.setdefault(j, np.zeros(problem.d))
        value, start[parents] = lasso(S, s, problem.l1, start[parents])
        return 0.5 * float(problem.gram[j, j]) + value


def lasso(S: np.ndarray, s: np.ndarray, l1: float, start: np.ndarray) -> tuple[float, np.ndarray]:
    """(value, w) of min_w w'S w / 2 - s'w + l1 |w|_1, by active sets and signs (Lee, Battle, Raina and Ng 2006).

    The variable whose derivative breaks the condition most joins; the quadratic is then minimized for fixed signs, and
    where a sign would change the step ends at the best of the changes on the way. Each round lowers the value.
    Variables are divided by their sizes first: what is small, or dependent, does not hang on units.
    """
    size = np.sqrt(np.where(np.diag(S) > 0, np.diag(S), 1.0))
    scaled, aim, price, v = S / np.outer(size, size), s / size, l1 / size, start * size

    def excess(v: np.ndarray) -> np.ndarray:
        return np.where(v == 0, np.abs(scaled @ v - aim) - price, 0.0)

    rounding, rounds = 1e-13 * np.abs(aim).max(initial=0.0), 20 * len(s) + 20
    _settle(scaled, aim, price, v, np.sign(v))
    while rounds > 0 and (joins := np.argmax(np.append(excess(v), rounding))) < len(s):
        signs = np.sign(v)
        signs[joins] = np.sign(aim[joins] - scaled[joins] @ v)
        _settle(scaled, aim, price, v, signs)
        rounds -= 1
    w = v / size
    return float(w @ (0.5 * (S @ w) - s)) + l1 * float(np.abs(w).sum()), w


def _settle(S: np.ndarray, s: np.ndarray, l1: np.ndarray, w: np.ndarray, signs: np.ndarray) -> None:
    """Minimize over the variables with a sign, in place, until all signs hold."""
    rounds = 20 * len(s) + 20  # where digits alone are left to gain it need not end
    while rounds > 0 and (active := np.flatnonzero(signs)).size:
        rounds -= 1
        block, linear, price, old = S[np.ix_(active, active)], s[active], l1[active], w[active]
        step, left = _descent(block, linear - price * signs[active] - block @ old)
        forever = bool((left * signs[active] < 0).any())  # down a way without a minimum, up to where a sign turns
        way = left if forever else step
        turns = way * signs[active] < 0 if forever else (old + way) * signs[active] <= 0
        if not turns.any():
            w[active] = old + way
            return
        steps = np.unique(np.append(-old[turns] / way[turns], [] if forever else 1.0))
        tried = [np.where(turns & (-old / np.where(way == 0, 1.0, way) == t), 0.0, old + t * way) for t in steps]
        values = [float(v @ (0.5 * (block @ v) - linear)) + float(price @ np.abs(v)) for v in tried]
        best = tried[int(np.argmin(values))]
        w[active] = best
        signs[active] = np.sign(best)


def _descent(block: np.ndarray, residual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The step to the minimum of a quadratic, and what dependent columns leave of the residual: a way down forever."""
    step = np.linalg.lstsq(block, residual, rcond=1e-14)[0]
    left = residual - block @ step
    rounding = 1e-9 * np.abs(residual).max() + 1e-13 * np.abs(step).sum()
    return step, np.where(np.abs(left) <= rounding, 0.0, left)


def _logistic(A: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
    z = A @ w
    return float((np.logaddexp(0.0, z) - y * z).mean()), A.T @ (expit(z) - y) / len(y)


def _split(smooth: Smooth, size: int, l1: float) -> float:
    """min_w smooth(w) + l1 |w|_1 by w = u - v, u, v >= 0."""
    if size == 0:
        return smooth(np.zeros(0))[0]

    def both(uv: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = smooth(uv[:size] - uv[size:])
        return value + l1 * float(uv.sum()), np.concatenate([slope + l1, l1 - slope])

    limits = {"maxiter": 5000, "maxfun": 20_000, "ftol": 1e-15, "gtol": 1e-10}
    start, bounds = np.zeros(2 * size), [(0, None)] * (2 * size)
    return float(minimize(both, start, jac=True, method="L-BFGS-B", bounds=bounds, options=limits).fun)


def moves(d: int, limit: int, rng: np.random.Generator) -> Iterator[Move]:
    """All swaps and insertions of d positions, their scores unknown; where they are more than `limit`, all swaps of
    neighbours and a sample of the others."""
    pairs = [(a, b) for a in range(d) for b in range(a + 1, d)]
    apart = [(a, b) for a, b in pairs if b > a + 1]
    every = [("swap", a, b) for a, b in pairs]
    every += [("insert", a, b) for a, b in apart] + [("insert", b, a) for a, b in apart]
    if len(every) > limit:
        near = [("swap", a, a + 1) for a in range(d - 1)]
        every = near + [every[k] for k in rng.choice(len(every), max(limit - len(near), 0), replace=False)]
    for move, source, target in every:
        yield Move(move, source, target, float("nan"))
