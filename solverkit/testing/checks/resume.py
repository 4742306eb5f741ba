"""A run that is stopped and resumed is the run that was never stopped."""

from __future__ import annotations

import tempfile
from pathlib import Path

from solverkit.engine.checkpoint import Checkpoint
from solverkit.testing.catalogue import check
from solverkit.testing.report import Skipped
from solverkit.testing.subject import Subject, difference, must, trace_digest


@check(
    "keep in the state all that the next step depends on; rebuild caches from problem, options and state when absent",
    needs=("state", "reading", "same_seed", "other_process", "global_random"),
)
def resume(subject: Subject) -> None:
    """k steps, a checkpoint, and k steps more by a new instance are equal bit for bit to 2k steps: in this process, for
    several k, and in another one. Oracle calls may be more, where caches had to be rebuilt, and not fewer."""
    subject.steps_only()
    half = subject.half
    if not half:
        raise Skipped("the run is over before it can be cut in two")
    for k in sorted({1, half}):
        whole = subject.solve(max_iter=2 * k)
        with tempfile.TemporaryDirectory(prefix="conformance-") as name:
            out = Path(name)
            subject.solve(max_iter=k, out=out)
            resumed = subject.solve(max_iter=2 * k, out=out, resume_from=Checkpoint.load(out))
        seen = f"resumed after {k} of {2 * k} steps: {difference(whole, resumed, after=k)}"
        must(trace_digest(whole, k) == trace_digest(resumed, k), seen)
        fewer = [name for name, count in whole.counts.items() if resumed.counts.get(name, 0) < count]
        must(not fewer, f"resumed after {k} of {2 * k} steps, the run counts fewer calls: {', '.join(fewer)}")
    if not subject.processes:
        return
    answer = subject.elsewhere
    must(not answer.error, f"a new process could not resume the run: {answer.error}")
    there = trace_digest(subject.solve(max_iter=2 * half), half)
    must(answer.resumed == there, f"resumed in another process after {half} steps, the run differs")
