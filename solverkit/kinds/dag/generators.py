"""Seeded samples of structural models with known graphs: `{generate: linear-sem, d: 50, edges: 4, n: 1000, seed: 0}`.

    x_j = sum_i W_ij x_i + e_j  (linear-sem),   P(x_j = 1) = s(sum_i W_ij x_i)  (logistic-sem),
    x_j = f_j(parents of j) + e_j, f_j a random network  (mlp-sem)

| here | arXiv 2305.17277 | meaning |
|---|---|---|
| graph | ER, SF | random pairs in a random order; preferential attachment |
| edges | k | expected number of edges a variable |

The same seed gives the same arrays on every machine.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from solverkit.kinds.dag.networks import network

NOISES: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "gaussian": lambda rng, shape: rng.standard_normal(shape),
    "exponential": lambda rng, shape: rng.exponential(size=shape) - 1.0,
    "gumbel": lambda rng, shape: (rng.gumbel(size=shape) - np.euler_gamma) * np.sqrt(6) / np.pi,
    "logistic": lambda rng, shape: rng.logistic(size=shape) * np.sqrt(3) / np.pi,
}
"""Centred, of variance 1."""


def random_graph(rng: np.random.Generator, d: int, edges: float, graph: str) -> np.ndarray:
    """(d, d) bool, acyclic, in a random order; ValueError where so many edges do not fit.

    ER: every pair of the order with the same probability, edges * d in expectation. SF: each variable in turn takes
    round(edges) earlier ones as parents, with probability in proportion to 1 + their degree (Barabasi and Albert 1999).
    """
    pairs = d * (d - 1) / 2
    if not 0 <= edges * d <= pairs:
        raise ValueError(f"{edges} edges a variable do not fit in {d} variables: at most {pairs / d:g}")
    order = rng.permutation(d)
    mask = np.zeros((d, d), dtype=bool)
    if graph == "ER":
        upper = np.triu(rng.random((d, d)) < (edges * d / pairs if pairs else 0.0), 1)
        mask[np.ix_(order, order)] = upper
        return mask
    if graph != "SF":
        raise ValueError(f"graph is ER or SF, not {graph!r}")
    degree = np.ones(d)
    for k in range(1, d):
        count = min(k, round(edges))
        parents = rng.choice(k, count, replace=False, p=degree[:k] / degree[:k].sum())
        mask[order[parents], order[k]] = True
        degree[parents] += 1
        degree[k] += count
    return mask


def random_weights(rng: np.random.Generator, mask: np.ndarray, low: float, high: float) -> np.ndarray:
    """(d, d): uniform on [low, high] with a random sign on the edges of `mask`, 0 elsewhere."""
    size = rng.uniform(low, high, mask.shape) * rng.choice([-1.0, 1.0], mask.shape)
    return np.where(mask, size, 0.0)


def linear_sem(
    d: int = 20,
    edges: float = 2,
    n: int = 1000,
    graph: str = "ER",
    noise: str = "gaussian",
    least_deviation: float = 1.0,
    most_deviation: float = 1.0,
    low: float = 0.5,
    high: float = 2.0,
    standardize: int = 0,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """`X` (n, d) and the true weights `W` (d, d). Noise deviations are uniform on [least_deviation, most_deviation]:
    equal variances where both are 1. With `standardize` = 1 columns are divided by their deviation (W is not)."""
    if noise not in NOISES:
        raise ValueError(f"noise is one of {', '.join(NOISES)}, not {noise!r}")
    rng = np.random.default_rng(seed)
    W = random_weights(rng, random_graph(rng, d, edges, graph), low, high)
    deviation = rng.uniform(least_deviation, most_deviation, d)
    return {"X": _scaled(solve_linear(W, NOISES[noise](rng, (n, d)) * deviation), standardize), "W": W}


def solve_linear(W: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """X with X = X W + noise, (n, d)."""
    return np.linalg.solve((np.eye(len(W)) - W).T, noise.T).T


def logistic_sem(
    d: int = 20,
    edges: float = 4,
    n: int = 10_000,
    graph: str = "ER",
    low: float = 0.5,
    high: float = 2.0,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Binary `X` (n, d) and `W`: variables drawn in the order of the graph."""
    rng = np.random.default_rng(seed)
    W = random_weights(rng, random_graph(rng, d, edges, graph), low, high)
    X = np.zeros((n, d))
    for j in _order(W):
        X[:, j] = rng.random(n) < expit(X @ W[:, j])
    return {"X": X, "W": W}


def mlp_sem(
    d: int = 10, edges: float = 2, n: int = 1000, graph: str = "ER", hidden: int = 100, seed: int = 0
) -> dict[str, np.ndarray]:
    """`X` (n, d) and the graph `W` (entries 0 and 1): one random hidden layer a variable, its weights as those of the
    linear model, unit Gaussian noise."""
    rng = np.random.default_rng(seed)
    mask = random_graph(rng, d, edges, graph)
    X, noise = np.zeros((n, d)), rng.standard_normal((n, d))
    for j in _order(mask):
        parents = np.flatnonzero(mask[:, j])
        first = random_weights(rng, np.ones((len(parents), hidden), dtype=bool), 0.5, 2.0)
        second = random_weights(rng, np.ones((1, hidden), dtype=bool), 0.5, 2.0)[0]
        X[:, j] = noise[:, j] + (expit(X[:, parents] @ first) @ second if len(parents) else 0.0)
    return {"X": X, "W": mask.astype(float)}


def gene_network(name: str = "ecoli70", n: int = 1000, seed: int = 0) -> dict[str, np.ndarray]:
    """`X` (n, d) of a published network, Gaussian with its variances, and its `W`; see `networks`."""
    rng = np.random.default_rng(seed)
    _, W, variance = network(name)
    return {"X": solve_linear(W, rng.standard_normal((n, len(W))) * np.sqrt(variance)), "W": W}


def _order(W: np.ndarray) -> np.ndarray:
    from solverkit.kinds.dag.acyclic import topological_order

    order = topological_order(W != 0)
    assert order is not None  # made in an order
    return order


def _scaled(X: np.ndarray, standardize: int) -> np.ndarray:
    return (X - X.mean(axis=0)) / X.std(axis=0) if standardize else X
