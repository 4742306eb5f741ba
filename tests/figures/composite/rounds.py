"""f over processes: rounds of communication and time to a certified gap of 1e-3, one process against two.

Dense least squares of 20,000 rows and 500 unknowns with TV; gloo on one machine. A round is one all_reduce.
"""

from __future__ import annotations

from typing import Any

import solverkit as sk
from tests.figures.composite._models import dense_regression

METHODS = ("accelerated-gradient-sliding", "condat-vu", "smoothed-fista")


def work(method: str) -> tuple[Any, ...]:
    """One rank's part."""
    from solverkit_sliding.parallel.rows import shard

    problem = shard(dense_regression(20_000, 500, 0.3, 1e-3))
    smooth: Any = problem.smooth
    bound, before = smooth.lipschitz, smooth.rounds
    result = sk.solve(problem, method=method, options={"lipschitz": bound}, tol=1e-3, max_iter=200)
    counts = result.counts
    return result.success, counts["njev"], counts["nmul"] // 2, smooth.rounds - before, result.timing["solve"]


def main() -> None:
    from solverkit_sliding.parallel.processes import run

    print("| method | processes | gradients | pairs of products | rounds, certificate included | seconds | certified |")
    print("|---|---|---|---|---|---|---|")
    for method in METHODS:
        for processes in (1, 2):
            success, gradients, pairs, rounds, seconds = run(work, processes, method)
            print(
                f"| {method} | {processes} | {gradients} | {pairs} | {rounds} | {seconds:.1f} | {success} |", flush=True
            )
