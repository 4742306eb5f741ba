"""Twenty random problems of each of six sorts by every bilevel method's defaults: shares certified, time, calls.

A method's answer is near the best where its F is within 1e-5 of the least certified F of all methods, relative
to max(1, |F|): upper levels here have several minima. Times are processor seconds of the
certified runs, certificate included.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

import solverkit as sk
from solverkit.errors import SolverKitError
from tests.figures.bilevel._unseen import SORTS, draw

METHODS = ("implicit-gradient", "penalty", "bo-rep", "lv-hba", "bsvrb", "nested", "kkt-ipopt")
SEEDS = 20
SECONDS = 15.0
CALLS = ("nfev", "njev", "nhvp", "nhev", "ncomp")


@dataclass
class Run:
    method: str
    status: str
    ending: str
    objective: float
    seconds: float
    calls: int
    failed: str  # names of the terms that do not hold, of runs that are not certified


def attempt(sort: str, seed: int, method: str, seconds: float = SECONDS) -> Run | None:
    """One run; None where the method does not fit."""
    problem = draw(sort, seed)
    begin = time.process_time()
    try:
        result = sk.solve(problem, method=method, max_time=seconds)
    except SolverKitError:
        return None
    took = time.process_time() - begin
    failed = ",".join(term.name for term in result.certificate.terms if not term.ok)
    calls = sum(result.counts.get(name, 0) for name in CALLS)
    return Run(method, result.point_status.name, result.termination.name, result.fun, took, calls, failed)


def table(sort: str, methods: tuple[str, ...], seeds: int = SEEDS) -> None:
    runs: dict[str, list[Run]] = defaultdict(list)
    best = np.full(seeds, np.inf)
    for seed in range(seeds):
        for method in methods:
            run = attempt(sort, seed, method)
            if run is None:
                continue
            runs[method].append(run)
            if run.status == "CERTIFIED":
                best[seed] = min(best[seed], run.objective)
            else:
                print(f"  {sort} {seed}: {method} {run.status} {run.ending} F {run.objective:.8g} {run.failed}")
    print(f"\n{sort}, {seeds} problems")
    print(f"| {'method':<17} | certified | near the best | median s | most s | median calls |")
    print("|---|---|---|---|---|---|")
    for method, found in runs.items():
        sure = [run for run in found if run.status == "CERTIFIED"]
        near = sum(
            run.objective <= least + 1e-5 * max(1.0, abs(least))
            for run, least in zip(found, best, strict=True)
            if run.status == "CERTIFIED"
        )
        seconds = [run.seconds for run in sure] or [np.nan]
        calls = [run.calls for run in sure] or [np.nan]
        print(
            f"| {method:<17} | {len(sure)}/{len(found)} | {near} | {np.median(seconds):.3f} | {max(seconds):.2f} "
            f"| {np.median(calls):.0f} |",
            flush=True,
        )


def main() -> None:
    warnings.simplefilter("ignore")
    asked = [sort for sort in SORTS if sort.replace(" ", "-") in sys.argv[2:]]
    for sort in asked or SORTS:
        table(sort, METHODS)
