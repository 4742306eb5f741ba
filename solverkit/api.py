"""The library as a user calls it: load a problem, solve it, resume, verify, see which methods fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solverkit import given
from solverkit.errors import Unsuitable, UsageError
from solverkit.registry.specs import SolverSpec
from solverkit.text import clean

if TYPE_CHECKING:
    from pydantic import BaseModel

    from solverkit.bench.many import Failed
    from solverkit.bench.table import Table
    from solverkit.engine.progress import Mode
    from solverkit.engine.result import Result
    from solverkit.kinds.base import Certificate, Problem


@dataclass(frozen=True)
class Fit:
    """One method, and why it does not fit the problem that was asked about."""

    spec: SolverSpec
    reasons: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the method takes the problem."""
        return not self.reasons

    def _repr_html_(self) -> str:
        from solverkit.display.html import of_method

        return of_method(self)


class Fits(list[Fit]):
    """Methods, shown as a table in notebooks."""

    def _repr_html_(self) -> str:
        from solverkit.display.html import of_methods

        return of_methods(self)


def load(
    path: str | Path | Any,
    *,
    parameters: Mapping[str, float] | None = None,
    data: Mapping[str, Any] | None = None,
    allow_python: bool = False,
) -> Problem:
    """The problem of a file, a Pyomo model or a CVXPY problem; `parameters` and `data` in place of the file's.

    Raises InvalidProblem with every defect and its place, UsageError for a name that the file does not have."""
    return given.load(path, parameters, data, allow_python)


def solve(
    problem: Problem | str | Path,
    method: str | None = None,
    options: Mapping[str, Any] | BaseModel | None = None,
    *,
    tol: float = 1e-6,
    max_time: float | None = None,
    max_iter: int | None = None,
    max_calls: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    dtype: str = "float64",
    callback: Callable[..., Any] | None = None,
    out: str | Path | None = None,
    checkpoint: float | None = 60.0,
    start: Any = None,
    target: bool | int = False,
    progress: Mode = False,
    allow_python: bool = False,
) -> Result:
    """Solve a problem and certify the answer.

    Parameters
    ----------
    problem : a Problem, the path of a problem file, a Pyomo model, which stays as it is (see `solverkit.pyomo`), or a
        CVXPY problem, which gets values, duals and status (see `solverkit.cvxpy`)
    method : name of a method; None picks the one of highest priority that fits
    options : of the method, as a dict or its model; see `solverkit describe METHOD`
    tol : of the certificate, also given to the method
    max_time, max_iter, max_calls : seconds, steps, and oracle calls at most; the best point so far is the answer then
    seed : of the start and of the method; equal seeds give equal runs
    device, dtype : where and in which precision the method computes; certificates are computed in float64 on the CPU
    callback : `callback(intermediate_result)` or `callback(x)` after each step, as in SciPy; StopIteration ends the run
    out : folder for result.json, point.npz, trace.jsonl and, while running, checkpoint.npz every `checkpoint` seconds
    start : where to begin: a dict of blocks, a Result, the folder of one, or one flat vector
    target : certify during the run too, and stop where the certificate holds: True, or a number of steps
    progress : True shows a line on a terminal, "log" prints one a second, both on stderr
    allow_python : let the problem file name Python code, which is then executed

    Raises
    ------
    InvalidProblem, UsageError, Unsuitable, MissingPackage
        before any work. Numerical outcomes are never raised: see `Result.termination` and `Result.point_status`.
    """
    from solverkit.engine.limits import Limits

    limits = Limits(max_iter, max_time, max_calls)
    kind = None if method is None else _registry().method(method).kind
    reduction = given.reduction(problem, kind)
    found, source = (reduction.problem, "") if reduction else given.problem(problem, allow_python, kind)
    spec = _choose(found, method, device, dtype)
    return _run(
        found,
        spec,
        options,
        out,
        finish=reduction.finish if reduction else None,
        start=reduction.start() if reduction and start is None else given.start(found, start),
        limits=limits,
        tol=tol,
        seed=seed,
        device=device,
        dtype=dtype,
        callback=callback,
        checkpoint=checkpoint,
        target=target,
        progress=progress,
        source=source,
    )


def resume(
    folder: str | Path,
    problem: Problem | str | Path | None = None,
    *,
    max_time: float | None = None,
    max_iter: int | None = None,
    max_calls: int | None = None,
    callback: Callable[..., Any] | None = None,
    checkpoint: float | None = 60.0,
    progress: Mode = False,
    allow_python: bool = False,
) -> Result:
    """Go on with a run from the checkpoint in its folder, bit for bit as if it had never stopped.

    Method, options, start, tol, seed, device, dtype and target are those of the run. Limits that are not given stay as
    they were; all bound the whole run, what was done before included. `problem` is needed where the run was given an
    object and not a file.

    Raises CheckpointError where there is nothing to go on from, or where the problem is another one.
    """
    from solverkit.engine.checkpoint import Checkpoint
    from solverkit.engine.limits import Limits

    folder = Path(folder)
    saved = Checkpoint.load(folder)
    header, identity = saved.header, saved.header["identity"]
    if problem is None and not header["source"]:
        raise UsageError(
            "the run was given a problem object, or a file with other parameters: pass the same problem again, "
            "resume(folder, problem) or --problem FILE --parameter NAME=VALUE"
        )
    spec = _registry().method(identity["method"])
    reduction = given.reduction(problem, spec.kind)
    asked = header["source"] if problem is None else problem
    found, source = (reduction.problem, "") if reduction else given.problem(asked, allow_python, spec.kind)
    asked_limits = {"max_iter": max_iter, "max_time": max_time, "max_calls": max_calls}
    limits = Limits(**header["limits"] | {name: value for name, value in asked_limits.items() if value is not None})
    return _run(
        found,
        spec,
        identity["options"],
        folder,
        finish=reduction.finish if reduction else None,
        start=saved.start(),
        limits=limits,
        tol=identity["tol"],
        seed=identity["seed"],
        device=identity["device"],
        dtype=identity["dtype"],
        callback=callback,
        checkpoint=checkpoint,
        target=header["target"],
        resume_from=saved,
        progress=progress,
        source=source,
    )


def verify(
    result: Result | str | Path,
    problem: Problem | str | Path,
    tol: float | None = None,
    seed: int | None = None,
    *,
    allow_python: bool = False,
) -> Certificate:
    """Recompute the certificate of a result, trusting nothing in it but its point.

    `tol` and `seed` are those of the result where they are not given. Raises UsageError where the result is of another
    problem, InvalidProblem where its files are no result.
    """
    from solverkit.engine.points import as_point
    from solverkit.engine.result import Result
    from solverkit.engine.verdict import Judge

    known = result if isinstance(result, Result) else Result.load(result)
    reduction = given.reduction(problem, known.kind)
    found = reduction.problem if reduction else given.problem(problem, allow_python, known.kind)[0]
    if known.fingerprint != found.fingerprint():
        ours, theirs = found.fingerprint()[:12], clean(known.fingerprint)[:12]
        raise UsageError(
            f"the result is of another problem: {clean(known.problem)!r} with fingerprint {theirs}, "
            f"while {clean(found.name)!r} has {ours}; give the file that was solved"
        )
    judge = Judge(
        _registry().kind(found.kind),
        found,
        known.tol if tol is None else tol,
        known.seed if seed is None else seed,
    )
    return judge(as_point(known.point))


def methods(problem: Problem | str | Path | None = None, *, allow_python: bool = False) -> Fits:
    """All methods; for a problem, those that fit first, the others with the reasons why they do not."""
    registry = _registry()
    if problem is None:
        return Fits(Fit(spec) for spec in registry.methods())
    found, _ = given.problem(problem, allow_python)
    fits = [Fit(spec, tuple(registry.fits(spec, found))) for spec in registry.methods()]
    order = sorted(fits, key=lambda fit: (not fit.fits, fit.spec.kind != found.kind, -fit.spec.priority, fit.spec.name))
    return Fits(order)


def bench(
    suite: str | Path | None = None,
    *,
    problems: Any = None,
    methods: Any = None,
    seeds: Sequence[int] | None = None,
    repetitions: int | None = None,
    tol: float | None = None,
    max_time: float | None = None,
    max_iter: int | None = None,
    max_calls: int | None = None,
    threads: int | None = None,
    name: str | None = None,
    out: str | Path | None = None,
    jobs: int = 1,
    dask: str | None = None,
    time_limit: float | None = None,
    retry: Iterable[str] = (),
    allow_python: bool = False,
    progress: bool = False,
) -> Table:
    """Run methods on problems, each certified while it goes on, and compare them.

    Parameters
    ----------
    suite : path of a suite file; or instead of it
    problems, methods, seeds, repetitions, tol, threads, name : as in a suite file; problems may be Problem objects
    max_time, max_iter, max_calls : of each run; 60 seconds where nothing is given
    out : folder of the runs. The same call goes on where a former one ended; None keeps nothing on disk
    jobs : worker processes on this machine
    dask : address of a Dask scheduler whose workers make the runs instead; they share the disk of `out`
    time_limit : seconds after which no further run is begun
    retry : outcomes to make again: "failed", "timeout", "crashed"
    allow_python : let problem files name Python code, which is then executed
    progress : show on stderr how far it is

    Raises InvalidProblem with every defect of the suite and its problems, UsageError, MissingPackage. What happens in a
    run is in its record: a crash, a run that hangs, a method that does not fit.
    """
    from solverkit.bench.call import call

    limits = {"max_time": max_time, "max_iter": max_iter, "max_calls": max_calls}
    return call(
        suite,
        {
            "problems": problems,
            "methods": methods,
            "seeds": seeds,
            "repetitions": repetitions,
            "tol": tol,
            "limits": {name: value for name, value in limits.items() if value is not None} or None,
            "threads": threads,
            "name": name,
        },
        out=out,
        jobs=jobs,
        dask=dask,
        time_limit=time_limit,
        retry=retry,
        allow_python=allow_python,
        progress=progress,
    )


def solve_many(
    problems: Sequence[Problem | str | Path], method: str | None = None, *, jobs: int = 2, threads: int = 1, **how: Any
) -> list[Result | Failed]:
    """Solve many problems in worker processes; `how` is passed on to `solve`.

    The results come in the order of the problems. Where there is none (an invalid file, a method that does not fit, a
    worker that died) a `Failed` stands in its place, with `success` false and the reason as its text. With `max_time`,
    a run that hangs is ended after 1.5 max_time + 5 seconds. `jobs=1` solves in this process.
    """
    from solverkit.bench.many import solve_many as many

    return many(problems, jobs=jobs, threads=threads, how={"method": method, **how})


def _registry() -> Any:
    from solverkit.registry import registry

    return registry


def _choose(problem: Problem, method: str | None, device: str, dtype: str) -> SolverSpec:
    """The method asked for if it fits, or the registry's choice."""
    registry = _registry()
    if method is None:
        return registry.default(problem, device, dtype)
    spec = registry.method(method)
    if reasons := registry.fits(spec, problem, device, dtype):
        raise Unsuitable("\n".join(reasons))
    return spec


def _run(
    problem: Problem,
    spec: SolverSpec,
    options: Mapping[str, Any] | BaseModel | None,
    out: str | Path | None,
    finish: Callable[[Result], None] | None = None,
    **how: Any,
) -> Result:
    """Everything after the choice of problem and method; the result is saved where `out` is given.

    finish : what is to be done with the result before it is saved"""
    from solverkit.engine.choices import check_options
    from solverkit.engine.driver import run
    from solverkit.engine.findings import remarks, save_files

    registry = _registry()
    solver_class, model = registry.resolve(spec)
    solver = solver_class(check_options(model, options, spec.name))
    folder = None if out is None else Path(out)
    distribution = registry.origin(spec).distribution
    kind = registry.kind(problem.kind)
    result = run(problem, spec, solver, kind, out=folder, distribution=distribution, **how)
    result.notes += remarks(kind, problem, result.point)
    if finish is not None:
        finish(result)
    if folder is not None:
        if failure := save_files(kind, problem, result.point, folder):
            result.notes.append(failure)
        _save(result, folder)
    return result


def _save(result: Result, folder: Path) -> None:
    """Write the result; only then is there nothing to resume. A disk that refuses costs the files, never the answer."""
    from solverkit.engine.checkpoint import discard
    from solverkit.engine.status import COMPLETE

    try:
        result.save(folder)
    except OSError as error:
        result.notes.insert(0, f"the result could not be saved in {clean(folder)}: {error.strerror or error}")
        result.status = result.status or 1
        return
    result.folder = str(folder)
    if result.termination in COMPLETE:
        with suppress(OSError):  # a checkpoint that stays leads to the same result again
            discard(folder)
