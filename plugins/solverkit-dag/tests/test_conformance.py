"""Every method of the plugin against SolverKit's contract, on small problems."""

from __future__ import annotations

from typing import ClassVar

from dag_cases import dag, linear_model

from solverkit.kinds.dag.generators import logistic_sem
from solverkit.kinds.dag.problem import Dag
from solverkit.testing import Budget, SolverConformance

BUDGET = Budget(steps=6, max_time=20.0)


def linear() -> Dag:
    """Eight variables of equal noise."""
    return dag(linear_model(8, 0, n=200, degree=2)[0])


def sparse() -> Dag:
    """The same by bic, in units of their deviations."""
    X = linear_model(8, 1, n=200, degree=2, spread=(0.5, 2.0))[0]
    return dag(X / X.std(axis=0), score="bic")


def binary() -> Dag:
    """Four variables of zeros and ones."""
    return dag(logistic_sem(d=4, edges=1, n=300, seed=0)["X"], score="logistic", l1=0.01)


class TestSwaps(SolverConformance):
    """The whole neighbourhood, with restarts and kicks, so that there is something between start and answer."""

    method = "topological-swaps"
    problems = (linear, sparse, binary)
    options: ClassVar = {"restarts": 2, "kicks": 2, "kick_size": 3}
    budget = BUDGET


class TestPaper(SolverConformance):
    """The candidate sets of the paper."""

    method = "topological-swaps"
    problems = (linear,)
    options: ClassVar = {"candidates": "paper"}
    budget = BUDGET


class TestTopDown(SolverConformance):
    """One order, no search."""

    method = "top-down"
    problems = (linear,)
    budget = BUDGET


class TestSortAndRegress(SolverConformance):
    """One order, no search."""

    method = "sort-and-regress"
    problems = (linear,)
    budget = BUDGET


class TestNotears(SolverConformance):
    """The reference's constants."""

    method = "notears"
    problems = (linear,)
    budget = BUDGET


class TestColide(SolverConformance):
    """Few iterations: nothing here is about where it ends."""

    method = "colide"
    problems = (linear,)
    options: ClassVar = {"checkpoint": 20, "warm_iterations": 60, "last_iterations": 100}
    budget = BUDGET
