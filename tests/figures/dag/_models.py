"""Linear models that the tables share, and how a search on one of them is timed."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from solverkit.kinds.dag.acyclic import topological_order
from solverkit.kinds.dag.build import dag
from solverkit.kinds.dag.certificate import certify
from solverkit.kinds.dag.generators import linear_sem
from solverkit.kinds.dag.metrics import shd
from solverkit.kinds.dag.problem import Dag
from solverkit_dag.kernels.factor import factor, least_squares
from solverkit_dag.prune import prune
from solverkit_dag.search.base import Chain, Search


def equal_noise(d: int, seed: int, n: int = 1000) -> Dag:
    """ER4, noise of variance 1."""
    data = linear_sem(d=d, edges=4, n=n, seed=seed)
    return dag(data["X"], truth=data["W"], name=f"ER4 d={d} seed={seed}")


def unequal_noise(d: int, seed: int, score: str = "bic", n: int = 1000) -> Dag:
    """ER4, deviations in [0.5, 2], columns standardized."""
    data = linear_sem(d=d, edges=4, n=n, seed=seed, least_deviation=0.5, most_deviation=2.0, standardize=1)
    return dag(data["X"], truth=data["W"], score=score, name=f"unequal ER4 d={d} seed={seed}")


def true_order(problem: Dag) -> np.ndarray:
    """An order of the true graph."""
    assert problem.truth is not None
    order = topological_order(problem.truth != 0)
    assert order is not None
    return order


def order_score(problem: Dag, order: np.ndarray) -> float:
    """Of least squares."""
    return least_squares(factor(problem.gram, order)[0])


@dataclass
class Searched:
    """One search to its end."""

    chain: Chain
    seconds: float
    steps: int


def searched(search: Search, order: np.ndarray) -> Searched:
    """From an order until it settles. Processor time of one thread."""
    began, steps = time.process_time(), 0
    chain = search.begin(order)
    while not chain.settled:
        search.advance(chain)
        steps += 1
    return Searched(chain, time.process_time() - began, steps)


def distance(problem: Dag, order: np.ndarray) -> int:
    """SHD of the pruned graph of an order."""
    assert problem.truth is not None
    return shd(prune(problem.gram, problem.n, order), problem.truth != 0)


def certified(problem: Dag, chain: Chain) -> bool:
    """By the core's own check."""
    return certify(problem, {"W": chain.W, "order": chain.order.astype(float)}).status.name == "CERTIFIED"
