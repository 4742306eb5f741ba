"""Implicit-gradient descent for bilevel problems with a free, strongly convex lower level.

    min_{x in X} Phi(x) = F(x, y*(x)),     y*(x) = argmin_y f(x, y)

    grad Phi = F_x - f_xy z,   f_yy z = F_y   at (x, y*(x));      x <- P_X(x + p),   p from -grad Phi

| here | symbol | meaning |
|---|---|---|
| settling.walk.z | (x, y) | y = y*(x) to `accuracy` |
| settling.walk.adjoint | z | adjoint: multipliers of f_y = 0 |
| settling.walk.gradient | grad Phi | hypergradient |
| drift | | constant or decreasing steps of the published algorithms, see `constant_steps` |

The parts are in `solverkit_bilevel.hypergradient`: `answer` (y*), `conjugate_gradients`, `neumann`, `unrolled` (z),
`descent` (x), `settle` (when to claim). All of them know f by gradients and Hessian-vector products, so memory is
linear in n + m.

F, f and their derivatives are evaluated where the problem lives (device, precision); vectors are float64 on the CPU.
"""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context, Solver
from solverkit.kinds.base import Point
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.hypergradient.answer import solve_lower
from solverkit_bilevel.hypergradient.blocks import blocks, shapes_of
from solverkit_bilevel.hypergradient.oracles import Oracles
from solverkit_bilevel.hypergradient.reduced import Effort, Reduced
from solverkit_bilevel.hypergradient.settle import Settler, Settling
from solverkit_bilevel.hypergradient.suitable import check_samples, check_suitable
from solverkit_bilevel.implicit_gradient import constant_steps
from solverkit_bilevel.implicit_gradient.options import ImplicitGradientOptions
from solverkit_bilevel.implicit_gradient.state import Drift, State

NAME = "implicit-gradient"


class ImplicitGradient(Solver[Bilevel, State]):
    """See the module."""

    Options = ImplicitGradientOptions

    def init(self, problem: Bilevel, start: Point, ctx: Context) -> State:
        """At the start, x projected onto X. Raises Unsuitable."""
        options = self.options
        check_suitable(problem, NAME)
        if options.oracles == "samples":
            check_samples(problem, NAME)
        state, z = State(shapes_of(problem)), problem.flat(start)
        z[: problem.n] = problem.upper_set.project(z[: problem.n])
        if options.mode == "paper" or (options.oracles == "samples" and options.stochastic_steps):
            state.drift = constant_steps.begin(problem, z, options)
        else:
            state.settling = self._begin(problem, z, ctx)
        return state

    def step(self, problem: Bilevel, state: State, ctx: Context) -> State:
        """One searched step, or a block of unsearched ones. Raises Stop(STALLED) where nothing descends."""
        if state.settling is not None:
            self._settler(problem, ctx).advance(problem, state.settling, ctx.log)
        else:
            assert state.drift is not None
            self._drift(problem, state, state.drift, ctx)
        return state

    def point(self, state: State) -> Point:
        """Blocks of (x, y)."""
        return blocks(state.z, state.shapes)

    def report(self, state: State) -> dict[str, float]:
        """What is known in this phase. Estimates with constant steps are no merit: the last point is kept."""
        if state.settling is not None:
            return state.settling.report()
        assert state.drift is not None
        drift = state.drift
        known = {} if drift.iterations == 0 else {"estimate": drift.size}
        return known | {"adjoint_residual": drift.left, "iterations": float(drift.iterations)}

    def converged(self, state: State) -> bool:
        """The projected hypergradient is within tol, with y and z exact."""
        return state.settling.claimed if state.settling is not None else state.still

    def finish(self, problem: Bilevel, state: State, ctx: Context) -> State:
        """y to full accuracy at the last x."""
        if state.settling is not None:
            self._settler(problem, ctx).finish(problem, state.settling)
            return state
        assert state.drift is not None
        answer = solve_lower(problem, state.drift.z, self.options.inner_tol, self.options.inner_rounds)
        if np.isfinite(answer.z).all():
            state.drift.z = answer.z
        return state

    # -- the two phases

    def _settler(self, problem: Bilevel, ctx: Context) -> Settler:
        options = self.options
        return Settler.of(
            Reduced(options.solver, options.products, options.inner_rounds, options.memory),
            problem.upper_set,
            problem.n,
            ctx.dtype,
            options.inner_tol,
            options.direction == "quasi-newton",
            options.armijo,
            options.nonmonotone,
            options.second_order,
        )

    def _begin(self, problem: Bilevel, z: np.ndarray, ctx: Context) -> Settling:
        effort = Effort(self.options.terms, self.options.most_terms)
        return self._settler(problem, ctx).begin(problem, z, effort, ctx.tol)

    def _drift(self, problem: Bilevel, state: State, drift: Drift, ctx: Context) -> None:
        """A block of the published steps, and the handover."""
        options, oracles, kept = self.options, Oracles(drift.batches, ctx.rng), drift.z
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is for the driver to see
            for _ in range(options.block):
                constant_steps.advance(problem, drift, options, problem.upper_set, oracles)
        hands_over = options.mode == "production" and options.handover
        if hands_over and not np.isfinite(drift.z).all():
            ctx.log(
                f"stochastic steps diverged by {drift.iterations}; full oracles take over from the last finite point"
            )
            state.settling, state.drift = self._begin(problem, kept, ctx), None
        elif hands_over and drift.iterations >= options.stochastic_steps:
            ctx.log(f"{drift.iterations} stochastic steps done; full oracles take over")
            state.settling, state.drift = self._begin(problem, drift.z, ctx), None
        elif options.oracles == "full":
            state.still = constant_steps.still(problem, drift, ctx.tol)
