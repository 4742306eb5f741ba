"""How the tables with peers run a method: under a time limit, timed in processor time, judged against the truth."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import solverkit as sk
from solverkit.engine.status import Termination
from solverkit.kinds.dag.markov import cpdag
from solverkit.kinds.dag.metrics import Distances, shd
from solverkit.kinds.dag.problem import Dag
from solverkit.kinds.dag.prune import pruned

INSTALL = "pip install --no-deps causal-learn dagma tqdm statsmodels patsy pydot graphviz momentchi2"
PACKAGES = {"dagma": "dagma", "boss": "causallearn", "ges": "causallearn"}
SPARSE = frozenset(PACKAGES)
"""Methods whose answers are graphs as they stand; others' are pruned."""


@dataclass
class Ran:
    """One run."""

    seconds: float
    own: float  # of them the method's, by its share of the elapsed time
    finished: bool
    graph: np.ndarray  # (d, d) weights
    order: np.ndarray  # (d,) int
    fun: float
    certified: bool
    far: Distances | None


def available(method: str) -> bool:
    """Whether the method's package is installed."""
    return method not in PACKAGES or importlib.util.find_spec(PACKAGES[method]) is not None


def say_what_is_missing() -> None:
    """A line above the table where peers are left out."""
    if absent := [name for name in PACKAGES if not available(name)]:
        print(f"({', '.join(absent)} left out, not installed: {INSTALL})\n")


def distance(graph: np.ndarray, truth: np.ndarray) -> Distances:
    """All but the intervention distance, which takes longer than the runs at a hundred variables."""
    found, true = graph != 0, truth != 0
    hits = float((found & true).sum())
    shares = hits / max(found.sum(), 1), hits / max(true.sum(), 1)
    return Distances(shd(found, true), shd(cpdag(found), cpdag(true)), -1, *shares)


def ran(problem: Dag, method: str, max_time: float = 120.0, options: Mapping[str, Any] | None = None) -> Ran:
    """A method on a problem; processor time of one thread, certificate and pruning included, the truth not told."""
    told = replace(problem, truth=None)
    began, elapsed = time.process_time(), time.perf_counter()
    result = sk.solve(told, method=method, options=options, max_time=max_time)
    spent, elapsed = time.process_time() - began, time.perf_counter() - elapsed
    own = spent * result.timing["solve"] / elapsed
    W = result.point["W"]
    graph = W if method in SPARSE else pruned(problem, W)
    far = None if problem.truth is None else distance(graph, problem.truth)
    finished = result.termination is not Termination.MAX_TIME
    return Ran(
        spent,
        own,
        finished,
        graph,
        result.point["order"].astype(int),
        result.fun,
        result.point_status.name == "CERTIFIED",
        far,
    )
