"""The scores and their gradients, from the Gram matrix where that suffices, from the samples elsewhere.

Written plainly: this is what an answer is checked by. Formulas in `problem.SCORES`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from solverkit.errors import UsageError

if TYPE_CHECKING:
    from solverkit.kinds.dag.problem import Dag


def linear(problem: Dag, W: np.ndarray) -> float:
    """The penalized score of W, (d, d)."""
    if problem.score == "bic":
        variances = [residual_variance(problem.gram, j, np.flatnonzero(W[:, j])) for j in range(problem.d)]
        with np.errstate(divide="ignore"):
            return float(0.5 * np.log(variances).sum() + edge_price(problem) * np.count_nonzero(W))
    return _smooth(problem, W) + problem.l1 * float(np.abs(W).sum())


def edge_price(problem: Dag) -> float:
    """What one edge adds to `bic`: edge_cost (log n) / (2 n)."""
    return problem.edge_cost * float(np.log(problem.n)) / (2 * problem.n)


def _smooth(problem: Dag, W: np.ndarray) -> float:
    if problem.score == "least-squares":
        residual = np.eye(problem.d) - W
        return 0.5 * float(np.einsum("ij,ij->", residual, problem.gram @ residual))
    X = samples(problem)
    if problem.score == "logistic":
        Z = X @ W
        return float((np.logaddexp(0.0, Z) - X * Z).sum() / problem.n)
    raise UsageError("the score mlp is one of networks, not of W: ask network_score")


def gradient(problem: Dag, W: np.ndarray) -> np.ndarray:
    """Gradient of the smooth part with respect to W, (d, d)."""
    if problem.score == "logistic":
        X = samples(problem)
        return X.T @ (expit(X @ W) - X) / problem.n
    if problem.score == "mlp":
        raise UsageError("the score mlp is one of networks, not of W: it has no gradient here")
    residual = np.eye(problem.d) - W
    product = problem.gram @ residual
    if problem.score == "least-squares":
        return -product
    return -product / np.einsum("ij,ij->j", residual, product)  # 1/2 log v_j at W itself


def networks(problem: Dag, hidden: np.ndarray, output: np.ndarray) -> float:
    """The penalized score of one network for each variable: hidden (d, h, d), output (d, h)."""
    X = samples(problem)
    fitted = np.stack([expit(X @ first.T) @ second for first, second in zip(hidden, output, strict=True)], axis=1)
    fit = 0.5 * float(((X - fitted) ** 2).sum()) / problem.n
    ridge = 0.5 * problem.l2 * float((hidden**2).sum() + (output**2).sum())
    return fit + problem.l1 * float(np.abs(hidden).sum()) + ridge


def residual_variances(gram: np.ndarray, W: np.ndarray) -> np.ndarray:
    """The mean squared residual of every variable at W itself, (d,); rounding may leave it below 0."""
    residual = np.eye(len(gram)) - W
    return np.asarray(np.einsum("ij,ij->j", residual, gram @ residual))


def residual_variance(gram: np.ndarray, j: int, parents: np.ndarray) -> float:
    """min_w of the mean squared residual of variable j on `parents` (indices): S_jj - s' S_PP^{-1} s, at least 0."""
    if not len(parents):
        return float(gram[j, j])
    weights = regression(gram, j, parents)
    left = np.zeros(len(gram))
    left[j] = 1.0
    left[parents] = -weights
    return max(float(left @ gram @ left), 0.0)


def regression(gram: np.ndarray, j: int, parents: np.ndarray) -> np.ndarray:
    """Least-squares weights of variable j on `parents`, of least norm where they are not unique, (|parents|,)."""
    block = gram[np.ix_(parents, parents)]
    scale = 1 / np.sqrt(np.maximum(np.diag(block), np.finfo(float).tiny))
    found, *_ = np.linalg.lstsq(block * np.outer(scale, scale), gram[parents, j] * scale, rcond=1e-13)
    return found * scale


def refitted(gram: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Least-squares weights of every variable on its parents in `edges`, (d, d) bool: the best W on this graph."""
    W = np.zeros(edges.shape)
    for j in range(len(W)):
        parents = np.flatnonzero(edges[:, j])
        if len(parents):
            W[parents, j] = regression(gram, j, parents)
    return W


def samples(problem: Dag) -> np.ndarray:
    """X, (n, d). UsageError where the problem has its Gram matrix alone."""
    if problem.samples is None:
        raise UsageError(f"the score {problem.score} needs samples, and {problem.name!r} has a Gram matrix alone")
    return problem.samples
