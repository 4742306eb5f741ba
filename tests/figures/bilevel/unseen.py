"""Twenty random problems of each of six sorts by every bilevel method's defaults: shares certified, time, calls.

A method's answer is near the best where its F is within 1e-5 of the least certified F of all methods, relative to
max(1, |F|): upper levels here have several minima. Times are processor seconds of the certified runs.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from tests.figures.bilevel._runs import run
from tests.figures.bilevel._unseen import SORTS, draw

METHODS = ("implicit-gradient", "penalty", "bo-rep", "lv-hba", "bsvrb", "nested", "kkt-ipopt")
SEEDS = 20
SECONDS = 3.0  # of the processor


@dataclass
class Run:
    method: str
    status: str
    ending: str
    objective: float
    seconds: float
    calls: float
    failed: str  # names of the terms that do not hold, of runs that are not certified


def attempt(sort: str, seed: int, method: str, seconds: float = SECONDS) -> Run | None:
    """One run; None where the method does not fit."""
    took = run(draw(sort, seed), method, seconds)
    if took is None:
        return None
    result, spent, calls = took
    failed = ",".join(term.name for term in result.certificate.terms if not term.ok)
    return Run(method, result.point_status.name, result.termination.name, result.fun, spent, calls, failed)


def table(sort: str, methods: tuple[str, ...], seeds: int = SEEDS) -> None:
    runs: dict[str, list[Run]] = defaultdict(list)
    best = np.full(seeds, np.inf)
    for seed in range(seeds):
        for method in methods:
            found = attempt(sort, seed, method)
            if found is None:
                continue
            runs[method].append(found)
            if found.status == "CERTIFIED":
                best[seed] = min(best[seed], found.objective)
            else:
                print(f"  {sort} {seed}: {method} {found.status} {found.ending} F {found.objective:.8g} {found.failed}")
    print(f"\n{sort}, {seeds} problems")
    print(f"| {'method':<17} | certified | near the best | median s | most s | median calls |")
    print("|---|---|---|---|---|---|")
    for method, tried in runs.items():
        sure = [run for run in tried if run.status == "CERTIFIED"]
        near = sum(
            run.objective <= least + 1e-5 * max(1.0, abs(least))
            for run, least in zip(tried, best, strict=True)
            if run.status == "CERTIFIED"
        )
        seconds = [run.seconds for run in sure] or [np.nan]
        calls = [run.calls for run in sure] or [np.nan]
        print(
            f"| {method:<17} | {len(sure)}/{len(tried)} | {near} | {np.median(seconds):.3f} | {max(seconds):.2f} "
            f"| {np.median(calls):.0f} |",
            flush=True,
        )


def main() -> None:
    warnings.simplefilter("ignore")
    for sort in SORTS:
        table(sort, METHODS)
