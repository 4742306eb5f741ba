"""`top-down` and `sort-and-regress`: an order by a rule, and the best weights for it. No search.

    top-down           next comes the variable of least variance given those placed (Chen, Drton and Wang 2019)
    sort-and-regress   increasing variance (Reisach, Seiler and Weichwald 2021)

Where the noise has equal variances the first is consistent, and it is a Cholesky factorization with the least pivot;
the second finds what the units of the data give away. Whatever is compared on simulated data is to be held against
both.

The answer is whatever the order gives. Where no neighbour of it is better it is a local optimum, which the methods
claim; elsewhere they end STALLED and say so.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from solverkit.kinds.base import Point
from solverkit.kinds.dag.problem import Dag
from solverkit.plugin import Context, Solver, Stop, Termination
from solverkit_dag.initial import by_variance, top_down
from solverkit_dag.options.orders import OrderRuleOptions
from solverkit_dag.options.swaps import TopologicalSwapsOptions
from solverkit_dag.precedence import Precedence
from solverkit_dag.ridge import conditioned
from solverkit_dag.search.base import Chain, copy_chain
from solverkit_dag.search.make import make_search
from solverkit_dag.state import point_of
from solverkit_dag.topological_swaps import starting_order

STUCK = "the order is no local optimum: give the answer to topological-swaps as its start"


@dataclass
class State:
    """The start, then the rule's order."""

    chain: Chain
    merit: float
    done: bool = False
    optimal: bool = False  # no neighbour of the order is better


class OrderRule(Solver[Dag, State]):
    """One step: the order, its weights, and whether a neighbour is better."""

    Options = OrderRuleOptions

    @abstractmethod
    def order(self, gram: np.ndarray, precedence: Precedence) -> np.ndarray:
        """The rule."""

    def init(self, problem: Dag, start: Point, ctx: Context) -> State:
        """The start, as it is."""
        blocks = {name: np.array(block, dtype=float) for name, block in start.items() if name not in ("W", "order")}
        chain = Chain(starting_order(problem, start), np.array(start["W"], dtype=float), np.inf, blocks=blocks)
        return State(chain, problem.objective(point_of(chain)))

    def step(self, problem: Dag, state: State, ctx: Context) -> State:
        """All there is."""
        if state.done:
            raise Stop(Termination.STALLED, STUCK, point_of(state.chain))
        search = make_search(
            problem, TopologicalSwapsOptions.model_validate({"ridge": self.options.ridge}), ctx.log, ctx.device
        )
        gram = conditioned(problem.gram, self.options.ridge)
        chain = search.begin(self.order(gram, Precedence.of(problem.known)))
        neighbour = copy_chain(chain)
        ctx.charge("nsolve", problem.d + search.advance(neighbour))
        return State(
            chain, problem.objective(point_of(chain)), True, neighbour.optimal and neighbour.score >= chain.score
        )

    def point(self, state: State) -> Point:
        """Order and weights."""
        return point_of(state.chain)

    def report(self, state: State) -> dict[str, float]:
        """The score; no merit, as the start is no answer, but for a NaN that the run must see."""
        return {"objective": state.merit} | ({"merit": state.merit} if np.isnan(state.merit) else {})

    def converged(self, state: State) -> bool:
        """No neighbour of the order is better."""
        return state.optimal


class TopDown(OrderRule):
    """Least conditional variance next."""

    def order(self, gram: np.ndarray, precedence: Precedence) -> np.ndarray:
        """O(d^3 / 3)."""
        return top_down(gram, precedence)


class SortAndRegress(OrderRule):
    """Increasing variance."""

    def order(self, gram: np.ndarray, precedence: Precedence) -> np.ndarray:
        """O(d log d)."""
        return by_variance(gram, precedence)
