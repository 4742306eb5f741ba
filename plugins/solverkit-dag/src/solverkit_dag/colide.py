"""CoLiDE: weights and noise scales estimated together, with the log-det measure of cycles.

    equal     sigma   = sqrt(tr((I - W)'S(I - W)) / d),    score = tr((I - W)'S(I - W)) / (2 sigma) + d sigma / 2
    unequal   sigma_j = sqrt(((I - W)'S(I - W))_jj),       score = (1/2) sum_j [ (...)_jj / sigma_j + sigma_j ]

    stage k:  min_W  mu_k (score + lambda1 |W|_1) + h_s(W),   h_s = d log s - log det(sI - W * W)

(Saboksayr, Mateos and Tepper, ICLR 2024.) Adam steps on W with sigma held; after each, sigma in closed form. Samples
enter by S alone: O(d^3) an iteration.

| here | paper | meaning |
|---|---|---|
| sigma | sigma, Sigma | (d,) noise scales; all equal for `noise: equal` |
| mu, s | mu_k, s | of the stage |

One step is `checkpoint` iterations. The point is the graph that is left of W, see `acyclicity.to_dag`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solverkit.kinds.base import Point
from solverkit.kinds.dag.problem import Dag
from solverkit.plugin import Context, Solver, Stop, Termination
from solverkit_dag.acyclicity import log_det, to_dag
from solverkit_dag.options.colide import ColideOptions
from solverkit_dag.regression import as_point, refit

BETAS = (0.99, 0.999)
EPSILON = 1e-8
LEAST_SIGMA = 1e-3  # sigma_0 of the paper, relative to the deviation of the variable
LEAST_RATE = 1e-16


@dataclass
class State:
    """Where Adam is."""

    W: np.ndarray  # (d, d)
    answer: np.ndarray  # (d, d) acyclic
    priority: np.ndarray  # (d,) the start's order, for ties
    first: np.ndarray  # (d, d) Adam's moments
    second: np.ndarray
    sigma: np.ndarray  # (d,)
    rate: float
    kept: np.ndarray  # (d, d) W at the start of the stage
    s: float
    stage: int = 0
    iteration: int = 0  # of the stage
    objective: float = np.inf
    score: float = np.inf
    ended: bool = False


class Colide(Solver[Dag, State]):
    """See the module."""

    Options = ColideOptions

    def init(self, problem: Dag, start: Point, ctx: Context) -> State:
        """At the start's weights."""
        W = np.array(start["W"], dtype=float)
        answer, zero = to_dag(W, 0.0, problem.known.required), np.zeros_like(W)
        sigma = self._sigma(problem.gram, np.eye(problem.d) - W)
        options, priority = self.options, np.argsort(start["order"]).astype(float)
        state = State(W, answer, priority, zero, zero.copy(), sigma, options.learning_rate, W.copy(), options.s[0])
        state.score = problem.score_of(answer)
        return state

    def step(self, problem: Dag, state: State, ctx: Context) -> State:
        """`checkpoint` iterations, or the rest of the stage."""
        if state.ended:
            told = f"{np.count_nonzero(state.answer)} edges are left"
            raise Stop(
                Termination.STALLED, f"done: {told}; topological-swaps started here refines them", self.point(state)
            )
        last = state.stage == len(self.options.s) - 1
        limit = self.options.last_iterations if last else self.options.warm_iterations
        reached = self._descend(problem, state, min(self.options.checkpoint, limit - state.iteration), ctx.look)
        moved = abs(state.objective - reached)
        flat = bool(np.isfinite(moved)) and moved <= self.options.rtol * abs(state.objective)
        state.objective = reached
        if flat or state.iteration >= limit:
            self._next_stage(state)
        state.answer = to_dag(state.W, self.options.w_threshold, problem.known.required)
        if self.options.refit:
            state.answer = refit(problem.gram, (state.answer != 0) | problem.known.required)
        state.score = problem.score_of(state.answer)
        ctx.charge("nsolve", 1)
        return state

    def point(self, state: State) -> Point:
        """The graph that is left, and an order of it."""
        return as_point(state.answer, state.priority)

    def report(self, state: State) -> dict[str, float]:
        """No merit, but for a NaN that the run must see: the stages minimize different things."""
        fault = {"merit": state.score} if np.isnan(state.score) else {}
        return fault | {"objective": state.score, "stage": float(state.stage), "rate": state.rate}

    def converged(self, state: State) -> bool:
        """Never: what is left after a threshold is for the certificate to judge."""
        return False

    def _descend(self, problem: Dag, state: State, count: int, look: Callable[[], None]) -> float:
        """So many Adam iterations in place; the objective before the last."""
        S, identity, mu = problem.gram, np.eye(problem.d), self.options.mu_factor**state.stage
        closed = problem.known.forbidden | identity.astype(bool)
        total = np.inf
        for _ in range(count):
            look()
            measured = log_det(state.W, state.s)
            if measured is None:
                self._retreat(state)
                continue
            residual = identity - state.W
            product = S @ residual
            variance = np.maximum(np.einsum("ij,ij->j", residual, product), 0.0)
            total = mu * (self._score(variance, state.sigma) + self.options.lambda1 * float(np.abs(state.W).sum()))
            total += measured[0]
            slope = mu * (self.options.lambda1 * np.sign(state.W) - product / state.sigma) + measured[1]
            slope[closed] = 0.0
            self._adam(state, slope)
            state.sigma = self._sigma(S, identity - state.W)
        return total

    def _adam(self, state: State, slope: np.ndarray) -> None:
        state.iteration += 1
        one, two = BETAS
        state.first = one * state.first + (1 - one) * slope
        state.second = two * state.second + (1 - two) * slope * slope
        first = state.first / (1 - one**state.iteration)
        second = state.second / (1 - two**state.iteration)
        state.W = state.W - state.rate * first / (np.sqrt(second) + EPSILON)

    def _retreat(self, state: State) -> None:
        """sI - W * W is no M-matrix any more: the stage begins anew, more slowly; once that is no help, with a larger
        s."""
        state.rate *= 0.5
        if state.rate < LEAST_RATE:
            state.rate, state.s = self.options.learning_rate, state.s + 0.1
        self._restart(state)

    def _restart(self, state: State) -> None:
        state.W, state.iteration = state.kept.copy(), 0
        state.first, state.second = np.zeros_like(state.W), np.zeros_like(state.W)

    def _next_stage(self, state: State) -> None:
        state.ended = state.stage == len(self.options.s) - 1
        if not state.ended:
            state.stage += 1
            state.s, state.rate = self.options.s[state.stage], self.options.learning_rate
            state.kept, state.objective = state.W.copy(), np.inf
            self._restart(state)

    def _score(self, variance: np.ndarray, sigma: np.ndarray) -> float:
        return 0.5 * float((variance / sigma + sigma).sum())

    def _sigma(self, S: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """The best noise scales for given residuals, (d,)."""
        variance = np.einsum("ij,ij->j", residual, S @ residual)
        least = LEAST_SIGMA * np.sqrt(np.diag(S))
        if self.options.noise == "equal":
            variance, least = np.full(len(S), variance.mean()), np.full(len(S), least.mean())
        sigma: np.ndarray = np.maximum(np.sqrt(np.maximum(variance, 0.0)), np.maximum(least, 1e-12))
        return sigma
