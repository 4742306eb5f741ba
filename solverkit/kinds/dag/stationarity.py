"""First-order conditions: of the NOTEARS problem with |W|, of refitted graphs, of networks.

With h(|W|) as the measure of cycles, (dh/dW)_ij > 0 exactly where a path leads from j to i, that is where the edge
i -> j would close a cycle (arXiv 2305.17277, after Wei, Gao and Yu 2020). So W is a KKT point where the (sub)gradient
of the score vanishes on all other pairs; entries with a positive one are absorbed by their multipliers.

A gradient is divided by sqrt(S_ii v_j), v_j what is left of variable j: for linear scores that is the correlation of
parent and residual, and its square the share of v_j that the one weight could still explain. By S_jj in place of v_j
the weights of a variable that is nearly explained would be held to nothing. `FLOOR` keeps v_j from vanishing.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from solverkit.kinds.dag.acyclic import closure
from solverkit.kinds.dag.problem import Dag
from solverkit.kinds.dag.scores import residual_variances, samples

FLOOR = 1e-4
"""Least v_j, as a share of S_jj: below it what is left is rounding, or a ridge of the method's."""


def kkt(problem: Dag, W: np.ndarray) -> float:
    """Largest KKT residual over pairs i -> j that close no cycle and are not forbidden, free of units (by sqrt(S_ii)
    alone for binary samples)."""
    edges = (W != 0) | problem.known.required
    free = ~closure(edges).T & ~problem.known.forbidden
    gradient = problem.score_gradient(W)
    size = np.sqrt(np.diag(problem.gram))
    scale = np.outer(size, np.ones_like(size)) if problem.score == "logistic" else _scale(problem, W)
    residual = np.where(W != 0, np.abs(gradient + problem.l1 * np.sign(W)), np.abs(gradient) - problem.l1)
    return float((np.maximum(residual, 0.0) / scale)[free].max(initial=0.0))


def refit(problem: Dag, W: np.ndarray) -> float:
    """Largest gradient on the edges of W alone, free of units: 0 where W is least squares on its own graph."""
    gradient = problem.gram @ (np.eye(problem.d) - W)
    edges = (W != 0) | problem.known.required
    return float((np.abs(gradient) / _scale(problem, W))[edges].max(initial=0.0))


def _scale(problem: Dag, W: np.ndarray) -> np.ndarray:
    """sqrt(S_ii v_j), (d, d)."""
    left = np.maximum(residual_variances(problem.gram, W), FLOOR * np.diag(problem.gram))
    return np.sqrt(np.outer(np.diag(problem.gram), left))


def networks(problem: Dag, hidden: np.ndarray, output: np.ndarray, edges: np.ndarray) -> float:
    """Largest (sub)gradient of the penalized score over the weights of parents in `edges`, against 1 + |weight|.

    Weights of variables that are no parents are zero, which `certificate.py` checks; they are held there.
    """
    X = samples(problem)
    worst = 0.0
    for j in range(problem.d):
        Z = expit(X @ hidden[j].T)
        error = (Z @ output[j] - X[:, j]) / problem.n
        second = Z.T @ error + problem.l2 * output[j]
        inner = (error[:, None] * output[j]) * Z * (1 - Z)
        first = (inner.T @ X + problem.l2 * hidden[j])[:, edges[:, j]]
        weights = hidden[j][:, edges[:, j]]
        signed = np.where(
            weights != 0, np.abs(first + problem.l1 * np.sign(weights)), np.maximum(np.abs(first) - problem.l1, 0.0)
        )
        worst = max(
            worst,
            float((np.abs(second) / (1 + np.abs(output[j]))).max(initial=0.0)),
            float((signed / (1 + np.abs(weights))).max(initial=0.0)),
        )
    return worst
