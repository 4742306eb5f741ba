"""`halpern` as a method: which iteration a problem gets, and what the driver sees of it.

| problem | iteration | stops by |
|---|---|---|
| game on simplices | r2HPDHG on the game itself (`game.py`) | the exact gap |
| the same, in very different units | r2HPDHG in scaled coordinates (`scaled_game.py`) | the exact gap |
| linear program | r2HPDHG in scaled coordinates (`linear.py`) | relative residuals and gap |
| other bilinear problems of two blocks | r2HPDHG (`saddle.py`) | the natural residual, then the certificate's test |
| everything else | anchored iterations (`anchored/`) | the same |
"""

from __future__ import annotations

import numpy as np

from solverkit.engine.solver import Context, Solver, Stop
from solverkit.engine.status import Termination
from solverkit.errors import Unsuitable
from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.structure import Game, LinearProgram
from solverkit_halpern.anchored.iteration import Anchored
from solverkit_halpern.anchored.state import AnchoredState
from solverkit_halpern.pdhg.game import GameModel
from solverkit_halpern.pdhg.iteration import Iteration
from solverkit_halpern.pdhg.linear import LinearModel
from solverkit_halpern.pdhg.model import Model
from solverkit_halpern.pdhg.options import HalpernOptions
from solverkit_halpern.pdhg.saddle import SaddleModel
from solverkit_halpern.pdhg.scaled_game import ScaledGameModel, factors_of
from solverkit_halpern.pdhg.state import PdhgState

VERDICTS = {"infeasible": Termination.INFEASIBLE, "unbounded": Termination.UNBOUNDED}

State = PdhgState | AnchoredState


class Halpern(Solver[Inclusion, State]):
    """See the module."""

    Options = HalpernOptions

    def __init__(self, options: HalpernOptions) -> None:
        super().__init__(options)
        self._run: tuple[Inclusion, Context] | None = None  # what the parts below were built for
        self._iteration: Iteration | None = None
        self._anchored: Anchored | None = None
        self._model: Model | None = None

    def init(self, problem: Inclusion, start: Point, ctx: Context) -> State:
        u = problem.flat(start)
        self._fresh(problem, ctx)
        if self._primal_dual(problem):
            model, iteration = self._build(problem, ctx)
            with np.errstate(all="ignore"):
                state = iteration.start(*model.start(u))
            state.blocks = model.answer(state)
            return state
        self._anchored = Anchored(problem, self.options, ctx)
        return self._anchored.start(u)

    def step(self, problem: Inclusion, state: State, ctx: Context) -> State:
        if self._run is None or self._run[0] is not problem or self._run[1] is not ctx:
            self._fresh(problem, ctx)
        if isinstance(state, AnchoredState):
            self._anchored = self._anchored or Anchored(problem, self.options, ctx)
            with np.errstate(all="ignore"):
                self._anchored.advance(state, self.options.block)
            return state
        model, iteration = self._build(problem, ctx)
        before = state.total
        with np.errstate(all="ignore"):
            while state.total < before + self.options.block and not (state.done or state.verdict):
                model.prepare(state)
                iteration.advance(state)
                if not np.isfinite(state.image.y).all():
                    state.merit = np.nan
                if state.merit != state.merit:
                    break
        ctx.charge("nprox", state.total - before)
        state.blocks = model.answer(state)
        if state.verdict:
            raise Stop(
                VERDICTS[state.verdict], f"a ray of the iterates proves it: block {_ray(state)}", self.point(state)
            )
        return state

    def point(self, state: State) -> Point:
        return state.blocks

    def report(self, state: State) -> dict[str, float]:
        if isinstance(state, AnchoredState):
            return {"merit": state.merit, "step": state.step, "restarts": float(state.restarts)}
        return {
            "merit": state.merit,
            "residual": state.residual,
            "step": state.step,
            "weight": state.weight,
            "restarts": float(state.restarts),
        }

    def converged(self, state: State) -> bool:
        return state.done

    def _fresh(self, problem: Inclusion, ctx: Context) -> None:
        """Forget what was built for another run."""
        self._run, self._model, self._iteration, self._anchored = (problem, ctx), None, None, None

    def _primal_dual(self, problem: Inclusion) -> bool:
        fits = problem.bilinear is not None and len(problem.sets) == 2
        if self.options.iteration == "pdhg" and not fits:
            raise Unsuitable(
                f"iteration 'pdhg' needs a bilinear problem of two blocks; {problem.name!r} is of form "
                f"{problem.form!r} with {len(problem.sets)} blocks. Leave `iteration` at auto, or choose anchored"
            )
        return fits and self.options.iteration != "anchored"

    def _build(self, problem: Inclusion, ctx: Context) -> tuple[Model, Iteration]:
        """Model and iteration, built once a run: after a resume too."""
        if self._model is None or self._iteration is None:
            self._model = _model(problem, self.options, ctx)
            self._iteration = Iteration(self._model, self.options, ctx)
        return self._model, self._iteration


def _model(problem: Inclusion, options: HalpernOptions, ctx: Context) -> Model:
    if isinstance(problem.structure, Game):
        factors = factors_of(problem.structure.matrix) if _may_scale(options, ctx) else None
        return ScaledGameModel(problem, options, ctx, factors) if factors else GameModel(problem, options, ctx)
    if isinstance(problem.structure, LinearProgram):
        return LinearModel(problem, options, ctx)
    return SaddleModel(problem, options, ctx)


def _may_scale(options: HalpernOptions, ctx: Context) -> bool:
    """In production alone, unless the options ask for something that is of the plain coordinates."""
    plain = options.step is None and options.centring is None and options.precision == "auto"
    return options.mode == "production" and plain and options.ruiz > 0 and ctx.device == "cpu"


def _ray(state: PdhgState) -> str:
    return "infeasibility_ray" if state.ray_y is not None else "unboundedness_ray"
