"""`bsvrb`: bilevel problems with many lower problems that share x (Hu, Qiu, Guo, Zhang, Yang; ICML 2023, 2305.18730).

    min_{x in X} (1/m) sum_i f_i(x, y_i*(x)),     y_i*(x) = argmin_y g_i(x, y),     g_i strongly convex in y

Two stages in production. First the sampled steps of `sampled`, which touch |I| blocks each; then `exact`: L-BFGS on
F(x, y*(x)) with every lower problem solved, which is what a certificate asks for. `mode: paper` has the first alone,
with the paper's constants.

| here | paper | meaning |
|---|---|---|
| z = (x, y), v | x, y_i, v_i | all blocks in flat vectors; y of shape (m, k) is sampled by its leading axis |
| sample | |I| | blocks a step |
| momentum | z_t | estimate of the hypergradient |
"""

from __future__ import annotations

from copy import deepcopy

import numpy as np

from solverkit.engine.solver import Context, Solver, Stop
from solverkit.engine.status import Termination
from solverkit.kinds.base import Point
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.blocks.exact import read
from solverkit_bilevel.blocks.layout import NAME, Layout
from solverkit_bilevel.blocks.options import BSVRBOptions
from solverkit_bilevel.blocks.sampled import Sampled
from solverkit_bilevel.blocks.state import EXACT, State
from solverkit_bilevel.penalty.domains import domain, own_rows
from solverkit_bilevel.penalty.exact import Exact
from solverkit_bilevel.penalty.projected import NOISE, Domain, Walk, advance

BLOCK = 50  # sampled steps a step of the driver
ROUGH = 1e-4  # accuracy of the lower solutions before the first step
FINE = 1e-11  # and of those of the finish
LOOSE = 10.0  # tolerances, for a claim where rounding ended the descent
PATIENCE = 20  # steps in which the residual must fall by a tenth
PROBE = 1e-3  # relative length of the step that looks for the curvature of F(x, y*(x))
BURST = 100.0  # growth of the hypergradient's estimate within a step of the driver that says: eta is too long
RETRIES = 6  # such steps are taken back and eta is divided by SHORTER, so often at most
SHORTER = 8.0


class BSVRB(Solver[Bilevel, State]):
    """See the module."""

    Options = BSVRBOptions

    def __init__(self, options: BSVRBOptions) -> None:
        super().__init__(options)
        self._problem: Bilevel | None = None  # whose structure the caches below hold
        self._layout: Layout
        self._sampled: Sampled
        self._x: Domain
        self._y: Domain

    # -- protocol

    def init(self, problem: Bilevel, start: Point, ctx: Context) -> State:
        """The start projected onto X; in production with every lower problem solved. Raises Unsuitable where the lower
        level does not fall into blocks."""
        layout = Layout(problem)
        rows = list(own_rows(problem, NAME))
        shapes = {b.name: list(b.shape) for b in (*problem.upper_blocks, *problem.lower_blocks)}
        z = problem.flat(start)
        layout.check(problem, z, ctx.rng)
        none, zero = np.zeros(0, dtype=np.int64), np.zeros(len(z))
        state = State(shapes, problem.n, rows, ctx.tol, z, z.copy(), zero, zero.copy(), none)
        self._prepare(problem, state)
        z[: problem.n] = self._x.project(z[: problem.n])
        self._sampled.begin(state)
        if not self.options.paper:
            self._first(problem, state)
        state.before, state.v_before = state.z.copy(), state.v.copy()
        return state

    def step(self, problem: Bilevel, state: State, ctx: Context) -> State:
        """A block of sampled steps, or one exact step."""
        self._prepare(problem, state)
        if state.phase == EXACT:
            self._descend(problem, state, ctx)
            return state
        sampled, options = self._sampled, self.options
        epoch = -(-self._layout.count // sampled.b)
        kept = None if options.paper or state.retries >= RETRIES else deepcopy(state)
        for _ in range(options.block or min(BLOCK, epoch)):
            sampled.step(problem, state, ctx.rng)
        if kept is not None and _burst(kept, state):
            return _shortened(kept, ctx)
        if not options.paper and state.t >= options.epochs * epoch:
            if not options.finish:
                raise Stop(Termination.MAX_ITER, f"{options.epochs:g} epochs are done and finish is off")
            if not self._hand_over(problem, state, ctx):
                if kept is None:
                    raise Stop(
                        Termination.STALLED, "a lower problem is not strongly convex: no exact hypergradient there"
                    )
                return _shortened(kept, ctx)
        return state

    def point(self, state: State) -> Point:
        """Blocks of (x, y)."""
        point, offset = {}, 0
        for name, shape in state.shapes.items():
            size = int(np.prod(shape))
            point[name] = state.z[offset : offset + size].reshape(shape).copy()
            offset += size
        return point

    def report(self, state: State) -> dict[str, float]:
        """merit, residual, sampled steps; F in the exact stage."""
        out = {"merit": state.merit, "residual": state.residual, "sampled_steps": float(state.t)}
        return out | ({"objective": state.upper} if np.isfinite(state.upper) else {})

    def converged(self, state: State) -> bool:
        """x is stationary for F(x, y*(x)) in the exact stage."""
        return state.claimed

    # -- the two stages

    def _first(self, problem: Bilevel, state: State) -> None:
        """All lower problems solved, and the curvature of F(x, y*(x)) along one step of x."""
        n = problem.n
        lower = Walk(state.z[n:].copy(), np.nan, np.zeros(problem.m))
        found = self._read(problem, state.z[:n].copy(), lower, np.zeros(problem.m), ROUGH)
        if found is None:
            raise Stop(
                Termination.STALLED,
                "a lower problem is not strongly convex at the start: `bsvrb` inverts the Hessian of each block",
            )
        state.z[n:], state.v[n:], state.size = found.walk.v, found.adjoint, found.size
        state.momentum = found.gradient.copy()
        state.curvature = self._curvature(problem, found)

    def _curvature(self, problem: Bilevel, here: Exact) -> float:
        """Of F(x, y*(x)) along its gradient, by a difference."""
        length = float(np.linalg.norm(here.gradient))
        if length == 0:
            return 1.0
        reach = PROBE * (1 + float(np.linalg.norm(here.x)))
        x = self._x.project(here.x - reach / length * here.gradient)
        moved = float(np.linalg.norm(x - here.x))
        there = self._read(problem, x, here.walk, here.adjoint, ROUGH * PROBE) if moved > 0 else None
        if there is None:
            return length
        return max(float(np.linalg.norm(there.gradient - here.gradient)) / moved, 1e-3 * length / (1 + moved))

    def _hand_over(self, problem: Bilevel, state: State, ctx: Context) -> bool:
        """To the exact stage; False where the lower problems cannot be solved at this x."""
        n = problem.n
        lower = Walk(state.z[n:].copy(), np.nan, np.zeros(problem.m))
        found = self._read(problem, state.z[:n].copy(), lower, state.v[n:], self._fine(ctx))
        if found is None:
            return False
        ctx.log(f"{state.t} sampled steps done: going on with exact lower solutions")
        state.walk = Walk(found.x, found.upper, found.gradient)
        state.phase, state.before, state.v_before = EXACT, np.zeros(0), np.zeros(0)
        self._take(state, found)
        return True

    def _fine(self, ctx: Context) -> float:
        return FINE if ctx.dtype == "float64" else 1e-5

    def _descend(self, problem: Bilevel, state: State, ctx: Context) -> None:
        assert state.walk is not None
        if state.residual <= state.tol * (1 + state.size):
            state.claimed = True
            return
        seen: list[Exact] = []

        def evaluate(x: np.ndarray) -> tuple[float, np.ndarray]:
            assert state.lower is not None
            found = self._read(problem, x, state.lower, state.v[problem.n :], self._fine(ctx))
            if found is None:
                return np.inf, np.zeros(len(x))
            seen.append(found)
            return found.upper, found.gradient

        if state.since < PATIENCE and advance(state.walk, evaluate, self._x, NOISE[ctx.dtype]):
            self._take(state, next(found for found in seen if found.x is state.walk.v))
        elif state.residual <= LOOSE * state.tol * (1 + state.size):
            state.claimed = True
        else:
            raise Stop(Termination.STALLED, f"no step lowers F(x, y*(x)) (residual {state.residual:.1e})")

    def _read(self, problem: Bilevel, x: np.ndarray, lower: Walk, v: np.ndarray, accuracy: float) -> Exact | None:
        return read(problem, self._layout, self._y, x, lower, v, accuracy, NOISE["float64"])

    def _take(self, state: State, found: Exact) -> None:
        n = state.n
        state.z = np.concatenate([found.x, found.walk.v])
        state.v[n:] = found.adjoint
        state.lower, state.upper, state.size = found.walk, found.upper, found.size
        state.residual = self._x.residual(found.x, found.gradient)
        state.since = state.since + 1 if state.residual > 0.9 * state.best else 0
        state.best = min(state.best, state.residual) if state.since else state.residual

    # -- caches

    def _prepare(self, problem: Bilevel, state: State) -> None:
        """Build what follows from problem and options alone; again after a resume."""
        if self._problem is problem:
            return
        self._layout = Layout(problem)
        self._x = domain(problem.upper_set, state.rows[0], problem.n, problem.name, NAME)
        self._y = domain(problem.lower_set, None, problem.m, problem.name, NAME)
        self._sampled = Sampled(self.options, self._layout, self._x)
        self._problem = problem


def _burst(before: State, after: State) -> bool:
    """Whether steps left the numbers, or the hypergradient's estimate grew beyond what noise explains.

    The curvature that eta rests on is that of one step at the start: where F(x, y*(x)) is flat there and steep further
    on (exponentials of x), the steps are far too long.
    """
    if not (np.isfinite(after.z).all() and np.isfinite(after.momentum).all()):
        return True
    usual = max(float(np.linalg.norm(before.momentum)), before.size)
    return usual > 0 and float(np.linalg.norm(after.momentum)) > BURST * usual


def _shortened(state: State, ctx: Context) -> State:
    """The state before the steps that were too long, with a shorter eta."""
    state.retries += 1
    state.curvature *= SHORTER
    ctx.log(f"sampled steps are too long: taken back, eta divided by {SHORTER:g}")
    return state
