"""From a suite to its runs: every problem by every method, seed and repetition, each with an id that stays the same.

The id is a hash of all that decides what the run computes and what its record says: the problem's fingerprint and
start, its name and the label in tables, the method with its effective options, device, dtype, seed, repetition,
tolerance, limits and threads, and the versions of the core and of the method's distribution. The same suite has the
same ids in every process and on every machine, so a run that is on disk is known; a new version of a method is a new
run. How long a hanging run is waited for (`kill_after`) is not part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import solverkit
from solverkit import api
from solverkit.bench.record import Outcome, Record
from solverkit.bench.suite import Case, MethodEntry, Suite
from solverkit.engine.choices import check_options
from solverkit.engine.plain import plain
from solverkit.engine.points import starting_point
from solverkit.errors import InvalidProblem, MissingPackage, UsageError
from solverkit.registry import registry
from solverkit.registry.packages import missing, pip_line
from solverkit.text import clean

if TYPE_CHECKING:
    from solverkit.kinds.base import Problem
    from solverkit.registry.specs import SolverSpec

ID = 24
"""Hexadecimal digits of an id: 96 bits."""


@dataclass(frozen=True)
class Subject:
    """A problem as runs refer to it: how to get it, and what a record says of it."""

    name: str
    kind: str
    fingerprint: str
    file: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)
    content: bytes = b""  # the pickled problem, where it has no file
    expected: float | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    allow_python: bool = False


@dataclass(frozen=True)
class Run:
    """One run, ready to be handed to a worker."""

    id: str
    suite: str
    problem: Subject
    method: str
    label: str
    options: Mapping[str, Any]
    device: str
    dtype: str
    seed: int
    repetition: int
    tol: float
    limits: Mapping[str, Any]  # max_time, max_iter, max_calls
    hard: float  # seconds after which it is ended from outside

    def record(self, outcome: Outcome, reason: str = "", **more: Any) -> Record:
        """Its record, with what the plan knows."""
        subject = self.problem
        return Record(
            run=self.id,
            suite=self.suite,
            problem=subject.name,
            kind=subject.kind,
            method=self.method,
            label=self.label,
            seed=self.seed,
            repetition=self.repetition,
            outcome=outcome,
            reason=clean(" ".join(reason.split())),
            expected=subject.expected,
            sizes=dict(subject.sizes),
            **more,
        )


@dataclass(frozen=True)
class Plan:
    """All runs of a suite, and the records of those that cannot be made."""

    suite: dict[str, Any]
    runs: list[Run]
    skipped: list[Record]

    @property
    def ids(self) -> list[str]:
        """The ids of all of them, in the order of the suite."""
        return [run.id for run in self.runs] + [record.run for record in self.skipped]


Loaded = tuple[Subject, "Problem | None", str]
"""A problem, the object where it could be made, and why it could not."""


def make_plan(suite: Suite, problems: Sequence[Case | Problem], allow_python: bool = False) -> Plan:
    """The runs of a suite. Raises InvalidProblem with the defects of all its problem files.

    In a suite of several kinds each method is for the problems of its own kind: it is not a failure on the others."""
    loaded = load_all(problems, allow_python)
    kinds = {subject.kind for subject, problem, _ in loaded if problem is not None}
    runs: list[Run] = []
    skipped: list[Record] = []
    for subject, problem, lacking in loaded:
        starts = {seed: _start(problem, seed) for seed in suite.seeds}
        for entry in suite.methods:
            spec = registry.method(entry.method)
            if problem is not None and spec.kind != subject.kind and spec.kind in kinds:
                continue
            reason = lacking or _unfit(spec, entry, problem)
            for run in _runs(suite, subject, entry, spec, starts):
                if reason:
                    skipped.append(run.record(Outcome.SKIPPED, reason))
                else:
                    runs.append(run)
    return Plan(_document(suite, loaded), runs, skipped)


def load_all(problems: Sequence[Case | Problem], allow_python: bool) -> list[Loaded]:
    """Every problem, loaded once. Two of one name in tables are an error: they could not be told apart."""
    defects, loaded = [], []
    for given in problems:
        try:
            loaded.append(_load(given, allow_python) if isinstance(given, Case) else _object(given))
        except InvalidProblem as error:
            defects += error.defects
    if defects:
        raise InvalidProblem(defects)
    taken: dict[str, str] = {}
    for subject, _, _ in loaded:
        if subject.name in taken:
            places = " and ".join(filter(None, (taken[subject.name], subject.file))) or "both"
            raise UsageError(f"two problems of the suite are called {subject.name!r} ({places}): give one a `name:`")
        taken[subject.name] = subject.file
    return loaded


def _load(case: Case, allow_python: bool) -> Loaded:
    given = {"parameters": dict(case.parameters)} if case.parameters else {}
    try:
        problem = api.load(case.file, allow_python=allow_python, **given)
    except MissingPackage as error:
        content = hashlib.sha256(Path(case.file).read_bytes()).hexdigest()
        name = case.name or Path(case.file).parent.name
        subject = Subject(_variant(name, case.parameters), "unknown", content, case.file, case.parameters)
        return subject, None, str(error)
    except UsageError as error:
        raise UsageError(f"{case.file}: {error}") from None
    name = _variant(case.name or problem.name, case.parameters)
    subject = _subject(problem, name)
    file = str(Path(case.file).resolve())
    return replace(subject, file=file, parameters=case.parameters, allow_python=allow_python), problem, ""


def _object(problem: Problem) -> Loaded:
    from solverkit.bench.pickles import dumps

    return replace(_subject(problem, problem.name), content=dumps(problem)), problem, ""


def _subject(problem: Problem, name: str) -> Subject:
    expected = problem.expected.get("objective")
    known = isinstance(expected, (int, float)) and not isinstance(expected, bool)
    sizes = {block: int(array.size) for block, array in starting_point(problem, 0, None).items()}
    return Subject(
        name=clean(name, 200),
        kind=problem.kind,
        fingerprint=problem.fingerprint(),
        expected=float(expected) if known else None,  # type: ignore[arg-type]
        sizes=sizes,
    )


def _variant(name: str, parameters: Mapping[str, float]) -> str:
    """`toy[n=100,seed=1]`"""
    chosen = ",".join(f"{parameter}={value}" for parameter, value in parameters.items())
    return f"{name}[{chosen}]" if chosen else name


def _unfit(spec: SolverSpec, entry: MethodEntry, problem: Problem | None) -> str:
    """Why the method is not run on the problem; empty where it is."""
    if problem is not None and (reasons := registry.fits(spec, problem, entry.device, entry.dtype)):
        return "; ".join(reasons)
    if absent := missing(spec.packages):
        verb = "is" if len(absent) == 1 else "are"
        return f"method '{spec.name}' needs {', '.join(absent)}, which {verb} not installed. Run: {pip_line(absent)}"
    return ""


def _start(problem: Problem | None, seed: int) -> str:
    """Hash of where a run begins."""
    digest = hashlib.sha256()
    for name, block in sorted(starting_point(problem, seed, None).items() if problem is not None else ()):
        digest.update(f"{name} {block.shape} {block.dtype}".encode() + block.tobytes())
    return digest.hexdigest()


def _runs(
    suite: Suite, subject: Subject, entry: MethodEntry, spec: SolverSpec, starts: Mapping[int, str]
) -> Iterator[Run]:
    """One method on one problem, with every seed and repetition."""
    options = check_options(registry.options(spec), entry.options, spec.name).model_dump(mode="json")
    limits = suite.limits.model_dump(exclude={"kill_after"})
    origin = registry.origin(spec)
    versions = {"solverkit": solverkit.__version__, origin.distribution or origin.name: origin.version}
    for seed in suite.seeds:
        for repetition in range(suite.repetitions):
            content = {
                "problem": [subject.fingerprint, starts[seed], subject.name],
                "method": [spec.name, entry.shown, options, entry.device, entry.dtype],
                "run": [seed, repetition, suite.tol, limits, suite.threads],
                "versions": versions,
            }
            yield Run(
                id=_digest(content),
                suite=suite.name,
                problem=subject,
                method=spec.name,
                label=entry.shown,
                options=dict(entry.options),
                device=entry.device,
                dtype=entry.dtype,
                seed=seed,
                repetition=repetition,
                tol=suite.tol,
                limits=limits,
                hard=suite.limits.hard,
            )


def _digest(content: Any) -> str:
    text = json.dumps(plain(content), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:ID]


def _document(suite: Suite, loaded: Sequence[Loaded]) -> dict[str, Any]:
    """The suite as `suite.json` has it."""
    problems = [
        {"name": subject.name, "file": subject.file, "parameters": dict(subject.parameters)} for subject, _, _ in loaded
    ]
    facts = suite.model_dump(mode="json", exclude={"problems", "kind", "solverkit"})
    return {**facts, "problems": problems}
