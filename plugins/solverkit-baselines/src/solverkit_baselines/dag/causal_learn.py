"""BOSS and GES of causal-learn, with the Gaussian BIC of the covariance matrix.

    score = -(1/2) sum_j n log v_j - lambda log n |E|,   lambda = edge_cost / 2

which is the kind's `bic` times -n. Both return a Markov class; the point is a member of it (Dor and Tarsi 1992), its
weights fitted by least squares. BOSS (Andrews et al., NeurIPS 2023) moves each variable of an order to its best place;
GES (Chickering 2002) adds and deletes edges of classes.

Each score that the package works out is charged as one `nsolve`; limits are looked at between them.
"""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import ModuleType
from typing import Any

import numpy as np

from solverkit.engine.solver import Context, Observe, OneShotSolver, Stop
from solverkit.engine.status import Termination
from solverkit.kinds.base import Point
from solverkit.kinds.dag.markov import consistent_extension
from solverkit.kinds.dag.problem import Dag
from solverkit.kinds.dag.scores import samples
from solverkit_baselines.dag.answers import as_point, unproven, without_knowledge
from solverkit_baselines.dag.options import CausalLearnOptions

SCORE = "local_score_BIC_from_cov"
BETWEEN = 500
"""Scores between looks at the limits."""


class CausalLearn(OneShotSolver[Dag]):
    """What both have in common."""

    Options = CausalLearnOptions
    name: str

    def solve(self, problem: Dag, start: Point, ctx: Context, observe: Observe) -> Point:
        without_knowledge(problem, self.name)
        observe(start)
        cost = problem.edge_cost if self.options.edge_cost is None else self.options.edge_cost
        graph = self._graph(problem, cost / 2, ctx, lambda: observe(start))
        extension = consistent_extension(graph == -1)
        if extension is None:
            raise Stop(Termination.STALLED, f"the graph that {self.name} returned is the class of no acyclic graph")
        raise unproven(self.name, as_point(problem, extension.astype(float), refit=True))

    @abstractmethod
    def _graph(self, problem: Dag, price: float, ctx: Context, look: Callable[[], None]) -> np.ndarray:
        """causal-learn's matrix: -1 at [i, j] is a tail at i of an edge between i and j."""


class Boss(CausalLearn):
    """BOSS."""

    name = "boss"

    def _graph(self, problem: Dag, price: float, ctx: Context, look: Callable[[], None]) -> np.ndarray:
        from causallearn.search.PermutationBased import BOSS

        with _counted(BOSS, ctx, look), _seeded(int(ctx.rng.integers(2**31))):
            found = BOSS.boss(samples(problem), score_func=SCORE, parameters={"lambda_value": price}, verbose=False)
        return np.asarray(found.graph)


class Ges(CausalLearn):
    """GES."""

    name = "ges"

    def _graph(self, problem: Dag, price: float, ctx: Context, look: Callable[[], None]) -> np.ndarray:
        from causallearn.search.ScoreBased import GES

        with _counted(GES, ctx, look):
            found = GES.ges(cov=problem.gram, n=problem.n, score_func=SCORE, lambda_value=price)
        return np.asarray(found["G"].graph)


@contextmanager
def _counted(module: ModuleType, ctx: Context, look: Callable[[], None]) -> Iterator[None]:
    """Every score that `module` asks for is counted."""
    scored, count = getattr(module, SCORE), 0

    @wraps(scored)  # the package goes by its name
    def counted(*arguments: Any) -> float:
        nonlocal count
        count += 1
        if count % BETWEEN == 0:
            ctx.charge("nsolve", BETWEEN)
            look()
        return float(scored(*arguments))

    setattr(module, SCORE, counted)
    try:
        yield
    finally:
        setattr(module, SCORE, scored)
        ctx.charge("nsolve", count % BETWEEN)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """BOSS shuffles by Python's global generator: it gets a seed of the run, and the user gets the state back."""
    former = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(former)
