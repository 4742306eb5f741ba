"""`topological-swaps`: structure learning by a search over orders.

    min_pi  score(pi),   score(pi) = min_W score(W) over W whose edges go forward in pi

(Deng, Bello, Aragam and Ravikumar, ICML 2023, arXiv 2305.17277). For a given order the problem is a regression of each
variable on those before it, and a change of the order changes only the regressions between the positions it touches.

| here | paper | meaning |
|---|---|---|
| order | pi | (d,) position k holds the variable order[k] |
| score | Q | the problem's |
| candidates | Y | which pairs are tried: all, or the paper's sets |

The searches are in `search`: closed forms for least squares, grow-shrink for `bic`, refits for other scores. One step
advances every order that has not settled by one sweep. Once all have, the best order is kicked: a random block of it is
shuffled and searched anew.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.base import Point
from solverkit.kinds.dag.acyclic import topological_order
from solverkit.kinds.dag.problem import ORDER, WEIGHTS, Dag
from solverkit.plugin import Context, Solver, Stop, Termination
from solverkit_dag.initial import by_variance, top_down
from solverkit_dag.options.swaps import TopologicalSwapsOptions
from solverkit_dag.precedence import Precedence
from solverkit_dag.ridge import conditioned
from solverkit_dag.search.base import SLACK, Chain, Search, copy_chain
from solverkit_dag.search.make import make_search
from solverkit_dag.state import State, point_of

RESTARTS, BIC_KICKS = 4, 10
STUCK = "no candidate improves the order, but a neighbour outside the candidate sets does: set candidates: all"


class TopologicalSwaps(Solver[Dag, State]):
    """See the module."""

    Options = TopologicalSwapsOptions

    def __init__(self, options: TopologicalSwapsOptions) -> None:
        super().__init__(options)
        self._made: tuple[str, Search] | None = None

    def init(self, problem: Dag, start: Point, ctx: Context) -> State:
        """All restarts at their first orders."""
        search = self._search(problem, ctx)
        precedence = Precedence.of(problem.known)
        orders = [self._first(problem, start, precedence)]
        orders += [precedence.arrange(ctx.rng.random(problem.d)) for _ in range(self._restarts(problem) - 1)]
        chains = [search.begin(order) for order in orders]
        ctx.charge("nsolve", len(chains) * problem.d)
        best = copy_chain(min(chains, key=lambda chain: chain.score))
        return State(chains, best, problem.objective(point_of(best)), self._kicks(problem))

    def step(self, problem: Dag, state: State, ctx: Context) -> State:
        """One sweep of every order on its way. Stop where the search has ended short of a local optimum."""
        if state.settled:
            raise Stop(Termination.STALLED, STUCK, point_of(state.best))
        search = self._search(problem, ctx)
        active = [chain for chain in state.chains if not chain.settled]
        if not active and state.kicks < state.wanted:
            state.kicks += 1
            active = state.chains = [search.begin(self._kicked(problem, state.best.order, ctx.rng))]
        ctx.charge("nsolve", sum(self._advance(search, active)))
        self._compare(state)
        state.settled = all(chain.settled for chain in state.chains) and state.kicks >= state.wanted
        state.merit = problem.objective(point_of(state.best))
        return state

    def point(self, state: State) -> Point:
        """The best order so far and its weights."""
        return point_of(state.best)

    def report(self, state: State) -> dict[str, float]:
        """merit: the score; moves: accepted in all; open: orders still on their way."""
        return {
            "merit": state.merit,
            "objective": state.merit,
            "moves": float(sum(chain.moves for chain in state.chains)),
            "open": float(sum(not chain.settled for chain in state.chains)),
        }

    def converged(self, state: State) -> bool:
        """No neighbour of the best order is better, and no kick is left."""
        return state.settled and state.best.optimal

    def _search(self, problem: Dag, ctx: Context) -> Search:
        key = problem.fingerprint()
        if self._made is None or self._made[0] != key:
            self._made = (key, make_search(problem, self.options, ctx.log, ctx.device))
        return self._made[1]

    def _restarts(self, problem: Dag) -> int:
        if self.options.restarts is not None:
            return int(self.options.restarts)
        cheap = problem.score == "bic" or (problem.score == "least-squares" and problem.l1 == 0)
        return RESTARTS if cheap and self.options.candidates == "all" else 1

    def _kicks(self, problem: Dag) -> int:
        if self.options.kicks is not None:
            return int(self.options.kicks)
        return BIC_KICKS if problem.score == "bic" and problem.d > 2 else 0

    def _first(self, problem: Dag, start: Point, precedence: Precedence) -> np.ndarray:
        if self.options.init == "start":
            return precedence.nearest(starting_order(problem, start))
        gram = conditioned(problem.gram, self.options.ridge)
        return (by_variance if self.options.init == "variance" else top_down)(gram, precedence)

    def _advance(self, search: Search, chains: list[Chain]) -> list[int]:
        if self.options.workers == 1 or len(chains) == 1 or not search.parallel:
            return [search.advance(chain) for chain in chains]
        with ThreadPoolExecutor(min(self.options.workers, len(chains))) as pool:
            return list(pool.map(search.advance, chains))

    def _compare(self, state: State) -> None:
        """The best chain so far, with its own arrays. One that has not settled stands for the chain it came from."""
        first = min(state.chains, key=lambda chain: chain.score)
        if not state.best.settled or first.score < state.best.score - SLACK * abs(state.best.score):
            state.best = copy_chain(first)

    def _kicked(self, problem: Dag, order: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        size = min(self.options.kick_size, problem.d)
        first = int(rng.integers(problem.d - size + 1))
        priority = np.empty(problem.d)
        priority[order] = np.arange(problem.d)
        block = order[first : first + size]
        priority[block] = priority[block[rng.permutation(size)]]
        return Precedence.of(problem.known).arrange(priority)


def starting_order(problem: Dag, start: Point) -> np.ndarray:
    """The order that a point stands for: its own, or one of its graph where that goes against it.

    UsageError where W has a cycle, or the order is none."""
    given = np.asarray(start[ORDER], dtype=float)
    if not np.array_equal(np.sort(given), np.arange(problem.d)):
        raise UsageError(f"start: block 'order' is no permutation of 0, ..., {problem.d - 1}")
    order = given.astype(np.int64)
    edges = np.asarray(start[WEIGHTS]) != 0
    place = np.argsort(order)
    if not (edges & (place[:, None] >= place[None, :])).any():
        return order
    found = topological_order(edges)
    if found is None:
        raise UsageError("start: the graph of block 'W' has a cycle; threshold it first, or leave it out")
    return found.astype(np.int64)
