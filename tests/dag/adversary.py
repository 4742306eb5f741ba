"""Wrong answers, and a judge of them that shares no code with the certificate: refits from the samples, all subsets.

The judge says of a point how far it is from a local optimum, in units of what the certificate tolerates at 1e-6: above
`WRONG` it must not be certified, below `RIGHT` it should be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

import networkx
import numpy as np
from scipy.linalg import lstsq

import solverkit as sk
from solverkit.kinds.dag import dag
from solverkit.kinds.dag.generators import linear_sem, logistic_sem
from solverkit.kinds.dag.problem import Dag
from tests.dag.cases import neighbours

WRONG, RIGHT, TOL = 3.0, 0.3, 1e-6
Points = Iterator[tuple[str, dict[str, np.ndarray]]]


class Judge:
    """Of one problem of few variables."""

    def __init__(self, problem: Dag) -> None:
        self.problem, self.X = problem, np.asarray(problem.samples)
        self.d, self.n = problem.d, len(self.X)
        self._held: dict[tuple[int, frozenset[int]], float] = {}

    def defect(self, point: dict[str, np.ndarray]) -> float:
        """0 at a local optimum; infinite where the graph has a cycle or goes against its order."""
        W = point["W"]
        graph = networkx.from_numpy_array(W != 0, create_using=networkx.DiGraph)
        if not networkx.is_directed_acyclic_graph(graph):
            return np.inf
        order = point.get("order")
        order = list(networkx.lexicographical_topological_sort(graph)) if order is None else [int(k) for k in order]
        if any(order.index(i) >= order.index(j) for i, j in graph.edges):
            return np.inf
        if self.problem.score == "bic":
            return max(self._of_graph(W), self._slope(W, W != 0))
        below = {j: networkx.descendants(graph, j) for j in range(self.d)}
        free = np.array([[i != j and i not in below[j] for j in range(self.d)] for i in range(self.d)])
        return max(self._of_order(W, order, below), self._slope(W, free))

    def _slope(self, W: np.ndarray, free: np.ndarray) -> float:
        """What one weight could still explain: the correlation of residuals with variables that may be parents."""
        Z, l1 = self.X @ W, self.problem.l1
        if self.problem.score == "logistic":
            slope, spread = self.X.T @ (1 / (1 + np.exp(-Z)) - self.X) / self.n, np.ones(self.d)
        else:
            slope = self.X.T @ (Z - self.X) / self.n
            spread = np.maximum(((self.X - Z) ** 2).mean(axis=0), 1e-4 * (self.X**2).mean(axis=0))
        left = np.where(W != 0, np.abs(slope + l1 * np.sign(W)), np.maximum(np.abs(slope) - l1, 0))
        share = left / np.sqrt(np.outer((self.X**2).mean(axis=0), spread))
        return float(share[free].max(initial=0.0)) / (10 * TOL)

    def _of_order(self, W: np.ndarray, order: list[int], below: dict[int, set[int]]) -> float:
        here, best = self.at(W), sum(self.fit(j, order[:k]) for k, j in enumerate(order))
        best = min([best, *(sum(self.fit(j, other[:k]) for k, j in enumerate(other)) for other in neighbours(order))])
        free = sum(self.fit(j, set(range(self.d)) - below[j] - {j}) for j in range(self.d))
        return (here - min(best, free)) / (TOL * abs(here))

    def _of_graph(self, W: np.ndarray) -> float:
        parents = [frozenset(np.flatnonzero(W[:, j])) for j in range(self.d)]
        price = self.problem.edge_cost * np.log(self.n) / (2 * self.n)

        def score(edges: list[frozenset[int]]) -> float:
            return sum(self.fit(j, edges[j]) + price * len(edges[j]) for j in range(self.d))

        best = min((score(other) for other in changed(parents)), default=np.inf)
        variance = ((self.X - self.X @ W) ** 2).mean(axis=0)
        here = 0.5 * np.log(variance).sum() + price * np.count_nonzero(W)
        return (here - min(best, score(parents))) / (TOL * min(1.0, 500 * np.log(self.n) / self.n))

    def at(self, W: np.ndarray) -> float:
        """The score at W."""
        Z = self.X @ W
        if self.problem.score == "logistic":
            value = (np.logaddexp(0, Z) - self.X * Z).sum() / self.n
        else:
            value = 0.5 * ((self.X - Z) ** 2).sum() / self.n
        return float(value + self.problem.l1 * np.abs(W).sum())

    def fit(self, j: int, parents) -> float:
        """The best that variable j can have from these parents: half its variance, or half its logarithm for bic."""
        key = (j, frozenset(int(i) for i in parents))
        if key not in self._held:
            A = self.X[:, sorted(key[1])]
            self._held[key] = self._fitter(A, self.X[:, j]) if key[1] else self._alone(j)
        return self._held[key]

    def _alone(self, j: int) -> float:
        if self.problem.score == "logistic":
            return float(np.log(2.0))
        half = 0.5 * float((self.X[:, j] ** 2).mean())
        return 0.5 * np.log(2 * half) if self.problem.score == "bic" else half

    @cached_property
    def _fitter(self) -> Callable[[np.ndarray, np.ndarray], float]:
        if self.problem.score == "logistic":
            return self._logistic
        return self._lasso if self.problem.l1 else self._squares

    def _squares(self, A: np.ndarray, y: np.ndarray) -> float:
        size = np.sqrt((A**2).mean(axis=0))
        left = y - A / size @ lstsq(A / size, y, cond=1e-14)[0]
        half = 0.5 * float((left**2).mean())
        return 0.5 * np.log(max(2 * half, 1e-300)) if self.problem.score == "bic" else half

    def _lasso(self, A: np.ndarray, y: np.ndarray) -> float:
        from sklearn.linear_model import Lasso

        l1 = self.problem.l1
        w = Lasso(alpha=l1, fit_intercept=False, tol=1e-13, max_iter=200_000).fit(A, y).coef_
        return 0.5 * float(((y - A @ w) ** 2).mean()) + l1 * float(np.abs(w).sum())

    def _logistic(self, A: np.ndarray, y: np.ndarray) -> float:
        """Newton's method on log-likelihood plus the penalty, whose kinks are found by enumerating signs."""
        from itertools import product

        best = np.inf
        for signs in product((-1.0, 0.0, 1.0), repeat=A.shape[1]):
            s = np.array(signs)
            w = self._smooth(A[:, s != 0], y, s[s != 0])
            if (w * s[s != 0] >= 0).all():
                z = A[:, s != 0] @ w
                value = float((np.logaddexp(0, z) - y * z).mean()) + self.problem.l1 * float(np.abs(w).sum())
                best = min(best, value)
        return best

    def _smooth(self, A: np.ndarray, y: np.ndarray, signs: np.ndarray) -> np.ndarray:
        w = np.zeros(A.shape[1])
        for _ in range(50):
            p = 1 / (1 + np.exp(-A @ w))
            slope = A.T @ (p - y) / len(y) + self.problem.l1 * signs
            curve = (A.T * (p * (1 - p))) @ A / len(y)
            w = w - np.linalg.lstsq(curve, slope, rcond=None)[0] if len(w) else w
        return w


def changed(parents: list[frozenset[int]]) -> Iterator[list[frozenset[int]]]:
    """All graphs one addition, deletion or reversal of an edge away."""
    d = len(parents)
    for i in range(d):
        for j in range(d):
            if i == j:
                continue
            other = list(parents)
            if i in parents[j]:
                other[j] = parents[j] - {i}
                yield list(other)
                other[i] = parents[i] | {j}
            elif j not in parents[i]:
                other[j] = parents[j] | {i}
            else:
                continue
            graph = networkx.DiGraph([(a, b) for b in range(d) for a in other[b]])
            if networkx.is_directed_acyclic_graph(graph):
                yield other


DATA = ("plain", "standardized", "collinear", "tiny eigenvalue", "units", "few samples", "duplicate")


def samples(data: str, rng: np.random.Generator, d: int = 6, n: int = 200) -> np.ndarray:
    """Of a linear model, spoiled in one way."""
    X = linear_sem(d=d, edges=1.5, n=n, seed=int(rng.integers(2**31)))["X"]
    if data == "standardized":
        return X / X.std(axis=0)
    if data == "collinear":
        X[:, -1] = X[:, 0] + 1e-4 * rng.normal(size=n)
    if data == "tiny eigenvalue":
        X[:, -1] = X[:, 0] - X[:, 1] + 1e-7 * rng.normal(size=n)
    if data == "units":
        X = X * 10.0 ** rng.uniform(-6, 6, d)
    if data == "few samples":
        X = X[: d - 1]
    if data == "duplicate":
        X[:, -1] = X[:, 0]
    return X


def case(score: str, data: str, rng: np.random.Generator) -> Dag:
    """One problem."""
    if score == "logistic":
        return dag(
            logistic_sem(d=4, edges=1, n=300, seed=int(rng.integers(2**31)))["X"], score=score, penalty={"l1": 0.01}
        )
    if score == "lasso":
        return dag(samples(data, rng, d=4), penalty={"l1": 0.1})
    return dag(samples(data, rng), score=score)


def optimum(problem: Dag, seed: int = 0) -> dict[str, np.ndarray] | None:
    """A point of the house's own search; None where it refuses."""
    try:
        found = sk.solve(problem, method="topological-swaps", options={"restarts": 1, "kicks": 0}, seed=seed)
    except sk.UsageError:
        return None
    return {name: np.array(found.point[name]) for name in ("W", "order")}


def spoiled(problem: Dag, right: dict[str, np.ndarray], rng: np.random.Generator) -> Points:
    """Wrong points, most of them, made from a right one."""
    W, order, d = right["W"], right["order"], problem.d
    place = np.argsort(order)
    edges = np.argwhere(W != 0)
    size = np.sqrt(np.diag(problem.gram))
    natural = np.abs(W) * size[:, None] / size[None, :]
    if len(edges):
        i, j = edges[rng.integers(len(edges))]
        yield "threshold", {"W": np.where(natural >= np.quantile(natural[W != 0], 0.4), W, 0.0), "order": order}
        yield "threshold, own order", {"W": np.where(np.abs(W) >= 0.3, W, 0.0)}
        yield "one weight off", {"W": W + _at(d, i, j, 1e-3 * rng.choice([-1, 1]) * size[j] / size[i]), "order": order}
        yield "one weight off by 1e-3", {"W": W + _at(d, i, j, 1e-3), "order": order}
        yield "one weight gone", {"W": np.where(_at(d, i, j, 1.0) > 0, 0.0, W), "order": order}
        other = np.where(_at(d, i, j, 1.0) > 0, 0.0, W)
        other[j, i] = W[i, j] * (size[j] / size[i]) ** 2
        yield "one edge reversed", {"W": other}
        yield "all weights smaller", {"W": W * (1 - 1e-3), "order": order}
        yield "order against W", {"W": W, "order": rng.permutation(d).astype(float)}
    back = np.argwhere(place[:, None] > place[None, :])
    i, j = back[rng.integers(len(back))]
    yield "a tiny edge back", {"W": W + _at(d, i, j, 1e-300), "order": order}
    yield "a tiny edge back, no order", {"W": W + _at(d, i, j, 1e-300)}
    yield "nothing", {"W": np.zeros((d, d)), "order": order}
    mixed = rng.permutation(d).astype(float)
    yield "another order, refitted", {"W": dense(problem, mixed), "order": mixed}
    near = order.copy()
    a = int(rng.integers(d - 1))
    near[[a, a + 1]] = near[[a + 1, a]]
    yield "neighbours swapped, refitted", {"W": dense(problem, near), "order": near}
    yield "neighbours swapped, own order", {"W": dense(problem, near)}


def strangers(problem: Dag, others: list[dict[str, np.ndarray]]) -> Points:
    """Optima of other scores and data."""
    for other in others:
        yield "optimum of another problem", other
        yield "its order, refitted", {"W": dense(problem, other["order"]), "order": other["order"]}
        yield "its graph, without an order", {"W": other["W"]}


def dense(problem: Dag, order: np.ndarray) -> np.ndarray:
    """Least squares of every variable on all before it, from the samples; for l1 and logistic no optimum."""
    X, W = np.asarray(problem.samples), np.zeros((problem.d, problem.d))
    size = np.sqrt((X**2).mean(axis=0))
    for k in range(1, problem.d):
        before, j = order[:k].astype(int), int(order[k])
        W[before, j] = lstsq(X[:, before] / size[before], X[:, j], cond=1e-14)[0] / size[before]
    return W


def _at(d: int, i: int, j: int, value: float) -> np.ndarray:
    made = np.zeros((d, d))
    made[i, j] = value
    return made


def trials(rng: np.random.Generator, scores: tuple[str, ...], kinds: tuple[str, ...] = DATA) -> Iterator[tuple]:
    """(score, data, name, problem, judge, point), for each score and each kind of data once; the right point first."""
    for score in scores:
        for data in ("plain",) if score in ("lasso", "logistic") else kinds:
            problem = case(score, data, rng)
            if (right := optimum(problem, int(rng.integers(1000)))) is None:
                continue
            judge = Judge(problem)
            yield score, data, "right", problem, judge, right
            for name, point in spoiled(problem, right, rng):
                yield score, data, name, problem, judge, point
            for name, point in strangers(problem, _elsewhere(problem, score, data, rng)):
                yield score, data, name, problem, judge, point


def _elsewhere(problem: Dag, score: str, data: str, rng: np.random.Generator) -> list[dict[str, np.ndarray]]:
    if score == "logistic":
        return [found for found in [optimum(case(score, data, rng))] if found]
    X = np.asarray(problem.samples)
    swapped = "least-squares" if score == "bic" else "bic"
    made = [dag(X, score=swapped), dag(X, standardize=True)]
    if score != "lasso":
        made.append(case(score, data, rng))
    return [found for found in map(optimum, made) if found is not None]
