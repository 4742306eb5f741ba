"""The one loop of all step methods: step, look, go on; and its counterpart for tools that own their loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from solverkit.engine.checkpoint import Checkpoint, Checkpointer
from solverkit.engine.counting import guarded
from solverkit.engine.interrupt import Interrupt
from solverkit.engine.limits import LimitReached
from solverkit.engine.patience import Patience
from solverkit.engine.points import as_point, is_finite
from solverkit.engine.recorder import Outcome, Recorder
from solverkit.engine.solver import Context
from solverkit.engine.status import Termination
from solverkit.engine.task import Task
from solverkit.errors import CheckpointError, SolverKitError
from solverkit.kinds.base import Point, Problem
from solverkit.text import clean


class StepLoop:
    """Drives a `Solver`."""

    def __init__(
        self,
        task: Task,
        problem: Problem,  # the counted one
        context: Context,
        recorder: Recorder,
        interrupt: Interrupt,
        patience: Patience,
        checkpointer: Checkpointer | None,
    ) -> None:
        self._task, self._problem, self._context = task, problem, context
        self._recorder, self._interrupt, self._checkpointer = recorder, interrupt, checkpointer
        self._patience = patience
        self._state: Any = None
        self._whole = True  # False within a step, which may change the state in place
        self._cut = False  # whether a step was left half done
        self._identity = task.identity if checkpointer else {}
        self._dearest = 0  # calls of the greatest step

    def run(self, resumed: Checkpoint | None) -> Outcome:
        """From the start, or from a checkpoint, to an outcome."""
        recorder, stop = self._recorder, None
        if resumed is None:
            stop = self._begin()
        else:
            self._restore(resumed)
        while stop is None:
            stop = self._between()
            if stop is None:
                recorder.ledger.arm()
                if self._patience.may_run_out():
                    self.save()
                self._whole = False
                stop = self._guarded(self._step)
                self._whole = True
                stop = stop or recorder.show()
            if self._checkpointer and stop is None and self._checkpointer.due(recorder.clock.elapsed()):
                self.save()
        return stop

    def finish(self, outcome: Outcome) -> tuple[Point | None, bool]:
        """The method's last word, and whether its merit is the best; (None, False) where it has none.

        A `finish` that fails loses nothing: the best point stands. After a limit on time or calls it may take as much
        as the greatest step did, and is cut at its next oracle call.
        """
        unfinished = {
            Termination.INTERRUPTED,
            Termination.NOT_FINITE,
            Termination.ORACLE_FAILED,
            Termination.SOLVER_FAILED,
            Termination.TARGET,
        }
        if outcome.point is not None:
            return as_point(outcome.point), True
        if outcome.termination in unfinished or self._cut:
            return None, False
        solver = self._task.solver
        try:
            problem = guarded(self._problem, self._allowance(outcome))
            self._state = solver.finish(problem, self._state, self._context)
            point, merit = as_point(solver.point(self._state)), solver.report(self._state).get("merit")
        except LimitReached:
            self._recorder.log("the limit left no room for finish; the best point stands")
            return None, False
        except Exception as error:
            self._recorder.log(f"finish failed, the best point stands: {self._recorder.failure(error).detail}")
            return None, False
        if not is_finite(point):
            return None, False
        return point, merit is None or merit <= self._recorder.best.merit

    def _allowance(self, outcome: Outcome) -> Callable[[], None]:
        """What `finish` is asked before each oracle call: it leaves by LimitReached once it has had its share."""
        clock, ledger = self._recorder.clock, self._recorder.ledger
        until, calls = clock.elapsed() + self._patience.longest, ledger.total() + self._dearest
        timed, counted = outcome.termination is Termination.MAX_TIME, outcome.termination is Termination.MAX_CALLS

        def guard() -> None:
            if (timed and clock.elapsed() > until) or (counted and ledger.total() >= calls):
                raise LimitReached(outcome.termination)

        return guard

    def save(self) -> None:
        """Write a checkpoint of this moment, unless a step is half done."""
        recorder, checkpointer = self._recorder, self._checkpointer
        if checkpointer is None or self._state is None or self._cut or not self._whole:
            return
        recorder.trace.flush(durable=True)
        elapsed = recorder.clock.elapsed()
        header = {
            "identity": self._identity,
            "nit": recorder.nit,
            "elapsed": elapsed,
            "ledger": recorder.ledger.save(),
            "rng": self._context.rng.bit_generator.state,
            "limits": self._task.limits.as_dict(),
            "source": self._task.source,
            "target": self._task.target,
            "versions": self._task.versions,
            "trace": recorder.trace.mark,
            "greatest": [self._patience.longest, self._dearest],
        }
        start = self._task.starting if self._task.start else None
        checkpointer.write(header, self._state, recorder.best, start, elapsed)

    def _begin(self) -> Outcome | None:
        """`init` and the record of its state. What is wrong with the input is raised, as before any work."""
        solver = self._task.solver
        try:
            with self._interrupt.work(LimitReached(Termination.INTERRUPTED)):
                self._state = solver.init(self._problem, self._task.starting, self._context)
        except SolverKitError:
            raise
        except LimitReached as limit:
            self._cut = True
            return Outcome(limit.termination, "before the method's first step")
        except Exception as error:
            return self._recorder.failure(error)
        stop = self._guarded(self._look)
        if stop is None:
            self.save()
        return stop or self._recorder.show(fresh=False)

    def _restore(self, checkpoint: Checkpoint) -> None:
        header = checkpoint.header
        self._state = checkpoint.state(self._task.package, self._task.device)
        self._recorder.nit = header["nit"]
        self._recorder.best = checkpoint.best()
        self._patience.longest, self._dearest = header["greatest"]
        try:
            self._context.rng.bit_generator.state = header["rng"]
            self._recorder.ledger.restore(header["ledger"])
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise CheckpointError(f"{clean(checkpoint.path)} holds no random state or no counts; start anew") from None
        self._recorder.report = self._task.solver.report(self._state)

    def _between(self) -> Outcome | None:
        """Whether the run ends before its next step."""
        if self._interrupt.requested:
            return Outcome(Termination.INTERRUPTED)
        recorder, limits = self._recorder, self._task.limits
        try:
            if self._task.solver.converged(self._state):
                return Outcome(Termination.CONVERGED)
        except Exception as error:
            return recorder.failure(error)
        calls = 0 if limits.max_calls is None else recorder.ledger.total()
        reached = limits.reached(recorder.nit, recorder.clock.elapsed(), calls)
        return Outcome(reached) if reached else None

    def _step(self) -> Outcome | None:
        clock, ledger = self._recorder.clock, self._recorder.ledger
        begin, before = clock.elapsed(), ledger.total()
        self._state = self._task.solver.step(self._problem, self._state, self._context)
        patience = self._patience
        patience.longest = max(patience.longest, clock.elapsed() - begin)
        self._dearest = max(self._dearest, ledger.total() - before)
        self._recorder.nit += 1
        return self._look(self._task.solver.written(self._state))

    def _look(self, written: Mapping[str, slice] | None = None) -> Outcome | None:
        solver = self._task.solver
        return self._recorder.absorb(solver.point(self._state), solver.report(self._state), written)

    def _guarded(self, work: Callable[[], Outcome | None]) -> Outcome | None:
        """Work of the method: its exceptions are outcomes."""
        try:
            with self._interrupt.work(LimitReached(Termination.INTERRUPTED)):
                return work()
        except LimitReached as limit:
            self._cut = True
            return Outcome(limit.termination, f"step {self._recorder.nit + 1} was left half done, as it took too long")
        except Exception as error:
            return self._recorder.failure(error)


class OneShotLoop:
    """Drives a `OneShotSolver`: limits and Ctrl-C leave the tool by an exception from an oracle or from `observe`."""

    def __init__(self, task: Task, recorder: Recorder, interrupt: Interrupt) -> None:
        self._task, self._recorder, self._interrupt = task, recorder, interrupt
        self._stop: Outcome | None = None  # kept, as a tool may swallow what is raised inside it
        self._escaped: BaseException | None = None  # an exception of the user's callback

    def guard(self) -> None:
        """Called before each oracle call."""
        self._leave(self._limit())

    def observe(self, point: Point, **report: float) -> None:
        """A candidate of the tool. One that is not finite is passed over: the tool may yet recover."""
        recorder = self._recorder
        recorder.nit += 1
        recorder.ledger.arm()
        if recorder.absorb(point, report) is None:
            try:
                self._stop = self._stop or recorder.show()
            except BaseException as error:
                self._escaped = error
                raise
        self._leave(self._stop or self._limit())

    def run(self, problem: Problem, context: Context) -> Outcome:
        """The tool's answer as an outcome."""
        task, recorder = self._task, self._recorder
        try:
            context = replace(context, look=self.guard)
            point = as_point(task.solver.solve(problem, task.starting, context, self.observe))
        except LimitReached as limit:
            return self._stop or Outcome(limit.termination)
        except SolverKitError:
            raise
        except Exception as error:
            if self._escaped is not None:
                raise self._escaped from None
            return self._stop or recorder.failure(error)
        if self._escaped is not None:
            raise self._escaped
        if not is_finite(point):
            suspect = recorder.ledger.nonfinite
            return Outcome(Termination.NOT_FINITE, f"the answer is not finite{f'; {suspect}' if suspect else ''}")
        if self._stop is not None:
            return self._stop
        return Outcome(Termination.CONVERGED, point=point)

    def _limit(self) -> Outcome | None:
        if self._interrupt.requested:
            return Outcome(Termination.INTERRUPTED)
        recorder, limits = self._recorder, self._task.limits
        calls = 0 if limits.max_calls is None else recorder.ledger.total()
        reached = limits.reached(recorder.nit, recorder.clock.elapsed(), calls)
        return Outcome(reached) if reached else None

    def _leave(self, stop: Outcome | None) -> None:
        if stop is not None:
            self._stop = stop
            raise LimitReached(stop.termination)
