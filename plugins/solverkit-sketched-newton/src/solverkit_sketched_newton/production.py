"""Production: what a run is made of, step after step, and when it ends.

`newton` has the step, `restoration` what is done where the line search fails, `escape` how a saddle point is left. This
file puts them in order, and holds what follows from problem and options alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit.kinds.nonlinear.problem import BOUND_MULTIPLIERS, FARKAS, MULTIPLIERS, RAY, Nonlinear
from solverkit.plugin import Context, Point, Stop, Termination
from solverkit_sketched_newton import escape, restoration
from solverkit_sketched_newton.barrier import Distances, norm_inf
from solverkit_sketched_newton.form import Form, gradient_scaling, pushed
from solverkit_sketched_newton.inner.base import NewtonSystem
from solverkit_sketched_newton.inner.choose import choose
from solverkit_sketched_newton.newton import Newton, NotFinite
from solverkit_sketched_newton.options import SketchedNewtonOptions
from solverkit_sketched_newton.state import Evaluated, State, restored, stored

TIGHT = 1e-8  # claims are made at this scaled KKT error, or at tol where it is smaller
GREAT_MULTIPLIER = 1e3  # least-squares multipliers above this are not trusted at the start
UNBOUNDED = -1e15  # an objective below this, beside that of the start, has no bound at a feasible point
NEAR = 1e-6  # estimated distance to the solution, relative, at which a point is an answer
POLISH = 5  # most steps spent on the last digits of a point whose scaled KKT error is small enough
MOST_POLISH = 50  # and where rows whose gradients vanish are still far from it, beside these
MOST_RESTORATIONS = 20
MOST_SHAKEN = 5  # times that one restoration may leave a stationary point
IDLE = 10  # iterations without progress after which a point that is good enough is claimed
FALL = 1e-6  # relative fall of f that counts
STALLED = 100  # and after which any run ends
CLOSE = 1e-6  # a violation that needs no watching
CREEP, MOST_CREEPING = 1e-6, 3  # steps as short as this, so many in a row, are a failure
PATIENCE = 30  # iterations in which the violation must fall by a tenth, or restoration begins


class Production:
    """The method's default; `sketched_newton` hands the protocol's calls on to it."""

    def __init__(self, options: SketchedNewtonOptions) -> None:
        self.options = options
        self._problem: Nonlinear | None = None
        self._form: Form = None  # type: ignore[assignment]
        self._newton: Newton = None  # type: ignore[assignment]
        self._matrix: tuple[Any, Any] = (None, None)  # what a state stores, and the matrix it stands for

    # -- the protocol

    def init(self, problem: Nonlinear, start: Point, ctx: Context) -> State:
        """The state before the first step."""
        form = self._form = Form(problem, ctx.tol, dense_size=self.options.dense_size)
        if self.options.inner in ("dense", "sparse"):
            form.dense = self.options.inner == "dense"
        if form.contradiction:
            raise Stop(Termination.INFEASIBLE, form.contradiction)
        x = problem.flat(start)
        w = np.zeros(form.n)
        w[: form.free] = pushed(x[form.columns], form.low[: form.free], form.high[: form.free], 1e-2)
        full = form.full(w)
        f, rows = problem.value(full), problem.constraints(full)
        gradient, jacobian = form.slopes(problem, w)
        scaling = form.scaling
        if self.options.scaling:
            scaling = gradient_scaling(gradient, jacobian[:, : form.free])
            form.scale(scaling)
            gradient, jacobian = gradient * scaling.f, form.rescaled(jacobian)
        if form.slacks:
            part, of = slice(form.free, form.n), form.slack_rows
            w[part] = pushed((scaling.rows * rows[form.rows])[of], form.low[part], form.high[part], 1e-2)
        if form.linear:
            form.constant = jacobian
        at = Evaluated(w, scaling.f * f, form.residual(w, rows), gradient, stored(jacobian))
        state = State(
            at=at,
            y=np.zeros(form.m),
            z_low=np.ones(len(form.below)),
            z_high=np.ones(len(form.above)),
            scaling=scaling,
            mu=self.options.mu if form.bounded else 0.0,
            eta1=self.options.eta1,
            eta2=self.options.eta2,
            tol=self.options.converge or min(ctx.tol, TIGHT),
            loose=ctx.tol,
            first=scaling.f * f,
        )
        self._prepare(problem, state)
        self._newton.set_back(state)
        self._start_multipliers(problem, state, start)
        self._newton.measure(state, self._jacobian(state))
        return state

    def step(self, problem: Nonlinear, state: State, ctx: Context) -> State:
        """One Newton step, or one of the restoration."""
        self._prepare(problem, state)
        state.iterations += 1
        if state.restoration is not None:
            self._restore(problem, state, ctx)
            return state
        jacobian = self._jacobian(state)
        if self._solved(state):  # and yet no answer: `converged` suspects a saddle
            self._leave_saddle(problem, state, jacobian, ctx)
            return state
        before = state.at.w
        try:
            found = self._newton.step(problem, state, jacobian)
        except NotFinite:
            state.error = np.nan  # the merit tells the driver, who names the oracle
            return state
        if found is None:
            self._failed(problem, state, ctx)
            return state
        state.polished += state.error <= state.tol
        state.at, matrix = found
        state.at.jacobian = stored(matrix)
        self._matrix = (state.at.jacobian, matrix)
        self._newton.measure(state, matrix)
        moved = state.at.w - before
        self._measure_step(state, moved)
        self._watch(problem, state, moved, ctx)
        self._expect_progress(state)
        if state.step > CREEP:
            state.creeping = state.failures = 0
        elif state.restoration is None:
            state.creeping += 1
            if state.creeping >= MOST_CREEPING:
                state.creeping = 0
                self._failed(problem, state, ctx)
        return state

    def finish(self, problem: Nonlinear, state: State, ctx: Context) -> State:
        """Multipliers of the bounds of fixed variables, which are what stationarity leaves them."""
        self._prepare(problem, state)
        form = self._form
        if len(form.fixed):
            x = form.full(state.at.w)
            pulled = problem.vjp(x, form.multipliers(state.y)) if form.all_rows else 0.0
            state.fixed_multipliers = -(problem.gradient(x) + pulled)[form.fixed]
        return state

    def point(self, state: State) -> Point:
        """x with its multipliers, unscaled."""
        form = self._form
        problem = self._problem
        assert problem is not None
        point = problem.blocks(form.answer(state.at.w))
        point[MULTIPLIERS] = form.multipliers(state.y)
        point[BOUND_MULTIPLIERS] = self._bound_multipliers(state)
        return point

    def report(self, state: State) -> dict[str, float]:
        """The scaled KKT error as merit, and its parts."""
        return {
            "merit": state.error,
            "objective": state.at.f / state.scaling.f,
            "dual": state.dual,
            "violation": state.violation,
            "mu": state.mu,
            "step": state.step,
            "shift": state.shift,
        }

    def converged(self, state: State) -> bool:
        """Whether the KKT error has vanished at a point that is no saddle."""
        return state.claimed or (self._solved(state) and not self._suspect(state))

    def _solved(self, state: State) -> bool:
        """The KKT error has vanished, and more steps would not get much nearer to its zero.

        Steps that shrink slowly (a singular Hessian or Jacobian at the solution) have about as far to go as they came.
        """
        if state.error > state.tol:
            return False
        fine = state.rough <= state.tol and state.uneven <= 0.1 * state.loose and state.remaining <= NEAR
        return fine or state.polished >= (POLISH if state.uneven <= state.loose else MOST_POLISH)

    def _suspect(self, state: State) -> bool:
        """Whether the latest matrix had the wrong inertia, as it has at a saddle."""
        return state.shift > 0 and state.escapes < escape.MOST

    # -- what follows from problem and options

    def _prepare(self, problem: Nonlinear, state: State) -> None:
        """Form, inner solver and steps; again after a resume."""
        if self._newton is not None and self._problem is problem:
            return
        if self._form is None:
            self._form = Form(problem, state.loose, dense_size=self.options.dense_size)
        self._form.scale(state.scaling)
        if self._form.linear and self._form.constant is None:
            self._form.constant = self._jacobian(state)
        self._problem = problem
        inner = choose(self._form, self.options, None, self._jacobian(state))
        self._newton = Newton(problem, self._form, self.options, inner)

    def _jacobian(self, state: State) -> Any:
        held, matrix = self._matrix
        if held is not state.at.jacobian:
            matrix = restored(state.at.jacobian)
            self._matrix = (state.at.jacobian, matrix)
        return matrix

    def _bound_multipliers(self, state: State) -> np.ndarray:
        form = self._form
        z = np.zeros(form.n)
        z[form.below] -= state.z_low
        z[form.above] += state.z_high
        full = np.zeros(form.total)
        full[form.columns] = z[: form.free] / state.scaling.f
        if len(state.fixed_multipliers):
            full[form.fixed] = state.fixed_multipliers
        return full

    def _start_multipliers(self, problem: Nonlinear, state: State, start: Point) -> None:
        """Those of the start, or least squares: min_y |grad f - z_low + z_high + J'y|."""
        form = self._form
        if not form.m or form.linear:  # affine rows bend nothing: the first step finds y whatever it was
            return
        given = start.get(MULTIPLIERS)
        if given is not None and np.shape(given) == (form.all_rows,):
            state.y = np.asarray(given, float)[form.rows] * state.scaling.f / state.scaling.rows
            return
        state.y = self._least_squares(state)

    def _least_squares(self, state: State) -> np.ndarray:
        form, at = self._form, state.at
        gradient = at.g.copy()
        gradient[form.below] -= state.z_low
        gradient[form.above] += state.z_high
        zero = np.zeros((form.n, form.n)) if form.dense else csr_array((form.n, form.n))
        system = NewtonSystem(zero, np.zeros_like, np.ones(form.n), self._jacobian(state), delta_c=1e-8)
        inner = self._newton.regularizer.inner
        if not inner.prepare(system).usable:
            return np.zeros(form.m)
        y = inner.solve(gradient, np.zeros(form.m), 1e-6).dy
        return y if np.isfinite(y).all() and norm_inf(y) <= GREAT_MULTIPLIER else np.zeros(form.m)

    # -- where a step fails, or a point only looks like an answer

    def _leave_saddle(self, problem: Nonlinear, state: State, jacobian: Any, ctx: Context) -> None:
        """Move off a saddle point, or claim what is none."""
        found = escape.escape(problem, state, self._newton, jacobian, ctx.rng)
        if found is None:
            state.claimed = True
            return
        ctx.log(f"iteration {state.iterations}: a saddle point, left along a direction of negative curvature")
        state.escapes += 1
        state.at, matrix = found
        self._matrix = (state.at.jacobian, matrix)
        state.polished, state.least_error, state.least_f, state.least_at = 0, np.inf, np.inf, state.iterations
        if self._form.bounded:
            distances = Distances.of(self._form, state.at.w)
            state.mu = self.options.mu
            state.z_low, state.z_high = state.mu / distances.below, state.mu / distances.above
        self._newton.measure(state, matrix)

    def _failed(self, problem: Nonlinear, state: State, ctx: Context) -> None:
        """New multipliers and eta first; then restoration, or the end."""
        state.failures += 1
        state.step = 0.0
        self._newton.set_back(state)
        if state.error <= state.loose:
            state.claimed = True
            return
        if state.failures == 1:
            state.y = self._least_squares(state)
            state.delta_w = 0.0
            self._newton.measure(state, self._jacobian(state))
            return
        if state.violation <= state.tol or state.restorations >= MOST_RESTORATIONS:
            raise Stop(
                Termination.STALLED,
                f"no step lowers the merit function at a scaled KKT error of {state.error:.2g}",
            )
        ctx.log(f"iteration {state.iterations}: restoration begins, the violation is {state.violation:.2g}")
        restoration.begin(state, self._form)

    @staticmethod
    def _measure_step(state: State, moved: np.ndarray) -> None:
        """What is left of a geometric sequence of steps: length ratio / (1 - ratio)."""
        length = norm_inf(moved) / (1.0 + norm_inf(state.at.w))
        ratio = length / state.length if state.length > 0 else 0.0
        state.remaining = length * ratio / (1.0 - ratio) if ratio < 1.0 else np.inf
        state.length = length

    def _expect_progress(self, state: State) -> None:
        """Claims or gives up where nothing falls for long: the KKT error, f at feasible points, `uneven`."""
        fall = FALL * max(state.scaling.f, abs(state.at.f))
        if state.violation <= max(state.loose, CLOSE) and state.at.f < state.least_f - fall:
            state.least_f, state.least_at = state.at.f, state.iterations
        if state.error <= 0.9 * state.least_error:
            state.least_error, state.least_at = state.error, state.iterations
            return
        if state.loose < state.uneven < 0.9 * state.least_uneven:
            state.least_uneven, state.least_at = state.uneven, state.iterations
        idle = state.iterations - state.least_at
        if idle >= IDLE and state.error <= state.loose and state.error <= 2 * state.least_error:
            state.claimed = True
        elif idle >= STALLED:
            raise Stop(
                Termination.STALLED,
                f"in {STALLED} iterations neither f nor the scaled KKT error, {state.least_error:.2g}, has fallen",
            )

    def _watch(self, problem: Nonlinear, state: State, moved: np.ndarray, ctx: Context) -> None:
        """Unbounded objectives, and constraints that get no nearer."""
        allowed = state.loose * max(1.0, norm_inf(state.at.w))
        if state.at.f < UNBOUNDED * max(state.scaling.f, abs(state.first)) and state.violation <= allowed:
            raise Stop(
                Termination.UNBOUNDED,
                f"the objective is {state.at.f / state.scaling.f:.3g} at a point that satisfies the constraints",
                {**self.point(state), RAY: self._form.direction(moved)},
            )
        if state.violation <= 0.9 * state.watched or state.violation <= max(state.loose, CLOSE):
            state.watched, state.watched_at = state.violation, state.iterations
        elif state.iterations - state.watched_at >= PATIENCE and state.restorations < MOST_RESTORATIONS:
            ctx.log(f"iteration {state.iterations}: restoration begins, the violation stays at {state.violation:.2g}")
            restoration.begin(state, self._form)

    def _restore(self, problem: Nonlinear, state: State, ctx: Context) -> None:
        """One step of the restoration, and what follows from it."""
        memory, form = state.restoration, self._form
        assert memory is not None
        inner = self._newton.regularizer.inner
        moving = restoration.advance(problem, state, form, inner)
        violation = norm_inf(state.at.c)
        self._newton.measure(state, self._jacobian(state))
        if violation <= max(restoration.SUCCESS * memory.entered, 0.1 * state.tol):
            self._resume(problem, state)
            return
        if restoration.vanishes(state, form, restoration.STATIONARY if moving else restoration.STUCK):
            if memory.shaken < MOST_SHAKEN and restoration.shaken(problem, state, form, ctx.rng):
                memory.shaken += 1
                return
            worst = int(np.argmax(np.abs(state.at.c)))
            names = problem.row_names
            row = names[form.rows[worst]] if len(names) == form.all_rows else f"row {form.rows[worst]}"
            raise Stop(
                Termination.INFEASIBLE,
                f"the violation of the constraints has a local minimum here, {violation:.3g} (scaled) in {row}",
                {**self.point(state), FARKAS: form.weights(state.at.c)},
            )
        if not moving or memory.steps >= self.options.restoration_steps:
            raise Stop(
                Termination.STALLED,
                f"restoration could not lower the violation below {violation:.2g}",
                self.point(state),
            )

    def _resume(self, problem: Nonlinear, state: State) -> None:
        """Back to Newton steps, inside the bounds."""
        form = self._form
        state.restoration = None
        state.failures = 0
        state.least_error, state.least_f, state.least_at = np.inf, np.inf, state.iterations
        state.watched, state.watched_at = norm_inf(state.at.c), state.iterations
        if form.bounded:
            w = pushed(state.at.w, form.low, form.high, 1e-4)
            f, c = form.values(problem, w)
            g, matrix = form.slopes(problem, w)
            state.at = Evaluated(w, f, c, g, stored(matrix))
            state.z_low, state.z_high = np.ones(len(form.below)), np.ones(len(form.above))
            state.mu = max(state.mu, min(self.options.mu, norm_inf(c)))
        self._newton.set_back(state)
        state.y = self._least_squares(state)
        self._newton.measure(state, self._jacobian(state))
