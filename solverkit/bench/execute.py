"""One run, from a plan's line to a record. Whatever happens inside, there is a record."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from solverkit import api
from solverkit.bench.lines import thinned
from solverkit.bench.plan import Run, Subject
from solverkit.bench.record import Outcome, Record
from solverkit.engine.plain import plain
from solverkit.engine.status import Termination
from solverkit.errors import MissingPackage, Unsuitable

if TYPE_CHECKING:
    from solverkit.engine.result import Result
    from solverkit.kinds.base import Certificate, Problem

KEPT = 4
"""Problems that a worker keeps loaded."""

LOADING = 120.0
"""Seconds that loading a problem may take."""

FIRST = 20.0
"""Seconds that the first calls of a method may take at least, with all that it imports."""

WARM_UP = {"max_time": 1.0, "max_iter": 1, "max_calls": 20}
"""Limits of a run that nobody counts."""

Watch = Callable[[float], object]
"""Called before each part of a run with the seconds that it may take: it may end the process if it takes longer."""

BROKEN = (Termination.SOLVER_FAILED, Termination.ORACLE_FAILED)


class Problems:
    """The problems that a worker used last, and which methods it has run."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[tuple[str, str], Problem] = OrderedDict()
        self._warm: set[str] = set()

    def get(self, subject: Subject, watch: Watch) -> Problem:
        """The problem, loaded where it is not at hand."""
        key = (subject.fingerprint, subject.name)
        if key not in self._loaded:
            watch(LOADING)
            self._loaded[key] = _make(subject)
            if len(self._loaded) > KEPT:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return self._loaded[key]

    def warm(self, run: Run, problem: Problem, watch: Watch) -> None:
        """A few calls of a method that this worker never ran: what it imports and compiles is no time of a run."""
        if run.label in self._warm:
            return
        self._warm.add(run.label)
        watch(max(run.hard, FIRST))
        with contextlib.suppress(Exception):  # the run itself will meet it
            _solve(run, problem, WARM_UP)


def execute(run: Run, problems: Problems, environment: str = "", watch: Watch = lambda seconds: None) -> Record:
    """Make a run. Never raises, but for KeyboardInterrupt and its like."""
    begun = time.time()
    where: dict[str, Any] = {"started": begun, "worker": worker(), "environment": environment}
    try:
        problem = problems.get(run.problem, watch)
        problems.warm(run, problem, watch)
        watch(run.hard)
        return _record(run, _solve(run, problem, run.limits), where)
    except (MissingPackage, Unsuitable) as error:
        return run.record(Outcome.SKIPPED, str(error), **where)
    except Exception as error:
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return run.record(Outcome.FAILED, text, time=time.time() - begun, **where)


def worker() -> str:
    """The name of this process in records."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _solve(run: Run, problem: Problem, limits: Mapping[str, Any]) -> Result:
    return api.solve(
        problem,
        run.method,
        dict(run.options),
        **limits,
        tol=run.tol,
        seed=run.seed,
        device=run.device,
        dtype=run.dtype,
        target=True,
    )


def _make(subject: Subject) -> Problem:
    if not subject.file:
        return pickle.loads(subject.content)
    given = {"parameters": dict(subject.parameters)} if subject.parameters else {}
    problem = api.load(subject.file, allow_python=subject.allow_python, **given)
    if problem.fingerprint() != subject.fingerprint:
        raise RuntimeError(
            f"{subject.file} is not the problem that was planned: it changed, or is another on this host"
        )
    return problem


def _record(run: Run, result: Result, where: dict[str, Any]) -> Record:
    if result.success:
        outcome, reason = Outcome.SOLVED, ""
    elif result.termination in BROKEN:
        outcome, reason = Outcome.FAILED, _failure(result)
    else:
        outcome, reason = Outcome.UNSOLVED, _shortfall(result.certificate, result.termination)
    return run.record(
        outcome,
        reason,
        termination=result.termination.name.lower(),
        point_status=result.point_status.name.lower(),
        objective=float(result.fun) if isfinite(result.fun) else None,
        certificate={
            term.name: {"value": float(term.value), "scaling": float(term.scaling), "tolerance": float(term.tolerance)}
            for term in result.certificate.terms
        },
        counts=plain(dict(result.counts)),
        calls=int(sum(result.counts.values())),
        iterations=int(result.nit),
        time=float(result.timing["solve"]),
        certificate_time=float(result.timing["certificate"]),
        trace=_trace(result),
        **where,
    )


def _failure(result: Result) -> str:
    """What the method or the oracle said last."""
    lines = result.error.strip().splitlines()
    return lines[-1] if lines else result.message


def _shortfall(certificate: Certificate, termination: Termination) -> str:
    """Which conditions do not hold, worst first, and why the run ended."""
    wrong = [term for term in certificate.terms if not term.ok]
    wrong.sort(key=lambda term: -(term.value / term.scaling / term.tolerance))
    lacking = ", ".join(f"{term.name} {term.value / term.scaling:.1e} > {term.tolerance:.0e}" for term in wrong[:3])
    what = certificate.unverified or lacking or "the certificate does not hold"
    return f"{what}; ended by {termination.name.lower()}"


def _trace(result: Result) -> list[tuple[float, int, float]]:
    """(seconds, calls, merit) where the method reports a merit."""
    rows = []
    for line in result.trace:
        merit = line["report"].get("merit")
        if merit is not None and isfinite(merit):
            rows.append((float(line["time"]), int(sum(line["counts"].values())), float(merit)))
    return thinned(rows)
