"""Implicit-gradient descent for bilevel problems with a free, strongly convex lower level.

    min_{x in X} Phi(x) = F(x, y*(x)),     y*(x) = argmin_y f(x, y)

    grad Phi = F_x - f_xy z,   f_yy z = F_y   at (x, y*(x));      x <- P_X(x + p),   p from -grad Phi

| here | symbol | meaning |
|---|---|---|
| walk.z | (x, y) | y = y*(x) to `accuracy` |
| walk.adjoint | z | adjoint: multipliers of f_y = 0 |
| walk.gradient | grad Phi | hypergradient |
| drift | | constant or decreasing steps of the published algorithms, see `constant_steps` |

The parts are in `solverkit_bilevel.hypergradient`: `answer` (y*), `conjugate_gradients`, `neumann`, `unrolled` (z),
`descent` (x). All of them know f by gradients and Hessian-vector products, so memory is linear in n + m.

F, f and their derivatives are evaluated where the problem lives (device, precision); vectors are float64 on the CPU.
"""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context, Solver, Stop
from solverkit.engine.status import Termination
from solverkit.kinds.base import Point
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.hypergradient.answer import solve_lower
from solverkit_bilevel.hypergradient.blocks import blocks, shapes_of
from solverkit_bilevel.hypergradient.bounds import as_box
from solverkit_bilevel.hypergradient.descent import Descent, Walk
from solverkit_bilevel.hypergradient.oracles import Oracles
from solverkit_bilevel.hypergradient.reduced import Effort, Reduced
from solverkit_bilevel.hypergradient.saddle import escape
from solverkit_bilevel.hypergradient.suitable import check_samples, check_suitable
from solverkit_bilevel.implicit_gradient import constant_steps
from solverkit_bilevel.implicit_gradient.options import ImplicitGradientOptions
from solverkit_bilevel.implicit_gradient.state import State

SERIES_TOL = 1e-8  # finest accuracy of neumann and unroll
ESCAPES = 5  # from saddle points
SOLVED = 1e-8  # of the lower level and the adjoint system, relative, for a claim


class ImplicitGradient(Solver[Bilevel, State]):
    """See the module."""

    Options = ImplicitGradientOptions

    def init(self, problem: Bilevel, start: Point, ctx: Context) -> State:
        """At the start, x projected onto X. Raises Unsuitable."""
        options = self.options
        check_suitable(problem, "implicit-gradient")
        if options.oracles == "samples":
            check_samples(problem, "implicit-gradient")
        state = State(shapes_of(problem), tol=ctx.tol)
        z = problem.flat(start)
        z[: problem.n] = problem.upper_set.project(z[: problem.n])
        if options.mode == "paper" or (options.oracles == "samples" and options.stochastic_steps):
            state.drift = constant_steps.begin(problem, z, options)
        else:
            state.walk = self._begin(problem, z, ctx)
            state.least = state.walk.relative
        return state

    def step(self, problem: Bilevel, state: State, ctx: Context) -> State:
        """One searched step, or a block of unsearched ones. Raises Stop(STALLED) where nothing descends."""
        if state.drift is not None:
            self._drift(problem, state, ctx)
            return state
        assert state.walk is not None
        self._advance(problem, state, state.walk, ctx)
        relative = state.walk.relative
        state.least = relative if np.isnan(relative) else min(state.least, relative)
        return state

    def point(self, state: State) -> Point:
        """Blocks of (x, y)."""
        return blocks(state.z, state.shapes)

    def report(self, state: State) -> dict[str, float]:
        """merit, F, projected hypergradient, |f_y|, residual of the adjoint system, step."""
        if state.walk is None:
            assert state.drift is not None
            drift = state.drift
            return {"merit": drift.size, "adjoint_residual": drift.left, "iterations": float(drift.iterations)}
        walk = state.walk
        return {
            "merit": state.least,
            "objective": walk.upper,
            "hypergradient": walk.residual,
            "lower_residual": float(np.linalg.norm(walk.slope)),
            "adjoint_residual": walk.adjoint_error,
            "accuracy": walk.accuracy,
            "iterations": float(walk.iterations),
        }

    def converged(self, state: State) -> bool:
        """The projected hypergradient is within tol, with y and z exact."""
        return state.claimed

    def finish(self, problem: Bilevel, state: State, ctx: Context) -> State:
        """y to full accuracy at the last x."""
        z = state.z
        scale = state.walk.lower_scale if state.walk is not None else 1.0
        answer = solve_lower(problem, z, self.options.inner_tol * scale, self.options.inner_rounds)
        if not np.isfinite(answer.z).all():
            return state
        if state.walk is not None:
            state.walk.z, state.walk.slope = answer.z, answer.slope
        else:
            assert state.drift is not None
            state.drift.z = answer.z
        return state

    # -- production

    def _descent(self, problem: Bilevel, ctx: Context) -> Descent:
        options = self.options
        region = as_box(problem.upper_set, problem.n)
        rounding = 5 * float(np.finfo(ctx.dtype).eps)
        finest = max(options.inner_tol, 0.0 if options.solver == "cg" else SERIES_TOL, rounding)
        descent = Descent(
            Reduced(options.solver, options.products, options.inner_rounds, options.memory),
            region,
            options.direction == "quasi-newton",
            armijo=options.armijo,
            finest=finest,
            rounding=rounding,
            memory=options.nonmonotone or 1,
        )
        if options.nonmonotone is None and not descent.metric:
            return descent.remembering(10)
        return descent

    def _begin(self, problem: Bilevel, z: np.ndarray, ctx: Context) -> Walk:
        return self._descent(problem, ctx).begin(problem, z, Effort(self.options.terms, self.options.most_terms))

    def _advance(self, problem: Bilevel, state: State, walk: Walk, ctx: Context) -> None:
        """One step of x, or better y and z at the same x, and the claim where both are good."""
        descent = self._descent(problem, ctx)
        if walk.relative > state.tol and not descent.advance(problem, walk):
            if walk.accuracy <= descent.finest:
                state.ended = True
                raise Stop(Termination.STALLED, self._why(walk))
            descent.refresh(problem, walk, descent.finest)
        if walk.relative <= state.tol and walk.accuracy > descent.finest:
            descent.refresh(problem, walk, descent.finest)
        self._lengthen(problem, descent, walk, ctx)
        if walk.least <= 0:
            raise Stop(
                Termination.STALLED,
                f"f_yy has no positive curvature ({walk.least:.2g}) along the adjoint system at y*(x): the lower level "
                "is not strongly convex there, and the hypergradient does not exist. Add a proximal term in y, or take "
                "a method for merely convex lower levels",
            )
        solved = float(np.linalg.norm(walk.slope)) <= 10 * max(SOLVED, descent.finest) * walk.lower_scale
        exact = walk.adjoint_error <= 10 * max(SOLVED, descent.finest)
        if walk.relative <= state.tol and walk.accuracy <= descent.finest:
            if not (solved and exact):
                raise Stop(Termination.STALLED, self._why(walk))
            rest = self.options.second_order if state.escapes < ESCAPES else 0
            if rest and escape(problem, descent, walk, rest):
                state.escapes += 1
                state.least = walk.relative
                ctx.log(f"the hypergradient vanished at a saddle point; F(x, y*(x)) falls on to {walk.upper:.6g}")
                return
            state.claimed = True

    def _lengthen(self, problem: Bilevel, descent: Descent, walk: Walk, ctx: Context) -> None:
        """unroll: twice the inner steps while they leave more than `accuracy` of y or z."""
        effort = walk.effort
        if self.options.solver != "unroll":
            return
        while effort.terms < effort.most_terms and not descent.exact(walk):
            effort.terms = min(2 * effort.terms, effort.most_terms)
            descent.refresh(problem, walk, walk.accuracy)

    def _why(self, walk: Walk) -> str:
        lower = float(np.linalg.norm(walk.slope))
        return (
            f"steps no longer lower F(x, y*(x)); its projected gradient is {walk.residual:.2g}, |f_y| is {lower:.2g}, "
            f"the adjoint system is solved to {walk.adjoint_error:.2g}: rounding, a lower level that is nearly "
            "singular, or too few products or most_terms"
        )

    # -- published steps

    def _drift(self, problem: Bilevel, state: State, ctx: Context) -> None:
        options, drift = self.options, state.drift
        assert drift is not None
        oracles = Oracles(drift.batches, ctx.rng)
        for _ in range(options.block):
            constant_steps.advance(problem, drift, options, problem.upper_set, oracles)
        over = options.mode == "production" and options.handover and drift.iterations >= options.stochastic_steps
        if over:
            ctx.log(f"{drift.iterations} stochastic steps done; full oracles take over")
            state.walk, state.drift = self._begin(problem, drift.z, ctx), None
            state.least = state.walk.relative
        elif options.oracles == "full":
            scale = 1 + float(np.linalg.norm(drift.gradient))
            lower = float(np.linalg.norm(problem.lower_gradient(drift.z)[problem.n :]))
            state.claimed = drift.size / scale <= state.tol and lower <= state.tol and drift.left <= 1e-3
