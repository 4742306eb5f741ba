"""A run leaves nothing behind but its result."""

from __future__ import annotations

from solverkit.errors import UsageError
from solverkit.testing.catalogue import check
from solverkit.testing.digest import digest
from solverkit.testing.ground import captured
from solverkit.testing.report import Skipped
from solverkit.testing.subject import Subject, data_digest, must


@check("copy in init: x = start['x'].copy()")
def start_untouched(subject: Subject) -> None:
    """The start belongs to the caller: its arrays are the same after the run."""
    start = subject.start()
    before = {name: digest(block) for name, block in start.items()}
    subject.walk(start=start)
    must(start.keys() == before.keys(), f"blocks of the start were {sorted(before)}, now {sorted(start)}")
    for name, block in start.items():
        must(digest(block) == before[name], f"start[{name!r}] was changed during the run")


@check("copy before writing; a problem and the arrays that its oracles return are shared")
def problem_untouched(subject: Subject) -> None:
    """The problem is immutable: its data and fingerprint are the same after the run."""
    problem = subject.problem
    before, print_before, start = data_digest(problem), problem.fingerprint(), subject.start()
    subject.walk()
    must(data_digest(problem) == before, "an array or a field of the problem was changed during the run")
    must(digest(subject.start()) == digest(start), "the problem's start is another one after the run")
    must(problem.fingerprint() == print_before, "the problem's fingerprint is another one after the run")


@check("draw from ctx.rng, which belongs to the run and is part of a checkpoint")
def global_random(subject: Subject) -> None:
    """No global generator of random numbers is used or seeded: random, numpy.random, torch."""
    moved = subject.walk().left.generators
    must(not moved, f"the global generator of {', '.join(moved)} moved during the run")


@check("make arrays with dtype=ctx.dtype or float64, and leave dtypes out of the record that the method cannot work in")
def dtype(subject: Subject) -> None:
    """In each dtype that its record names, the method loses nothing: the point's real blocks are of that dtype or
    float64."""
    real = [name for name, block in subject.start().items() if block.dtype.kind == "f"]
    for asked in subject.spec.dtypes:
        try:
            subject.problem.to("cpu", asked)
        except UsageError as error:
            raise Skipped(str(error)) from None
        for nit, point in enumerate(subject.walk(steps=2, dtype=asked).points):
            for name in real:
                seen = f"in a run in {asked}, block {name!r} is {point[name].dtype} after {nit} steps"
                must(point[name].dtype in (asked, "float64"), seen)


@check("leave thread counts to the user; threadpoolctl's context managers set them for one call")
def threads(subject: Subject) -> None:
    """BLAS, OpenMP and torch have as many threads after the run as before."""
    changed = subject.walk().left.threads
    must(not changed, "\n".join(changed))


@check("say it with ctx.log, or put numbers into report; silence a library by its own option")
def silence(subject: Subject) -> None:
    """Nothing is written to stdout or stderr, neither by Python nor below it."""
    with captured() as texts:
        subject.walk()
    must(not texts[0], f"{texts[0][:300]!r}")


@check("set what is needed inside a `with` block: warnings.catch_warnings, numpy.errstate")
def settings(subject: Subject) -> None:
    """Settings of the process are as before: warnings filters, numpy.seterr, environment, working folder, signal
    handlers, logging, locale."""
    changed = subject.walk().left.settings
    must(not changed, "\n".join(changed))


@check("keep it in the state; the engine writes checkpoints, traces and results where the user says")
def files(subject: Subject) -> None:
    """No file is left in the working folder."""
    found = subject.walk().left.files
    must(not found, f"new in the working folder: {', '.join(found)}")
