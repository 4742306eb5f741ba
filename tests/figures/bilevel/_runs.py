"""One run of a method under a limit of processor seconds, which other work on the machine does not shorten."""

from __future__ import annotations

import time

import solverkit as sk
from solverkit.engine.result import Result
from solverkit.errors import SolverKitError
from solverkit.kinds.base import Problem

COUNTED = ("nfev", "njev", "nhvp", "nhev")


def run(problem: Problem, method: str, seconds: float, start: object = None) -> tuple[Result, float, float] | None:
    """(result, processor seconds without the certificate, oracle calls); None where the method does not fit.

    Calls are values, gradients, Hessians and Hessian-vector products, and batches as shares of a whole evaluation.
    """
    begin, last = time.process_time(), time.process_time()

    def watch(intermediate_result: object) -> None:
        nonlocal last
        last = time.process_time()
        if last - begin > seconds:
            raise StopIteration

    try:
        result = sk.solve(problem, method=method, callback=watch, max_time=20 * seconds, start=start)
    except SolverKitError:
        return None
    samples = max(getattr(problem, "lower_samples", 0), 1)
    calls = sum(result.counts.get(name, 0) for name in COUNTED) + result.counts.get("ncomp", 0) / samples
    return result, last - begin, calls
