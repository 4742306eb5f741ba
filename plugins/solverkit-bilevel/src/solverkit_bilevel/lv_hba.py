"""LV-HBA: bilevel optimization by the proximal Lagrangian value function (ICLR 2024, arXiv 2401.16164).

Problem (optimistic), all rows affine in (x, y), written r = (g, h) for the lower level:

    min_{x, y} F(x, y)   s.t.  x in X,  G(x, y) <= 0,  H(x, y) = 0,   y in argmin_{y in Y} { f(x, y) : g <=
    0, h = 0 }

Iteration of the production schedule, on psi_c = F/c + f - v with v from `envelope` and C from `joint_set`:

    (t, lam) = saddle point of the proximal Lagrangian at (x, y, z)
    w_k+1    = w_k + s (P_C(w_k - a grad psi_c) - w_k)      a: Barzilai-Borwein, s: nonmonotone Armijo
    z_k+1    = P_Z(lam_k+1)                                 the step beta = gamma2, which cannot increase
    psi_c c       <- growth c                                     when R_k <= settle (1 + |grad F|) /
    sqrt(c)

until f - v is small at a settled x; `polish` then removes what is left of the O(1/c) bias. Where x does not settle in
`handover` iterations at one c, and the follower's answer y*(x) is unique and smooth, `descent` takes over on
F(x, y*(x)).

| here | paper | meaning |
|---|---|---|
| w | (x, y) | in C |
| z, lam, d | z, lambda, theta - y | anchor multiplier; saddle point of (V) in `envelope` |
| c | c_k | penalty of psi_c; F is scaled down, the penalty not up |
| gap | f - v_gamma | >= 0 on C; 0 where y solves the lower problem |
| residual | R_k | c (|P_C(w - a grad psi) - w|/a + |lam - z|/gamma2): the projection stands for the normal cone |

What differs from the paper, and why: the saddle point is solved, not followed by one step (the one-step map
is unstable for
|J_y g| much above the curvature of f); rows are normalized; steps are searched; c waits for x (on a fixed schedule it
either freezes x or leaves a bias). `schedule: paper` keeps the original, see `paper_schedule`.

F, f and their derivatives are evaluated where the problem lives (device, precision); rows, projections,
saddles and all vectors are float64 NumPy on the CPU.
"""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context, Solver, Stop
from solverkit.engine.status import Termination
from solverkit.errors import Unsuitable
from solverkit.kinds.base import Point
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.sets import SimpleSet
from solverkit_bilevel import options as defaults
from solverkit_bilevel.descent import Reduced
from solverkit_bilevel.envelope import ProximalLagrangian, Saddle
from solverkit_bilevel.follower import Follower
from solverkit_bilevel.joint_set import JointSet
from solverkit_bilevel.options import LVHBAOptions
from solverkit_bilevel.paper_schedule import run_block
from solverkit_bilevel.polish import polish
from solverkit_bilevel.rows import AffineRows
from solverkit_bilevel.state import State
from solverkit_bilevel.structure import Structure

STEP_RANGE = (1e-10, 1e10)  # of the spectral step
LAST_SETTLE = 1e-3  # R_k / (1 + |grad F|) for a claim
BLOCK, PAPER_BLOCK = 50, 1000  # iterations a step
DESCENT_COST = 5  # iterations that a step of the descent counts for in a block
DESCENDED = 10.0  # tolerances: |projected hypergradient| / (1 + |grad F|) for a claim
SHORTEST = 1e-10  # fraction of a step at which the line search gives up


class LVHBA(Solver[Bilevel, State]):
    """See the module."""

    Options = LVHBAOptions

    def __init__(self, options: LVHBAOptions) -> None:
        super().__init__(options)
        self._problem: Bilevel | None = None  # whose structure the caches below hold
        self._model: ProximalLagrangian
        self._joint: JointSet
        self._rest: AffineRows
        self._reduced: Reduced | None

    # -- protocol

    def init(self, problem: Bilevel, start: Point, ctx: Context) -> State:
        """The start projected onto C. Raises Unsuitable, or Stop(INFEASIBLE) where C is empty."""
        structure = Structure.of(problem)
        self._prepare(problem, structure)
        w, warm = self._joint.first(problem.flat(start))
        model, options = self._model, self.options
        c0 = options.c0 or (defaults.PAPER if options.paper else defaults.PRODUCTION)["c0"]
        shapes = {b.name: list(b.shape) for b in (*problem.upper_blocks, *problem.lower_blocks)}
        zero = np.zeros(model.k)
        s = State(structure, shapes, w, zero, zero.copy(), np.zeros(model.m), warm, c0, c0)
        if options.paper:  # t = y, lambda = z = 0
            s.upper, s.lower, s.upper_slope = problem.upper(w), problem.lower(w), problem.upper_gradient(w)
            s.gap_slope = np.zeros(len(w))
        else:
            s.open_gap = options.gap_tol or ctx.tol
            self._look(problem, s, w)
            self._anchor_multiplier(problem, s)
        s.residual = s.c * float(np.linalg.norm(s.upper_slope / s.c + s.gap_slope))
        return s

    def step(self, problem: Bilevel, state: State, ctx: Context) -> State:
        """A block of iterations."""
        self._prepare(problem, state.structure)
        options = self.options
        count = options.block or (PAPER_BLOCK if options.paper else BLOCK)
        if options.paper:
            run_block(problem, self._model, self._joint, state, options, count)
            state.claimed = state.merit <= (options.paper_tol or ctx.tol)
            return state
        done = 0
        while done < count and not state.claimed:
            if state.descent is None:
                self._iterate(problem, state, ctx)
                done += 1
            else:
                self._descend(problem, state, ctx)
                done += DESCENT_COST
        return state

    def point(self, state: State) -> Point:
        """Blocks of (x, y)."""
        point, offset = {}, 0
        for name, shape in state.shapes.items():
            size = int(np.prod(shape))
            point[name] = state.w[offset : offset + size].reshape(shape).copy()
            offset += size
        return point

    def report(self, state: State) -> dict[str, float]:
        """merit, F, f - v, R_k, c, step, iterations."""
        return {
            "merit": state.merit,
            "objective": state.upper,
            "gap": state.gap,
            "residual": state.residual,
            "c": state.c,
            "step": state.step,
            "iterations": float(state.iterations),
        }

    def converged(self, state: State) -> bool:
        """The lower gap is met and x has settled."""
        return state.claimed

    def finish(self, problem: Bilevel, state: State, ctx: Context) -> State:
        """Polish; what it finds is taken where the lower level was not solved yet, or the merit does not get worse.

        A claim of the descent has no bias to remove and stands."""
        if not self.options.polish or state.polished or (state.descent and state.claimed):
            return state
        self._prepare(problem, state.structure)
        if self._joint.curved:
            return state
        found = polish(problem, state.w, self._rest, state.structure, self._polish_steps(state))
        if found is None:
            ctx.log("polish: the lower KKT system broke down; the last iterate stands")
            return state
        scale = 1 + float(np.linalg.norm(problem.upper_gradient(found.w)))
        if self._joint.rows.violation(found.w) > 1e-8 * (1 + float(np.abs(found.w).max())):
            ctx.log("polish: left the joint feasible set; the last iterate stands")
            return state
        solved = state.gap <= (self.options.gap_tol or ctx.tol) * (1 + abs(state.lower))
        if solved and found.stationarity / scale > max(state.merit, ctx.tol):
            ctx.log(f"polish: stationarity {found.stationarity / scale:.2g} is no better; the last iterate stands")
            return state
        state.w, state.residual, state.polished = found.w, found.stationarity, True
        state.upper, state.lower = problem.upper(found.w), problem.lower(found.w)
        state.upper_slope, state.gap = problem.upper_gradient(found.w), 0.0
        return state

    def _polish_steps(self, s: State) -> int:
        """Newton steps that the polish may take: a share of the iterations so far, so that it does not dwarf the run.

        A run cut short by a limit gives `finish` the time of its greatest step, beyond which all is lost: there a tenth
        of a block, as a Newton step costs two to three iterations.
        """
        whole = s.claimed or s.ended
        share = 50 + s.iterations // 10 if whole else (self.options.block or BLOCK) // 10
        return min(self.options.polish_iterations, share)

    # -- structure

    def _prepare(self, problem: Bilevel, structure: Structure) -> None:
        """Build what follows from problem and options alone; again after a resume."""
        if self._problem is problem:
            return
        n, m = problem.n, problem.m
        curved: list[tuple[slice, SimpleSet]] = []
        parts: list[list[AffineRows]] = [[], []]  # of the lower problem, of the rest
        for level, offset, length, simple in (
            (1, 0, n, problem.upper_set),
            (0, n, m, problem.lower_set),
        ):
            rows = AffineRows.of_set(simple, offset, length, n + m)
            if rows is None:
                curved.append((slice(offset, offset + length), simple))
            else:
                parts[level].append(rows)
        parts[0].append(structure.lower_rows(problem))
        parts[1].append(structure.upper_rows(problem))
        lower, upper = AffineRows.stack(parts[0]), AffineRows.stack(parts[1])
        joint = AffineRows.stack([lower, upper])
        for part, simple in curved:
            if joint.norms(part).any():
                raise Unsuitable(
                    f"method 'lv-hba' projects onto all constraints together; problem {problem.name!r} has rows "
                    f"through variables of a {type(simple).__name__.lower()}. Give that set as rows or bounds"
                )
        self._rest = AffineRows.stack([upper, lower.take(np.flatnonzero(lower.norms(slice(n, None)) == 0))])
        self._joint = JointSet(joint, curved)
        self._reduced = self._build_reduced(problem, structure)
        y_curved = any(part.start == n for part, _ in curved)
        self._model = self._build_model(problem, structure, y_curved)
        self._problem = problem

    def _build_reduced(self, problem: Bilevel, structure: Structure) -> Reduced | None:
        """F(x, y*(x)) where x lives in a box and nothing else binds the leader."""
        n = problem.n
        bounds = JointSet(self._rest).bounds
        if bounds is None or self._joint.curved or problem.upper_constraints.count or not self.options.handover:
            return None
        return Reduced(problem, Follower(problem, structure), bounds[0][:n], bounds[1][:n])

    def _build_model(self, problem: Bilevel, structure: Structure, y_curved: bool) -> ProximalLagrangian:
        options = self.options
        table = defaults.PAPER if options.paper else defaults.PRODUCTION
        first_order = "descent-ascent" if options.paper else "extragradient"
        inner = options.inner or (first_order if options.paper or y_curved else "exact")
        if inner == "exact" and y_curved:
            raise Unsuitable(
                f"inner=exact needs a polyhedral Y; that of {problem.name!r} is curved: use inner=extragradient"
            )
        gamma2 = options.gamma2 or (10.0 if inner != "exact" else table["gamma2"])
        return ProximalLagrangian(
            problem,
            structure,
            gamma1=options.gamma1 or table["gamma1"],
            gamma2=gamma2,
            inner=inner,
            normalize=not options.paper if options.normalize is None else options.normalize,
            bound=options.multiplier_bound or table.get("multiplier_bound"),
            tolerance=options.inner_tol,
            iterations=options.inner_iterations,
            eta=options.eta or (0.01 if options.paper else None),
        )

    # -- one production iteration

    def _look(self, problem: Bilevel, s: State, w: np.ndarray) -> None:
        """Evaluate everything at w: F, f, their gradients, the saddle point."""
        s.w, s.upper, s.lower = w, problem.upper(w), problem.lower(w)
        s.upper_slope = problem.upper_gradient(w)
        self._take(s, self._saddle(problem, s, w, s.lower, problem.lower_gradient(w)))

    def _saddle(self, problem: Bilevel, s: State, w: np.ndarray, f: float, slope: np.ndarray) -> Saddle:
        return self._model.saddle(problem, w, f, slope, s.z, s.lam, s.d)

    def _take(self, s: State, found: Saddle) -> None:
        s.lam, s.d, s.gap, s.gap_slope = found.lam, found.d, found.gap, found.slope

    def _anchor_multiplier(self, problem: Bilevel, s: State) -> None:
        """z <- lam, and the saddle point there."""
        anchor = self._model.clip(s.lam)
        if np.array_equal(anchor, s.z):
            return
        s.z = anchor
        self._take(s, self._saddle(problem, s, s.w, s.lower, problem.lower_gradient(s.w)))

    def _iterate(self, problem: Bilevel, s: State, ctx: Context) -> None:
        """One projected step with its line search, or the next level where x has settled."""
        slope = s.upper_slope / s.c + s.gap_slope
        target, s.warm = self._joint.project(s.w - s.step * slope, s.warm)
        direction = target - s.w
        length = float(np.linalg.norm(direction))
        s.residual = s.c * (length / s.step + float(np.linalg.norm(s.lam - s.z)) / self._model.gamma2)
        scale = 1 + float(np.linalg.norm(s.upper_slope))
        settle = self.options.settle / np.sqrt(s.c)
        if s.gap <= (self.options.gap_tol or ctx.tol) * (1 + abs(s.lower)):  # the last level
            settle = min(settle, LAST_SETTLE)
        if s.level_iterations and s.residual <= settle * scale:
            self._next_level(problem, s, ctx)
            return
        if s.level_iterations >= self.options.settle_iterations:
            ctx.log(f"c = {s.c:g}: x has not settled after {s.level_iterations} iterations, R = {s.residual:.2g}")
            self._next_level(problem, s, ctx)
            return
        if self._reduced and s.level_iterations == self.options.handover and self._reduced.begin(problem, s):
            ctx.log(f"c = {s.c:g}: x has not settled after {s.level_iterations} iterations; F(x, y*(x)) takes over")
            return
        s.iterations += 1
        s.level_iterations += 1
        if self._search(problem, s, slope, direction, ctx):
            s.stuck = False
        elif s.stuck:  # rounding is all that is left at this c
            self._next_level(problem, s, ctx)
        else:
            s.stuck, s.step, s.history = True, 1.0, []

    def _search(self, problem: Bilevel, s: State, slope: np.ndarray, direction: np.ndarray, ctx: Context) -> bool:
        """Backtrack along `direction`, move, set z and the next spectral step; False where no step is accepted."""
        options, descent = self.options, float(slope @ direction)
        psi = s.upper / s.c + s.gap
        s.history = [*s.history, psi][-options.memory :]
        noise = 10 * float(np.finfo(ctx.dtype).eps) * (abs(s.upper) / s.c + abs(s.lower))
        level, size = max(s.history) + noise, 1.0
        while True:
            w = s.w + size * direction
            upper, lower, lower_slope = problem.upper(w), problem.lower(w), problem.lower_gradient(w)
            found = self._saddle(problem, s, w, lower, lower_slope)
            if upper / s.c + found.gap <= level + options.armijo * size * descent:
                break
            size *= 0.5
            if size < SHORTEST:
                return False
        moved = w - s.w
        s.w, s.upper, s.lower, s.upper_slope = w, upper, lower, problem.upper_gradient(w)
        self._take(s, found)
        anchor = self._model.clip(s.lam)
        if not np.array_equal(anchor, s.z):
            s.z = anchor
            self._take(s, self._saddle(problem, s, w, lower, lower_slope))
        turned = s.upper_slope / s.c + s.gap_slope - slope
        curvature = float(moved @ turned)
        longer = min(10 * s.step, STEP_RANGE[1])
        s.step = float(np.clip(moved @ moved / curvature, *STEP_RANGE)) if curvature > 0 else longer
        return True

    def _next_level(self, problem: Bilevel, s: State, ctx: Context) -> None:
        """Claim, or grow c and predict where x settles next. Raises Stop(STALLED) at c_max."""
        options = self.options
        gap_tol = options.gap_tol or ctx.tol
        if s.gap <= gap_tol * (1 + abs(s.lower)):
            s.claimed = True
            return
        if s.c * options.growth > options.c_max:
            s.ended = True
            raise Stop(
                Termination.STALLED,
                f"c has reached {s.c:g} and the lower gap is {s.gap:.2g}: the lower problem may not be convex in "
                "y, or has no multiplier; try a smaller gamma1, or a larger c_max",
            )
        last, anchor = s.w, s.anchor
        s.anchor, s.c = last, s.c * options.growth
        s.history, s.level_iterations, s.stuck = [], 0, False
        if options.predict and anchor is not None:
            w, s.warm = self._joint.project(last + (last - anchor) / options.growth, s.warm)
            self._look(problem, s, w)

    def _descend(self, problem: Bilevel, s: State, ctx: Context) -> None:
        """One step on F(x, y*(x)). Raises Stop(STALLED) where none descends, or the last is done."""
        assert self._reduced is not None
        assert s.descent is not None
        if s.residual <= DESCENDED * ctx.tol * (1 + float(np.linalg.norm(s.upper_slope))):
            s.claimed = True
            return
        why = ""
        if s.descent.iterations >= self.options.descent_iterations:
            why = "the last step of `descent_iterations` is done"
        elif self._reduced.crawls(s.descent) or not self._reduced.advance(problem, s, self.options.armijo):
            why = "steps no longer lower F(x, y*(x)): x is at a kink, or rounding is all that is left"
        if why:
            s.ended = True
            raise Stop(Termination.STALLED, f"{why}; its projected gradient is {s.residual:.2g}")
        s.iterations += 1
        s.descent.iterations += 1
