"""The user's limits hold."""

from __future__ import annotations

from solverkit.engine.status import Termination
from solverkit.testing.catalogue import check
from solverkit.testing.instruments import Book
from solverkit.testing.report import Failed, Skipped
from solverkit.testing.subject import Subject, must

SLACK, SLACK_ONE_SHOT = 0.3, 1.0  # seconds that a busy machine may add
ATTEMPTS = 3  # of which one has to keep the time: the machine may have been busy


@check("let LimitReached through: it is a BaseException that leaves a tool from an oracle or from observe")
def max_iter(subject: Subject) -> None:
    """A run of max_iter steps takes exactly so many, unless it ends before."""
    for limit in (1, 3):
        result = subject.solve(max_iter=limit)
        exact = result.nit == limit or (result.nit < limit and result.termination is not Termination.MAX_ITER)
        must(exact, f"max_iter={limit}, but the run took {result.nit} steps ({result.termination.name})")


@check("make a step smaller", needs=("counts",))
def max_calls(subject: Subject) -> None:
    """A limit on oracle calls is passed by at most one step, and a `finish` that makes no more calls than one."""
    total = len(subject.short.oracles)
    if total < 2:
        raise Skipped("the method calls too few oracles to be stopped among them")
    limit, book = total // 2, Book()
    result = subject.solve(book=book, max_calls=limit)
    over = len(book.oracles) - limit
    step = 0 if subject.one_shot else max(book.calls)
    must(over <= 2 * step, f"max_calls={limit}, {over} more were made; one step makes {step} ({result.nit} steps)")


@check("make a step smaller, do no more in finish than in a step, and call observe often in a tool of its own loop")
def max_time(subject: Subject) -> None:
    """A limit on time is passed by at most one step, and a `finish` that takes no longer than one."""
    seen = ""
    for _ in range(ATTEMPTS):
        seen = _overshoot(subject)
        if not seen:
            return
    raise Failed(f"{seen}; at best of {ATTEMPTS} runs")


def _overshoot(subject: Subject) -> str:
    """How far a run passed its limit on time; empty where it kept it. A method that converges is made to go on."""
    limit, book, solver = subject.budget.limit_time, Book(), subject.solver()
    if not subject.one_shot:
        vars(solver)["converged"] = lambda state: False
    result = subject.solve(solver=solver, book=book, max_time=limit)
    if result.termination is not Termination.MAX_TIME:
        raise Skipped(f"the run ended before the limit ({result.termination.name})")
    spent = result.timing["solve"]
    allowed = SLACK_ONE_SHOT if subject.one_shot else 2 * max(book.seconds) + SLACK
    return f"max_time={limit:g}, but it took {spent:.2f} s" if spent > limit + allowed else ""
