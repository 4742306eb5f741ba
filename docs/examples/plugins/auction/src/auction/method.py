"""The auction algorithm (Bertsekas 1988) with scaled increments.

Every row without a column bids for the one that is worth most to it, -cost[i, j] - price[j], raising its price by
what it is better than the second best, and epsilon. A phase ends once each row has a column; the matching is within
n epsilon of the best. The next phase begins at its prices with a smaller epsilon.
"""

from dataclasses import dataclass

import numpy as np
from assignment.problem import Assignment

from auction.options import AuctionOptions
from solverkit.plugin import Context, Point, Solver


@dataclass
class State:
    """Where an auction is."""

    price: np.ndarray  # (n,)
    match: np.ndarray  # (n,) the column of each row, -1 for none
    owner: np.ndarray  # (n,) the row of each column, -1 for none
    epsilon: float
    last: float  # epsilon of the last phase
    best: np.ndarray  # (n,) the latest whole matching
    value: float  # what it costs
    done: bool = False


class Auction(Solver[Assignment, State]):
    """A step is one round of bids."""

    Options = AuctionOptions

    def init(self, problem: Assignment, start: Point, ctx: Context) -> State:
        """No row has a column."""
        n, costs = problem.n, problem.costs()
        spread = float(np.ptp(costs)) + 1e-12
        last = max(0.1 * ctx.tol * (1 + abs(problem.objective(start))) / n, 1e-12 * spread)
        free = np.full(n, -1)
        best = start["match"].astype(int)
        return State(np.zeros(n), free, free.copy(), max(spread / 4, last), last, best, problem.objective(start))

    def step(self, problem: Assignment, state: State, ctx: Context) -> State:
        """All rows without a column bid."""
        costs = problem.costs()
        if not np.isfinite(costs).all():
            state.value = float("nan")
            return state
        for row in np.flatnonzero(state.match < 0):
            worth = -costs[row] - state.price
            column = int(worth.argmax())
            second = np.partition(worth, -2)[-2] if problem.n > 1 else worth[column]
            state.price[column] += worth[column] - second + state.epsilon
            if state.owner[column] >= 0:
                state.match[state.owner[column]] = -1
            state.owner[column], state.match[row] = row, column
        if (state.match >= 0).all():
            value = float(costs[np.arange(problem.n), state.match].sum())
            if value <= state.value or state.epsilon <= state.last:
                state.best, state.value = state.match.copy(), value
            if state.epsilon <= state.last:
                state.done = True
            else:
                state.epsilon = max(state.epsilon / self.options.scaling, state.last)
                state.match, state.owner = np.full(problem.n, -1), np.full(problem.n, -1)
        return state

    def point(self, state: State) -> Point:
        """The latest whole matching."""
        return {"match": state.best.astype(float)}

    def report(self, state: State) -> dict[str, float]:
        """Its cost."""
        return {"merit": state.value, "objective": state.value}

    def converged(self, state: State) -> bool:
        """The last phase is over."""
        return state.done
