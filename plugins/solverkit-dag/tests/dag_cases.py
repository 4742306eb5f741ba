"""Seeded linear models and the slow, obvious versions that the kernels are held against."""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.kinds.dag.problem import Dag


def linear_model(
    d: int, seed: int, n: int = 1000, degree: int = 4, spread: tuple[float, float] = (1.0, 1.0)
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centred samples (n, d), true weights (d, d) and a true order (d,) of an Erdos-Renyi graph with degree d / 2 d
    edges; noise deviations uniform in `spread`."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(d)
    edges = np.triu(rng.random((d, d)) < 2 * degree / max(d - 1, 1), 1)
    weights = edges * rng.uniform(0.5, 2.0, (d, d)) * rng.choice([-1.0, 1.0], (d, d))
    noise = rng.normal(size=(n, d)) * rng.uniform(*spread, d)
    sorted_samples = noise @ np.linalg.inv(np.eye(d) - weights)
    W, X = np.zeros((d, d)), np.empty((n, d))
    W[np.ix_(order, order)] = weights
    X[:, order] = sorted_samples
    return X - X.mean(axis=0), W, order


def dag(X: np.ndarray, **keywords: Any) -> Dag:
    """The problem of samples."""
    names = tuple(f"x{k}" for k in range(X.shape[1]))
    return Dag("made", names, X.T @ X / len(X), len(X), samples=X, **keywords)


def variances(gram: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Var(x_k | those before it) along an order, each by its own solve in extended precision."""
    S = gram.astype(np.longdouble)[np.ix_(order, order)]
    found = np.empty(len(order), dtype=np.longdouble)
    for k in range(len(order)):
        found[k] = S[k, k] - S[k, :k] @ solve(S[:k, :k], S[:k, k])
    return found


def solve(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A x = b by Gauss-Jordan with diagonal pivots, in the precision of A, symmetric positive definite."""
    A, b = A.copy(), b.copy()
    for k in range(len(b)):
        for i in range(len(b)):
            if i != k:
                factor = A[i, k] / A[k, k]
                A[i, k:] -= factor * A[k, k:]
                b[i] -= factor * b[k]
    return b / np.diag(A) if len(b) else b


def swapped(order: np.ndarray, a: int, b: int) -> np.ndarray:
    """Positions a and b exchanged."""
    moved = order.copy()
    moved[[a, b]] = moved[[b, a]]
    return moved


def inserted(order: np.ndarray, i: int, j: int) -> np.ndarray:
    """Position j moved to i."""
    return np.insert(np.delete(order, j), i, order[j])
