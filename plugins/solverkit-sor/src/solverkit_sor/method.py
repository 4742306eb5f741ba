"""`sor-tuner`: solve a sequence of linear systems, and learn the solver's parameters on the way
(Khodak, Chow, Balcan, Talwalkar, "Learning to Relax", ICLR 2024, arXiv 2310.02246).

Problem: A_t x_t = b_t for t = 0, 1, ..., each to |b_t - A_t x_t| <= rtol |b_t|. For each t

    choose an arm i_t, seeing the context c_t;   solve with it;   learn from what it cost

so that the sum of costs comes near that of the best arm, or of the best function of the context, in hindsight.

| here | paper | meaning |
|---|---|---|
| arm | w_i | a value of the tuned parameter; in production a solver with its parameters |
| cost | SOLVE(A_t, b_t, w) | what a system cost: iterations in the paper, work in production |
| context | c_t | what is known of a system before it is solved |

In production `SequenceTuner` decides (Thompson sampling on the log-cost over solvers and w, a cap on each trial; with
a named `solver` also multiples of the closed form's 2 - w). `mode: paper`, or a `policy` or `solver` of one's own, puts
a learner over one parameter of one solver.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from solverkit.engine.solver import Context, Solver, Stop
from solverkit.engine.status import Termination
from solverkit.errors import Unsuitable, UsageError
from solverkit.kinds.base import Point
from solverkit.kinds.linear_sequence.problem import ARM, COST, ITERATIONS, SETUPS, SOLUTIONS, LinearSequence
from solverkit.kinds.linear_sequence.systems import System
from solverkit_sor import policies
from solverkit_sor.bandit import Bandit, Round
from solverkit_sor.gap import Gap
from solverkit_sor.keeping import Keeping
from solverkit_sor.options import SorTunerOptions
from solverkit_sor.solvers.base import Matrices
from solverkit_sor.solvers.catalogue import make_arm
from solverkit_sor.tuned import Tuned
from solverkit_sor.tuner.sequence import SequenceTuner
from solverkit_sor.tuner.space import Real

STEP = 20_000_000  # multiply-adds of a step: about twenty milliseconds, of which the driver's share is small
TYPICAL = 20  # iterations of a solve, to guess how many systems fill a step

FREE = ("auto", "sor", "ssor-cg")
"""Values of `solver` that SequenceTuner can serve."""


@dataclass
class State:
    """Everything so far. Rows of systems that were not reached are zero."""

    x: np.ndarray  # (T, n)
    cost: np.ndarray  # (T,)
    arm: np.ndarray  # (T,) int64
    t: int = 0  # systems solved
    begun: int = 0  # those solved before the latest step
    iterations: int = 0
    residual: float = 0.0  # largest |b_t - A_t x_t| / |b_t| so far
    rescued: int = 0  # trials that the safe solver finished
    failed: list[int] = field(default_factory=list)  # systems that nothing solved
    learner: dict[str, Any] | None = None
    gap: np.ndarray | None = None  # (n,) vector of `Gap`, for the closed form
    kept: dict[str, Any] = field(default_factory=dict)  # of `Keeping`


class SorTuner(Solver[LinearSequence, State]):
    """See the module."""

    Options = SorTunerOptions

    def __init__(self, options: SorTunerOptions) -> None:
        super().__init__(options)
        self._served: State | None = None  # whose learner the caches below hold
        self._decider: Bandit | Tuned
        self._keeping: Keeping
        self._look: policies.Look
        self._gap: Gap

    # -- protocol

    def init(self, problem: LinearSequence, start: Point, ctx: Context) -> State:
        """Nothing solved. Raises UsageError or Unsuitable where options and problem do not fit together."""
        state = State(np.zeros((problem.T, problem.n)), np.zeros(problem.T), np.zeros(problem.T, np.int64))
        self._prepare(problem, state, ctx)
        return state

    def step(self, problem: LinearSequence, state: State, ctx: Context) -> State:
        """A block of systems."""
        self._prepare(problem, state, ctx)
        rtol = problem.target(ctx.tol)
        state.begun = state.t
        for _ in range(self._block(problem)):
            if state.t == problem.T:
                break
            self._solve(problem, state, ctx, rtol)
        state.learner, state.kept = self._decider.state(), self._keeping.saved
        if state.t == problem.T and state.failed:
            raise Stop(Termination.STALLED, _unsolved(state.failed, rtol), self.point(state))
        return state

    def point(self, state: State) -> Point:
        """`x` (T, n), and by system what it cost (T,) and its arm (T,)."""
        return {SOLUTIONS: state.x, COST: state.cost, ARM: state.arm}

    def report(self, state: State) -> dict[str, float]:
        """Systems solved, total cost and iterations, largest residual, trials that the safe solver finished."""
        return {
            "systems": float(state.t),
            "cost": float(state.cost.sum()),
            "iterations": float(state.iterations),
            "residual": state.residual,
            "rescued": float(state.rescued),
        }

    def converged(self, state: State) -> bool:
        """Every system is solved."""
        return state.t == len(state.x) and not state.failed

    def written(self, state: State) -> dict[str, slice]:
        """The systems of the latest step, in every block."""
        rows = slice(state.begun, state.t)
        return {SOLUTIONS: rows, COST: rows, ARM: rows}

    # -- one system

    def _solve(self, problem: LinearSequence, state: State, ctx: Context, rtol: float) -> None:
        t = state.t
        system = problem.system(t, state.x[t - 1] if t else problem.initial)
        try:
            x0 = self._first(problem, state, system)
            done = self._decider.solve(system.matrix, system.rhs, x0, rtol, self._seen(state, system, ctx), ctx.rng)
        except UsageError as error:
            raise type(error)(f"system {t} of {problem.name!r}: {error}") from None
        if builds := self._keeping.note(self._decider.kept, t):
            ctx.charge(SETUPS, builds)
        self._account(state, done, ctx, float(np.linalg.norm(system.rhs)))

    def _seen(self, state: State, system: System, ctx: Context) -> object:
        """What the learner sees; the closed form's vector is built at the first system, and charged."""
        seen = self._look(system)
        if state.gap is None and self._gap.vector is not None:
            state.gap = self._gap.vector
            state.iterations += self._gap.iterations
            ctx.charge(ITERATIONS, self._gap.iterations)
            state.cost[state.t] += self._gap.iterations if self._decider.cost == "iterations" else self._gap.work
        return seen

    def _account(self, state: State, done: Round, ctx: Context, size: float) -> None:
        t = state.t
        state.x[t], state.arm[t] = done.x, done.arm
        state.cost[t] += done.cost
        state.iterations += done.iterations
        ctx.charge(ITERATIONS, done.iterations)
        if size > 0:
            state.residual = max(state.residual, done.residual / size)
        if done.rescued:
            state.rescued += 1
            ctx.log(f"system {t}: {done.rescued}")
        if not done.converged:
            state.failed.append(t)
            ctx.log(f"system {t}: not solved to the tolerance, by the safe solver either")
        state.t += 1

    def _first(self, problem: LinearSequence, state: State, system: System) -> np.ndarray | None:
        """Where the solve of system t begins; None for zeros."""
        t, how = state.t, self.options.start
        if how == "auto" and self.options.paper:
            how = "previous" if problem.depends else "zero"
        previous = state.x[t - 1] if t else problem.initial
        if how == "zero" or not (t or previous.any()):
            return None
        extrapolated = 2.0 * previous - (state.x[t - 2] if t > 1 else problem.initial)
        if how == "previous" or t == 0:
            return previous
        if how == "extrapolated":
            return extrapolated
        sizes = [float(np.linalg.norm(system.rhs))]
        sizes += [float(np.linalg.norm(system.rhs - system.matrix @ x)) for x in (previous, extrapolated)]
        return (None, previous, extrapolated)[int(np.argmin(sizes))]

    # -- what follows from problem and options alone

    def _prepare(self, problem: LinearSequence, state: State, ctx: Context) -> None:
        """Build solvers and learner, or have them back after a resume."""
        if self._served is state:
            return
        solver = self._solver(problem)
        self._gap, self._keeping = Gap(), Keeping()
        self._gap.vector = state.gap
        self._decider = self._tuner(problem, solver, ctx) if self._free else self._bandit(problem, solver)
        policy = "log-ts" if self._free else self._policy
        self._look = policies.look(self.options, policy, problem, self._gap)
        if state.learner is not None:
            self._decider.load(state.learner)
            names = {name: self._decider.keeper(name) for name in state.kept}
            self._keeping.restore(state.kept, names, problem, state.x)
        self._served = state

    @property
    def _free(self) -> bool:
        """Whether `SequenceTuner` decides."""
        options = self.options
        return not options.paper and options.policy == "auto" and options.arms is None and options.solver in FREE

    @property
    def _policy(self) -> str:
        options = self.options
        if options.policy != "auto":
            return options.policy
        return "tsallis-inf" if options.paper else "log-ts"

    def _tuner(self, problem: LinearSequence, solver: str, ctx: Context) -> Tuned:
        options = self.options
        if options.cost == "iterations":
            raise UsageError(
                "cost=iterations compares values of one parameter: give a policy, or mode=paper, or cost=work"
            )
        return Tuned(
            SequenceTuner(
                space=_space(options.solver, self._safe(problem)),
                cost=options.cost or "work",
                safe=self._safe(problem),
                seed=ctx.rng,
                discount=options.discount,
            )
        )

    def _bandit(self, problem: LinearSequence, solver: str) -> Bandit:
        options, matrices = self.options, Matrices()
        arms = policies.values(options, solver)
        return Bandit(
            arm=make_arm(solver, matrices, grid=problem.grid),
            parameters=arms,
            learner=policies.learner(options, self._policy, problem, arms),
            safe=make_arm(self._safe(problem), matrices),
            cap=options.cap,
            cost=options.cost or ("iterations" if options.paper else "work"),
        )

    def _solver(self, problem: LinearSequence) -> str:
        """The solver's name, and whether the problem allows it."""
        solver = self.options.solver
        if solver == "auto":
            if self._free:
                return solver  # SequenceTuner looks at the matrices itself
            solver = "sor" if self.options.paper else "ssor-cg"
        needs = {"sor": "nonzero-diagonal", "grid-sor": "stencil"}
        if solver in ("ssor-cg", "cg", "amg"):
            for capability in ("symmetric", "positive-diagonal"):
                _require(problem, solver, capability)
        elif solver in needs:
            _require(problem, solver, needs[solver])
        return solver

    def _safe(self, problem: LinearSequence) -> str:
        if self.options.safe != "auto":
            return self.options.safe
        return "cg" if {"symmetric", "positive-diagonal"} <= problem.provides else "direct"

    def _block(self, problem: LinearSequence) -> int:
        if self.options.block is not None:
            return self.options.block
        each = TYPICAL * (problem.pattern.nnz + 9 * problem.n)
        return max(1, STEP // each)


def _space(solver: str, safe: str) -> Any:
    """What SequenceTuner chooses from: w on a grid or by the formula, and the safe solver in case nothing else pays."""
    if solver == "auto":
        return "auto"
    by_formula = {"solver": solver, "formula": Real(0.5, 8.0, 5, "log")}
    return [{"solver": safe}, {"solver": solver, "w": Real(1.0, 1.95, 12, "relaxation")}, by_formula]


def _require(problem: LinearSequence, solver: str, capability: str) -> None:
    if capability not in problem.provides:
        raise Unsuitable(
            f"solver {solver!r} needs {capability} matrices, and problem {problem.name!r} does not provide that: "
            "set solver to gmres or direct"
        )


def _unsolved(failed: list[int], rtol: float) -> str:
    shown = ", ".join(map(str, failed[:5])) + (", ..." if len(failed) > 5 else "")
    return f"{len(failed)} systems are not solved to {rtol:g}: {shown}; try safe=direct or a larger tol"
