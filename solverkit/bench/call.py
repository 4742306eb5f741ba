"""A suite as Python asks for it: a file, or problems and methods by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from solverkit.bench import store
from solverkit.bench.harness import run_plan
from solverkit.bench.plan import make_plan
from solverkit.bench.progress import Progress
from solverkit.bench.record import Outcome
from solverkit.bench.suite import Case, Suite, cases_of, load_suite, wrong_methods
from solverkit.bench.table import Table
from solverkit.errors import UsageError
from solverkit.kinds.base import Problem
from solverkit.kinds.messages import found
from solverkit.kinds.source import dotted
from solverkit.text import clean, nearest

RETRY = {outcome.name.lower(): outcome for outcome in (Outcome.FAILED, Outcome.TIMEOUT, Outcome.CRASHED)}
"""Outcomes that can be asked to be made again."""


def call(
    suite: str | Path | None,
    given: Mapping[str, Any],
    *,
    out: str | Path | None,
    jobs: int,
    dask: str | None,
    time_limit: float | None,
    retry: Iterable[str],
    allow_python: bool,
    progress: bool,
) -> Table:
    """See `solverkit.api.bench`; `given` is what stands in place of a suite file."""
    if jobs < 1:
        raise UsageError(f"jobs is a number of worker processes, 1 or more; {jobs} was given")
    if time_limit is not None and not time_limit >= 0:
        raise UsageError(f"time_limit is a number of seconds, 0 or more; {time_limit!r} was given")
    again = [_outcome(name) for name in retry]
    problems: Sequence[Case | Problem]
    if suite is not None:
        if unused := [name for name, value in given.items() if value is not None]:
            raise UsageError(f"the suite file says what is run: leave out {', '.join(unused)}")
        model, problems = load_suite(suite)
    else:
        model, problems = by_hand({name: value for name, value in given.items() if value is not None})
    plan = make_plan(model, problems, allow_python)
    how = {"jobs": jobs, "dask": dask, "time_limit": time_limit, "retry": again, "progress": Progress(progress)}
    if out is not None:
        return _made(plan, Path(out), how)
    with tempfile.TemporaryDirectory(prefix="solverkit-bench-") as folder:
        return _made(plan, Path(folder), how)


def by_hand(given: Mapping[str, Any]) -> tuple[Suite, list[Case | Problem]]:
    """A suite out of arguments: files and Problem objects, methods by name or as dicts, and the keys of suite files."""
    listed = {name: _listed(given.get(name)) for name in ("problems", "methods")}
    for name, values in listed.items():
        if not values:
            raise UsageError(f"give a suite file, or problems and methods: {name} is missing")
    objects = [problem for problem in listed["problems"] if isinstance(problem, Problem)]
    entries = [_entry(problem) for problem in listed["problems"] if not isinstance(problem, Problem)]
    content = {"solverkit": 1, "kind": "suite", "name": "bench", **given, **listed, "problems": entries or ["none"]}
    try:
        suite = Suite.model_validate(content)
    except ValidationError as error:
        lines = [f"{dotted(item.path)}: {item.message}" for item in found(error, Suite, content)]
        raise UsageError("\n".join(lines)) from None
    wrong = [f"{dotted(path)}: {message}" for path, message in wrong_methods(suite)]
    cases: list[Case | Problem] = [*objects]
    for entry in suite.problems if entries else []:
        some, problem = cases_of(Path(), entry)
        cases += some
        wrong += [f"problems: {problem}"] if problem else []
    if wrong:
        raise UsageError("\n".join(wrong))
    return suite, cases


def _made(plan: Any, folder: Path, how: Mapping[str, Any]) -> Table:
    ending = run_plan(plan, folder, **how)
    runs = store.read(folder)
    return Table(runs.records, runs.environments, runs.suite, ending.left, ending.interrupted)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, (str, Path, Problem, Mapping)) else list(value)


def _entry(problem: Any) -> Any:
    if isinstance(problem, Path):
        return str(problem)
    return dict(problem) if isinstance(problem, Mapping) else problem


def _outcome(name: str) -> Outcome:
    if name not in RETRY:
        raise UsageError(f"retry: no outcome {clean(name)!r}{nearest(name, RETRY)} (choose from {', '.join(RETRY)})")
    return RETRY[name]
