"""HiGHS: dual simplex, interior point without crossover, and its first-order PDLP, on one thread.

Simplex and interior point are run in a thread and cancelled when a limit is reached. PDLP and presolve do not look at
cancellation, so PDLP, and every program above SMALL nonzeros, runs in a process of its own that can be ended; starting
it and handing over the data, about 0.4 s, is part of its time here.

Where there is no answer, HiGHS is asked for the ray that says so, which the certificate checks. It may solve the
program again to find one; that is left out above RAYS rows and variables.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, ClassVar

import numpy as np

from solverkit.engine.child import ChildEnded, in_child
from solverkit.engine.solver import Context, Observe, OneShotSolver, Stop
from solverkit.engine.status import Termination
from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.rays import INFEASIBILITY, UNBOUNDEDNESS
from solverkit.kinds.inclusion.structure import LinearProgram
from solverkit_baselines.inclusion.options import HighsOptions
from solverkit_baselines.inclusion.program import Program, program_of

WAIT = 0.05  # seconds between looks at the limits
TOLERANCES = (
    "primal_feasibility_tolerance",
    "dual_feasibility_tolerance",
    "ipm_optimality_tolerance",
    "pdlp_optimality_tolerance",
)
OPTIMAL, INFEASIBLE, UNBOUNDED, EITHER = "Optimal", "Infeasible", "Unbounded", "Primal infeasible or unbounded"
ENDS = {INFEASIBLE: Termination.INFEASIBLE, UNBOUNDED: Termination.UNBOUNDED}
RAYS = 20_000
SMALL = 100_000  # nonzeros whose presolve is done before anybody waits for it

Answer = tuple[str, np.ndarray, np.ndarray, float]
"""HiGHS's word on the model, x, y, and the seconds of its run."""


def model_of(program: Program, solver: str, tolerance: float, threads: int = 1, presolve: bool = True) -> Any:
    """A Highs object that holds the program and knows what to do."""
    import highspy

    highs = _silent()
    settings: dict[str, Any] = {
        "solver": solver,
        "threads": threads,
        "presolve": "on" if presolve else "off",
        **dict.fromkeys(TOLERANCES, tolerance),
    }
    if solver == "ipm":
        settings["run_crossover"] = "off"
    for name, value in settings.items():
        highs.setOptionValue(name, value)
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = program.A.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.c, program.lower, program.upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = program.A.indptr, program.A.indices
    lp.a_matrix_.value_ = program.A.data
    highs.passModel(lp)
    return highs


def _silent() -> Any:
    """An empty Highs object. The first callback that is set prints HiGHS's banner, unless output is off by then."""
    import highspy

    class Silent(highspy.Highs):
        def enableCallbacks(self) -> None:
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()

    return Silent()


def answer_of(highs: Any, seconds: float) -> Answer:
    """What HiGHS found; its duals have the other sign."""
    solution = highs.getSolution()
    status = str(highs.modelStatusToString(highs.getModelStatus()))
    return status, np.array(solution.col_value), -np.array(solution.row_dual), seconds


def rays_of(highs: Any) -> Point:
    """The ray of a model without an answer, by its name in a point; empty where HiGHS has none."""
    status = str(highs.modelStatusToString(highs.getModelStatus()))
    if status not in (INFEASIBLE, UNBOUNDED, EITHER) or highs.getNumRow() + highs.getNumCol() > RAYS:
        return {}
    found = _ray(highs, status)
    if not found and highs.getOptionValue("presolve")[1] != "off":  # it may have been presolve that saw it
        highs.clearSolver()
        highs.setOptionValue("presolve", "off")
        highs.setOptionValue("solver", "simplex")
        highs.run()
        found = _ray(highs, status)
    return found


def _ray(highs: Any, status: str) -> Point:
    if status != UNBOUNDED:
        _, there, ray = highs.getDualRay()
        if there:
            return {INFEASIBILITY: -np.array(ray)}
    if status != INFEASIBLE:
        _, there, ray = highs.getPrimalRay()
        if there:
            return {UNBOUNDEDNESS: np.array(ray)}
    return {}


def run_highs(program: Program, solver: str, tolerance: float, threads: int = 1, presolve: bool = True) -> Answer:
    """HiGHS on a program, without limits: what figures time."""
    highs = model_of(program, solver, tolerance, threads, presolve)
    begun = time.perf_counter()
    highs.run()
    return answer_of(highs, time.perf_counter() - begun)


def run_with_rays(*settings: Any) -> tuple[Answer, Point]:
    """HiGHS on a program, and its ray."""
    highs = model_of(*settings)
    begun = time.perf_counter()
    highs.run()
    answer = answer_of(highs, time.perf_counter() - begun)
    return answer, rays_of(highs)


class HighsPeer(OneShotSolver[Inclusion]):
    """One of HiGHS's solvers; the classes below say which."""

    Options = HighsOptions
    name: ClassVar[str]
    solver: ClassVar[str]

    def solve(self, problem: Inclusion, start: Point, ctx: Context, observe: Observe) -> Point:
        program = program_of(problem, self.name)
        tolerance = self.options.tolerance or float(np.clip(ctx.tol / 10, 1e-10, 1e-4))
        settings = (program, self.solver, tolerance, self.options.threads, self.options.presolve)
        (status, x, y, seconds), rays = self._run(settings, ctx)
        ctx.log(f"HiGHS itself took {seconds:.3f} s")
        whole = len(x) == len(program.c) and len(y) == len(program.row_lower)
        point = program.point(problem, x, y) if whole else None
        if status != OPTIMAL:
            if rays and isinstance(problem.structure, LinearProgram):
                point = {**(point or start), **rays}
            end = Termination.INFEASIBLE if INFEASIBILITY in rays else Termination.UNBOUNDED if rays else None
            raise Stop(end or ENDS.get(status, Termination.STALLED), f"HiGHS says: {status}", point)
        assert point is not None
        return point

    def _run(self, settings: tuple, ctx: Context) -> tuple[Answer, Point]:
        """In a thread, cancelled when a limit is reached; highspy's `startSolve` allows a process one run at a time."""
        if settings[0].A.nnz > SMALL:
            return _elsewhere(settings, ctx)
        highs = model_of(*settings)
        highs.HandleUserInterrupt = True
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(_run_in_thread, highs)
            try:
                while not wait({running}, WAIT).done:
                    ctx.look()
            except BaseException:
                highs.cancelSolve()
                raise
        return running.result()


def _run_in_thread(highs: Any) -> tuple[Answer, Point]:
    begun = time.perf_counter()
    try:
        highs.run()
        answer = answer_of(highs, time.perf_counter() - begun)
        return answer, rays_of(highs)
    finally:
        highs.resetThreadScheduler(False)  # HiGHS keeps one a thread


class HighsSimplex(HighsPeer):
    """Dual simplex."""

    name, solver = "highs-simplex", "simplex"


class HighsIpm(HighsPeer):
    """Interior point, without crossover."""

    name, solver = "highs-ipm", "ipm"


class HighsPdlp(HighsPeer):
    """PDLP, always in a process of its own."""

    name, solver = "highs-pdlp", "pdlp"

    def _run(self, settings: tuple, ctx: Context) -> tuple[Answer, Point]:
        return _elsewhere(settings, ctx)


def _elsewhere(settings: tuple, ctx: Context) -> tuple[Answer, Point]:
    """In a process, ended when a limit is reached."""
    try:
        return in_child(run_with_rays, *_plain(settings), look=ctx.look)
    except ChildEnded as ended:
        raise Stop(Termination.STALLED, f"HiGHS ended without an answer, {ended}") from None


def _plain(settings: tuple) -> tuple:
    """Settings that can be pickled: the way back stays here."""
    program, *rest = settings
    data = (program.c, program.A, program.row_lower, program.row_upper, program.lower, program.upper)
    return (Program(*data, back=np.append), *rest)
