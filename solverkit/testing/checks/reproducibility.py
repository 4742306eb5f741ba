"""Equal problem, options and seed give equal runs, bit for bit."""

from __future__ import annotations

from solverkit.testing.catalogue import check
from solverkit.testing.subject import Subject, difference, must, trace_digest


@check(
    "take randomness from ctx.rng; let nothing depend on time, on memory addresses or on former runs",
    needs=("start_untouched", "problem_untouched"),
)
def same_seed(subject: Subject) -> None:
    """Two runs in one process with one seed are equal: reports, counts and point."""
    first, second = (subject.solve(max_iter=subject.budget.steps) for _ in range(2))
    must(trace_digest(first) == trace_digest(second), f"two runs differ: {difference(first, second)}")
    must(first.counts == second.counts, f"two runs differ in oracle calls: {first.counts} and {second.counts}")


@check(
    "sort what comes out of a set; use no hash() of strings and no id()",
    needs=("same_seed", "global_random"),
)
def other_process(subject: Subject) -> None:
    """A run in another process, with another PYTHONHASHSEED, is equal to the one here."""
    subject.processes_only()
    answer = subject.elsewhere
    must(not answer.error, f"a new process could not run the method: {answer.error}")
    here = trace_digest(subject.solve(max_iter=subject.budget.steps))
    must(answer.replay == here, f"the run of {subject.budget.steps} steps differs from the one in this process")
