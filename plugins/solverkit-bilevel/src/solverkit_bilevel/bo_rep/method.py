"""BO-REP: bilevel optimization under unbounded smoothness (Hao, Gong, Liu, ICLR 2024, arXiv 2401.09587).

    min_{x in X} Phi(x) = E F(x, y*(x); xi),     y*(x) = argmin_y E f(x, y; zeta),   f strongly convex in y

F may have curvature that grows with its gradient (exponentials, recurrent networks): a step proportional to the
gradient is then too long wherever it matters, a normalized one is not.

    `refinement`  y_0 by EpochSGD in shrinking balls, once
    `iteration`   normalized momentum for x, N projected steps for y every I of them, one step of f_yy z = F_y
    `hypergradient.settle`   production, after `handover` steps: full oracles, y and z exact, line-searched x

| here | paper | meaning |
|---|---|---|
| loop.point | (x_t, y_t) | |
| loop.z | z_t | adjoint |
| loop.m | m_t | momentum of the hypergradient |
| upper, lower | f, g | objectives; here F and f |

Memory is linear in n + m, whatever N and I: no trajectory is kept.

Deviations of the authors' scripts are not copied: there y is neither refined, projected nor averaged, gradients
accumulate over the N steps, and one batch serves several oracles.
"""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context, Solver, Stop
from solverkit.engine.status import Termination
from solverkit.errors import Unsuitable
from solverkit.kinds.base import Point
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.bo_rep.iteration import advance, diverges, stable
from solverkit_bilevel.bo_rep.options import PAPER, BORepOptions
from solverkit_bilevel.bo_rep.refinement import first_radius, refine
from solverkit_bilevel.bo_rep.state import Loop, State
from solverkit_bilevel.hypergradient.answer import solve_lower
from solverkit_bilevel.hypergradient.blocks import blocks, shapes_of
from solverkit_bilevel.hypergradient.conjugate_gradients import conjugate_gradients
from solverkit_bilevel.hypergradient.oracles import Batches, Oracles
from solverkit_bilevel.hypergradient.products import largest_curvature, lower_products
from solverkit_bilevel.hypergradient.reduced import Effort, Reduced
from solverkit_bilevel.hypergradient.settle import Settler
from solverkit_bilevel.hypergradient.suitable import check_samples, check_suitable

NAME = "bo-rep"
SLOWER = 0.95  # of the window before, above which the momentum no longer gets smaller


class BORep(Solver[Bilevel, State]):
    """See the module."""

    Options = BORepOptions

    def init(self, problem: Bilevel, start: Point, ctx: Context) -> State:
        """At the start, x projected onto X, steps chosen. Raises Unsuitable, for nu >= 2/L in paper mode too."""
        options = self.options
        check_suitable(problem, NAME)
        if options.oracles == "samples":
            check_samples(problem, NAME)
        point = problem.flat(start)
        point[: problem.n] = problem.upper_set.project(point[: problem.n])
        batches = Batches() if options.oracles == "full" else Batches.of(problem, options.batch)
        largest, along = largest_curvature(lower_products(problem, point), np.ones(problem.m))
        steps = self._steps(problem, largest, ctx)
        radius = options.epoch_radius or first_radius(problem, point, Oracles(batches, ctx.rng))
        zero = np.zeros(problem.m)
        loop = Loop(point, zero, np.zeros(problem.n), batches, *steps, radius, largest, along)
        if not options.refine:
            loop.epoch, loop.radius = options.epochs, options.radius or radius
        return State(shapes_of(problem), loop)

    def step(self, problem: Bilevel, state: State, ctx: Context) -> State:
        """An epoch of the refinement, a block of steps of x, or one searched step."""
        if state.settling is not None:
            self._settler(problem, ctx).advance(problem, state.settling, ctx.log)
            return state
        loop, options = state.loop, self.options
        assert loop is not None
        oracles = Oracles(loop.batches, ctx.rng)
        if loop.epoch < options.epochs:
            refine(problem, loop, options, oracles, self._average(loop))
            if loop.epoch == options.epochs and options.radius is not None:
                loop.radius = options.radius
            return state
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is for the driver to see
            for _ in range(options.block):
                advance(problem, loop, options, problem.upper_set, oracles, self._average(loop))
                if diverges(loop):
                    self._tame(problem, loop, ctx)
        if self._hands_over(loop):
            ctx.log(f"{loop.t} steps of x done, |m| is {loop.size:.2g}; full oracles take over")
            effort = Effort(1, 1)
            state.settling = self._settler(problem, ctx).begin(problem, loop.point, effort, ctx.tol)
            state.loop = None
        return state

    def point(self, state: State) -> Point:
        """Blocks of (x, y)."""
        return blocks(state.z, state.shapes)

    def report(self, state: State) -> dict[str, float]:
        """|m|, |f_yy z - F_y|, R, nu; after the handover the exact residuals, with a merit.

        Before it there is none, so that the last point is kept: m is noisy, and small where z has yet to grow."""
        if state.settling is not None:
            return state.settling.report()
        loop = state.loop
        assert loop is not None
        known = {} if loop.t == 0 else {"momentum": loop.size}
        return known | {
            "adjoint_residual": loop.left,
            "radius": loop.radius,
            "nu": loop.nu,
            "curvature": loop.bend,
            "iterations": float(loop.t),
        }

    def converged(self, state: State) -> bool:
        """After the handover alone: a mean of noisy estimates proves nothing."""
        return state.settling is not None and state.settling.claimed

    def finish(self, problem: Bilevel, state: State, ctx: Context) -> State:
        """y to full accuracy at the last x."""
        if state.settling is not None:
            self._settler(problem, ctx).finish(problem, state.settling)
            return state
        loop = state.loop
        assert loop is not None
        scale = min(1.0, loop.largest * (1 + float(np.abs(loop.point[problem.n :]).max(initial=0.0)))) or 1.0
        answer = solve_lower(problem, loop.point, self.options.inner_tol * scale)
        if not np.isfinite(answer.z).all():
            return state
        loop.point = answer.z
        slope = problem.upper_gradient(answer.z)
        found = conjugate_gradients(
            lower_products(problem, answer.z), slope[problem.n :], problem.n, loop.z, self.options.inner_tol
        )
        x = answer.z[: problem.n]
        moved = problem.upper_set.project(x - slope[: problem.n] + found.cross) - x
        ctx.log(f"the projected hypergradient at the last x, y and z exact, is {np.abs(moved).max(initial=0.0):.2g}")
        return state

    # -- parts

    def _steps(self, problem: Bilevel, largest: float, ctx: Context) -> tuple[float, float, float]:
        """eta, gamma, nu. Raises Unsuitable where the paper's nu cannot work."""
        options, paper = self.options, self.options.mode == "paper"
        eta = options.eta or (PAPER["eta"] if paper else 0.05 * float(np.sqrt(problem.n)))
        gamma = options.gamma or (PAPER["gamma"] if paper else None)
        nu = options.nu or (PAPER["nu"] if paper else None)
        if nu is not None and stable(nu, largest) != nu:
            what = f"nu = {nu:g} is not below 2/L = {2 / largest:.3g}: z would diverge"
            if paper:
                raise Unsuitable(
                    f"method '{NAME}', problem {problem.name!r}: {what}. Set nu below it, or mode=production"
                )
            ctx.log(f"{what}; nu = {1 / largest:.3g} is taken")
        if gamma is not None and stable(gamma, largest) != gamma:
            taken = "its ball is all that holds y" if paper else f"gamma = {1 / largest:.3g} is taken"
            ctx.log(f"gamma = {gamma:g} is not below 2/L = {2 / largest:.3g}: {taken}")
        if paper:
            assert gamma is not None
            assert nu is not None
            return eta, gamma, nu
        return eta, stable(gamma, largest), stable(nu, largest)

    def _average(self, loop: Loop) -> bool:
        if self.options.average is not None:
            return self.options.average
        return self.options.mode == "paper" or loop.batches.lower is not None

    def _tame(self, problem: Bilevel, loop: Loop, ctx: Context) -> None:
        """z has run away: L is larger here. Production measures it again; paper ends with Stop(STALLED)."""
        loop.largest, loop.along = largest_curvature(lower_products(problem, loop.point), loop.along)
        what = f"z diverges after {loop.t} steps: nu = {loop.nu:.3g}, and 2/L is {2 / loop.largest:.3g} where x is now"
        if self.options.mode == "paper":
            raise Stop(Termination.STALLED, f"{what}. Set a smaller nu, or mode=production")
        loop.nu, loop.gamma = min(loop.nu / 2, 1 / loop.largest), min(loop.gamma, 1 / loop.largest)
        loop.z, loop.left = np.zeros_like(loop.z), 0.0
        ctx.log(f"{what}; nu = {loop.nu:.3g} is taken, and z begins anew")

    def _hands_over(self, loop: Loop) -> bool:
        options = self.options
        if options.mode == "paper" or not options.handover:
            return False
        flat = len(loop.windows) == 2 and loop.windows[1] >= SLOWER * loop.windows[0]
        return loop.t >= options.handover or flat

    def _settler(self, problem: Bilevel, ctx: Context) -> Settler:
        options = self.options
        return Settler.of(
            Reduced("cg", options.products),
            problem.upper_set,
            problem.n,
            ctx.dtype,
            options.inner_tol,
            second_order=options.second_order,
        )
