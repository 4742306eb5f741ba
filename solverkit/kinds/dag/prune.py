"""From the dense weights of an order to a graph one can read: which parents earn their price.

Backward elimination for each variable: of the parents left, the one whose loss costs least fit goes, until losing it
costs more than an edge does,

    (1/2) log(v' / v) > price,   v' = v + w_q^2 / K_qq,   K = S_PP^{-1},  w = K S_Pj

and K is downdated by one rank. O(k^3) for k parents; of more than `MANY` those that explain next to nothing go together
first. The price is that of `bic` where this is the score, and elsewhere the extended one of Chen and Chen (2008),

    (log n + 2 log d) / (2 n)

since every variable before j is a candidate: at (log n) / (2 n) about one in a hundred idle ones would stay. A fixed
threshold on |W|, as is common, drops weak edges that are real and keeps what noise makes of variables of large scale.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from solverkit.kinds.dag.problem import Dag
from solverkit.kinds.dag.scores import edge_price, regression

THRESHOLD = 0.3
"""What |W| must reach where no Gram matrix tells the worth of an edge: the reference codes' practice."""

MANY = 40
"""Parents that are eliminated one by one."""


def pruned(problem: Dag, W: np.ndarray) -> np.ndarray:
    """The weights of the graph that is left, (d, d): refitted for linear scores, kept as they are for the others.

    W : (d, d) acyclic; only its edges are looked at. Required edges stay.
    """
    if "gram" not in problem.provides:
        return np.where((np.abs(W) >= THRESHOLD) | problem.known.required, W, 0.0)
    kept = np.zeros_like(W)
    for j in range(problem.d):
        candidates = (W[:, j] != 0) | problem.known.required[:, j]
        parents = _eliminate(problem, j, np.flatnonzero(candidates))
        kept[parents, j] = regression(problem.gram, j, parents)
    return kept


def _eliminate(problem: Dag, j: int, parents: np.ndarray) -> np.ndarray:
    """The parents of j that are worth their price."""
    price = _price(problem)
    while len(parents) > MANY:
        fit = _Fit(problem, j, parents)
        idle = np.log1p(fit.losses() / fit.variance) < 0.2 * price
        if not idle.any():
            break
        parents = parents[~idle]
    fit = _Fit(problem, j, parents)
    while len(fit.parents):
        losses = fit.losses()
        worst = int(np.argmin(losses))
        with np.errstate(over="ignore"):  # what is left of j may be nothing
            dear = not 0.5 * np.log1p(losses[worst] / fit.variance) <= price
        if dear:
            break
        fit.drop(worst)
    return fit.parents


def _price(problem: Dag) -> float:
    if problem.score == "bic":
        return edge_price(problem)
    return float(np.log(problem.n) + 2 * np.log(problem.d)) / (2 * problem.n)


class _Fit:
    """Least squares of j on its parents, and what the loss of each would cost."""

    def __init__(self, problem: Dag, j: int, parents: np.ndarray) -> None:
        gram = problem.gram
        self.parents = parents
        self._fixed = problem.known.required[parents, j]
        self._inverse = _inverse(gram[np.ix_(parents, parents)])
        self._weights = self._inverse @ gram[parents, j]
        left = float(gram[j, j] - gram[parents, j] @ self._weights)
        self.variance = max(left, np.finfo(float).tiny)

    def losses(self) -> np.ndarray:
        """By how much the residual variance grows without each parent; infinite for required ones."""
        pivots = np.diag(self._inverse)
        usable = (pivots > 0) & ~self._fixed
        return np.where(usable, self._weights**2 / np.where(usable, pivots, 1.0), np.inf)

    def drop(self, k: int) -> None:
        """Take parent number k away: a downdate by one rank."""
        self.variance += float(self.losses()[k])
        column, pivot = self._inverse[:, k].copy(), self._inverse[k, k]
        rest = np.delete(np.arange(len(self.parents)), k)
        self._weights = (self._weights - column * (self._weights[k] / pivot))[rest]
        self._inverse = (self._inverse - np.outer(column, column) / pivot)[np.ix_(rest, rest)]
        self.parents, self._fixed = self.parents[rest], self._fixed[rest]


def _inverse(block: np.ndarray) -> np.ndarray:
    """The inverse, scaled so that units do not matter; the pseudoinverse where variables depend on each other."""
    scale = 1 / np.sqrt(np.diag(block))
    unit = block * np.outer(scale, scale)
    try:
        factor = cho_factor(unit, lower=True)
        sound = float(np.diag(factor[0]).min(initial=1.0)) > 1e-6
        inverse = cho_solve(factor, np.eye(len(unit))) if sound else np.linalg.pinv(unit, rcond=1e-12, hermitian=True)
    except np.linalg.LinAlgError:
        inverse = np.linalg.pinv(unit, rcond=1e-12, hermitian=True)
    return inverse * np.outer(scale, scale)
