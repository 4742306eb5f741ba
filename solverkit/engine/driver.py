"""One run, from a problem and a method to a result. The mathematics is the method's, the verdict the certificate's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.engine.callback import adapt, flat, objective
from solverkit.engine.checkpoint import NAME, PREVIOUS, Checkpoint, Checkpointer
from solverkit.engine.counting import Ledger, counted
from solverkit.engine.files import sweep
from solverkit.engine.interrupt import Interrupt
from solverkit.engine.limits import Limits
from solverkit.engine.loop import OneShotLoop, StepLoop
from solverkit.engine.patience import Patience
from solverkit.engine.points import Best, copy_point
from solverkit.engine.progress import Mode, reporter
from solverkit.engine.recorder import Outcome, Recorder
from solverkit.engine.result import Result
from solverkit.engine.solver import Context, OneShotSolver
from solverkit.engine.status import RESUMABLE, Termination, exit_code, proven
from solverkit.engine.task import Clock, Task
from solverkit.engine.trace import Trace
from solverkit.engine.verdict import Judge
from solverkit.errors import CheckpointError, Unsuitable, UsageError
from solverkit.kinds.base import Certificate, Point, PointStatus, Problem
from solverkit.text import clean

if TYPE_CHECKING:
    from solverkit.registry.specs import SolverSpec

FILES = ("result.json", "point.npz", "trace.jsonl", NAME, PREVIOUS)
"""What a run's folder may hold; a new run in the same folder replaces it."""


def run(
    problem: Problem,
    spec: SolverSpec,
    solver: Any,
    kind: Any,
    *,
    start: Mapping[str, Any] | None = None,
    limits: Limits | None = None,
    tol: float = 1e-6,
    seed: int = 0,
    device: str = "cpu",
    dtype: str = "float64",
    callback: Callable[..., Any] | None = None,
    out: Path | None = None,
    checkpoint: float | None = 60.0,
    target: bool | int = False,
    resume_from: Checkpoint | None = None,
    progress: Mode = False,
    source: str = "",
    distribution: str = "",
) -> Result:
    """Run `solver` on `problem` and certify its answer.

    `start` overrides blocks of `problem.start`. `out` is a folder for trace and checkpoints, the latter every
    `checkpoint` seconds (None: none). `target` certifies during the run and stops where the certificate holds: True at
    steps that grow by a quarter, a number at every so many steps. Numerical outcomes come back in the result. Raised
    are UsageError, CheckpointError, what the callback raises, and KeyboardInterrupt at the second Ctrl-C.
    """
    task = Task(
        problem=problem,
        spec=spec,
        solver=solver,
        kind=kind,
        start=start,
        limits=limits or Limits(),
        tol=tol,
        seed=seed,
        device=device,
        dtype=dtype,
        target=target,
        callback=callback,
        progress=progress,
        source=source,
        distribution=distribution,
    )
    task.check()
    if resume_from is not None:
        if isinstance(solver, OneShotSolver):
            raise CheckpointError(f"method {spec.name!r} owns its loop and cannot be resumed")
        resume_from.check(task.identity)
    return Run(task, out, checkpoint, resume_from).execute()


class Run:
    """The parts of one run, put together and taken apart."""

    def __init__(self, task: Task, out: Path | None, checkpoint: float | None, resumed: Checkpoint | None) -> None:
        self._task = task
        self._resumed = resumed
        self._moved = _moved(task)  # before any file is touched: it may refuse
        best = Best(task.starting)
        if out is not None:
            _clear(out, FILES if resumed is None else ())
        steps = not isinstance(task.solver, OneShotSolver)
        self._checkpointer: Checkpointer | None = None
        if out and checkpoint is not None and steps:
            self._checkpointer = Checkpointer(out, checkpoint, resumed)
        self._judge = Judge(task.kind, task.problem, task.tol, task.seed)
        self._ledger = Ledger()
        self._reporter = reporter(task.progress, task.spec.name)
        self._recorder = Recorder(
            best=best,
            ledger=self._ledger,
            clock=Clock(resumed.header["elapsed"] if resumed else 0.0),
            trace=_trace(out, resumed),
            judge=self._judge,
            target=task.target,
            show=adapt(task.callback, task.problem) if task.callback else None,
            reporter=self._reporter,
            limits=task.limits,
        )
        self._context = Context(
            rng=np.random.default_rng([task.seed, 1]),  # not the generator that drew the start
            tol=task.tol,
            device=task.device,
            dtype=task.dtype,
            log=self._recorder.log,
            charge=self._ledger.charge,
        )

    def execute(self) -> Result:
        """Solve, certify, report."""
        with ExitStack() as stack:
            interrupt = stack.enter_context(Interrupt())
            if self._reporter is not None:
                stack.callback(self._reporter.close)
            stack.callback(self._recorder.trace.close)
            if isinstance(self._task.solver, OneShotSolver):
                answer = self._one_shot(interrupt)
            else:
                answer = self._steps(interrupt)
            return self._conclude(answer)

    def _one_shot(self, interrupt: Interrupt) -> Answer:
        loop = OneShotLoop(self._task, self._recorder, interrupt)
        outcome = loop.run(counted(self._moved, self._ledger, loop.guard), self._context)
        return Answer(outcome, outcome.point, True)

    def _steps(self, interrupt: Interrupt) -> Answer:
        task, recorder = self._task, self._recorder
        patience = Patience(recorder.clock, task.limits, interrupt)
        problem = counted(self._moved, self._ledger, patience.look)
        context = replace(self._context, look=patience.look)
        loop = StepLoop(task, problem, context, recorder, interrupt, patience, self._checkpointer)
        try:
            outcome = loop.run(self._resumed)
        except BaseException:
            loop.save()  # the callback's own exception, or a second Ctrl-C between steps: nothing done is lost
            raise
        if outcome.termination in RESUMABLE or outcome.termination is Termination.CONVERGED:
            loop.save()  # a kill while the answer is certified or saved costs that alone
        return Answer(outcome, *loop.finish(outcome))

    def _conclude(self, answer: Answer) -> Result:
        """Decide which point is the answer, and put the result together."""
        recorder, outcome = self._recorder, answer.outcome
        recorder.close()
        solve = recorder.clock.elapsed()
        with recorder.clock.pause():
            point, certificate = self._verdict(answer)
            fun = objective(self._task.problem, point)
        aside = recorder.clock.aside
        timing = {"solve": solve, "certificate": aside, "total": solve + aside}
        return self._result(outcome, copy_point(point), certificate, fun, timing)

    def _verdict(self, answer: Answer) -> tuple[Point, Certificate]:
        best = self._recorder.best.point
        if answer.outcome.certificate is not None:
            return best, answer.outcome.certificate
        if answer.last is None:
            return best, self._judge(best)
        return self._judge.better(answer.last, best, answer.last_is_best)

    def _result(
        self, outcome: Outcome, point: Point, certificate: Certificate, fun: float, timing: dict[str, float]
    ) -> Result:
        task, recorder = self._task, self._recorder
        proof = proven(outcome.termination, certificate)
        counts = self._ledger.counts()
        return Result(
            x=flat(task.problem, point),
            fun=fun,
            success=certificate.status is PointStatus.CERTIFIED,
            status=exit_code(outcome.termination, certificate.status, proof),
            message=_message(outcome, certificate),
            nit=recorder.nit,
            **counts,
            point=point,
            termination=outcome.termination,
            point_status=certificate.status,
            certificate=certificate,
            options=task.options,
            tol=float(task.tol),
            seed=int(task.seed),
            counts=counts,
            oracles=self._ledger.by_oracle(),
            charged=dict(self._ledger.charged),
            timing=timing,
            trace=[*recorder.trace.records],
            notes=self._notes(),
            fingerprint=task.problem.fingerprint(),
            versions=task.versions,
            device=task.device,
            dtype=task.dtype,
            method=task.spec.name,
            kind=task.problem.kind,
            problem=task.problem.name,
            source=task.source,
            error=outcome.error,
            folder="",
        )

    def _notes(self) -> list[str]:
        """What the user should know besides: sentences of the method, and files that could not be written."""
        resumed = self._resumed.warning if self._resumed else ""
        failed = self._checkpointer.failure if self._checkpointer else ""
        trace = self._recorder.trace
        said = [message["log"] for message in trace.messages]
        return [note for note in (resumed, failed, trace.warning, trace.failure, *said) if note]


@dataclass(frozen=True, eq=False)
class Answer:
    """Why the run stopped, and the method's last word besides the best point."""

    outcome: Outcome
    last: Point | None
    last_is_best: bool  # whether its merit is no worse than the best


def _moved(task: Task) -> Problem:
    """The problem where the method computes; Unsuitable where it lacks there what the method needs."""
    moved = task.problem.to(task.device, task.dtype)
    lacking = [name for name in task.spec.requires if name in task.problem.provides - moved.provides]
    if lacking:
        needs = f"method {task.spec.name!r} needs {', '.join(map(repr, lacking))}"
        raise Unsuitable(
            f"{needs}, and problem {clean(task.problem.name)!r} "
            f"provides that on 'cpu' in 'float64' alone, not on {task.device!r} in {task.dtype!r}: run it there"
        )
    return moved


def _message(outcome: Outcome, certificate: Certificate) -> str:
    """Two sentences: what the point is, why the run stopped."""
    why = f" ({certificate.unverified})" if certificate.unverified else ""
    detail = f" ({outcome.detail})" if outcome.detail else ""
    said = f"{certificate.status.name}: {certificate.sentence}{why}"
    return f"{said}. {outcome.termination.name}: {outcome.termination.value}{detail}."


def _clear(out: Path, names: Sequence[str]) -> None:
    """A folder without these files, and without what killed writers left. UsageError where it cannot be one."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in names:
            (out / name).unlink(missing_ok=True)
        sweep(out)
    except OSError as error:
        raise UsageError(f"out={str(out)!r} cannot be used as a folder: {error.strerror or error}") from None


def _trace(out: Path | None, resumed: Checkpoint | None) -> Trace:
    if out is None:
        return Trace()
    path = out / "trace.jsonl"
    return Trace.reopen(path, resumed.header["nit"], resumed.header["trace"]) if resumed else Trace(path)
