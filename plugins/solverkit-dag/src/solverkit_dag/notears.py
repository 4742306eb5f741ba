"""NOTEARS for linear models: acyclicity as a smooth equation, by the augmented Lagrangian.

    min_W (1/2) tr((I - W)'S(I - W)) + lambda1 |W|_1   s.t.  h(W) = tr exp(W * W) - d = 0

    W_k = argmin f + (rho / 2) h^2 + alpha h   by L-BFGS-B over W = W+ - W-, W+, W- >= 0
    rho <- 10 rho while h(W_k) > h(W_{k-1}) / 4;   alpha <- alpha + rho h(W_k)

(Zheng, Aragam, Ravikumar and Xing, NeurIPS 2018.) Samples enter by S alone.

| here | paper, its code | meaning |
|---|---|---|
| lambda1 | lambda_1 | see the options |
| alpha, rho | alpha, rho | multiplier and penalty of h |

One step is one minimization at one rho. The point is always the graph that is left of W: see `acyclicity.to_dag`. A
thresholded W is no optimum of anything, so the method claims one only where the closed forms find no better neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from solverkit.kinds.base import Point
from solverkit.kinds.dag.problem import Dag
from solverkit.plugin import Context, Solver, Stop, Termination
from solverkit_dag.acyclicity import exponential, to_dag
from solverkit_dag.options.notears import NotearsOptions
from solverkit_dag.regression import as_point, refit


@dataclass
class State:
    """The iterate, and the graph that is left of it."""

    W: np.ndarray  # (d, d)
    answer: np.ndarray  # (d, d) acyclic
    priority: np.ndarray  # (d,) the start's order, for ties
    h: float = np.inf
    alpha: float = 0.0
    rho: float = 1.0
    score: float = np.inf
    iterations: int = 0
    ended: bool = False


class Notears(Solver[Dag, State]):
    """See the module."""

    Options = NotearsOptions

    def init(self, problem: Dag, start: Point, ctx: Context) -> State:
        """At the start's weights."""
        W = np.array(start["W"], dtype=float)
        state = State(W, to_dag(W, 0.0, problem.known.required), np.argsort(start["order"]).astype(float))
        state.score = problem.score_of(state.answer)
        return state

    def step(self, problem: Dag, state: State, ctx: Context) -> State:
        """One minimization; rho grows where h has not fallen enough."""
        if state.ended:
            told = f"h = {state.h:.3g} at rho = {state.rho:.3g}, and {np.count_nonzero(state.answer)} edges are left"
            raise Stop(
                Termination.STALLED, f"done: {told}; topological-swaps started here refines them", self.point(state)
            )
        found, h = self._minimize(problem, state)
        if h > self.options.progress * state.h and state.rho < self.options.rho_max:
            state.rho *= self.options.growth  # the same W is the next start: the reference drops this one
        else:
            state.alpha += state.rho * h
            state.W, state.h = found, h
        if not np.isfinite(found).all():
            state.score = np.nan
            return state
        state.ended = state.h <= self.options.h_tol or state.rho >= self.options.rho_max
        state.answer = to_dag(found, self.options.w_threshold, problem.known.required)
        if self.options.refit:
            state.answer = refit(problem.gram, (state.answer != 0) | problem.known.required)
        state.score = problem.score_of(state.answer)
        ctx.charge("nsolve", 1)
        return state

    def point(self, state: State) -> Point:
        """The graph that is left, and an order of it."""
        return as_point(state.answer, state.priority)

    def report(self, state: State) -> dict[str, float]:
        """No merit, but for a NaN that the run must see: earlier graphs have more edges and lower scores."""
        fault = {"merit": state.score} if np.isnan(state.score) else {}
        return fault | {"objective": state.score, "h": min(state.h, 1e300), "rho": state.rho, "alpha": state.alpha}

    def converged(self, state: State) -> bool:
        """Never: what is left after a threshold is for the certificate to judge."""
        return False

    def _minimize(self, problem: Dag, state: State) -> tuple[np.ndarray, float]:
        """(W, h) at the state's rho and alpha."""
        d, rho, alpha = problem.d, state.rho, state.alpha
        lambda1 = self._lambda1(problem)
        identity = np.eye(d)

        def value(both: np.ndarray) -> tuple[float, np.ndarray]:
            W = (both[: d * d] - both[d * d :]).reshape(d, d)
            product = -problem.score_gradient(W)  # S (I - W), counted, so that limits can end a long minimization
            fit = 0.5 * float(np.vdot(identity - W, product))
            h, slope = exponential(W)
            smooth = (-product + (rho * h + alpha) * slope).ravel()
            total = fit + 0.5 * rho * h * h + alpha * h + lambda1 * float(both.sum())
            return total, np.concatenate([smooth + lambda1, lambda1 - smooth])

        closed = problem.known.forbidden | identity.astype(bool)
        bounds = [(0.0, 0.0) if shut else (0.0, None) for shut in closed.ravel()] * 2
        start = np.concatenate([np.maximum(state.W, 0).ravel(), np.maximum(-state.W, 0).ravel()])
        limits = {"maxiter": self.options.inner_iterations}
        found = minimize(value, start, jac=True, method="L-BFGS-B", bounds=bounds, options=limits)
        state.iterations += int(found.nit)
        W = (found.x[: d * d] - found.x[d * d :]).reshape(d, d)
        return W, exponential(W)[0]

    def _lambda1(self, problem: Dag) -> float:
        if self.options.lambda1 is not None:
            return self.options.lambda1
        return problem.l1 or 0.1
