"""SequenceTuner with its defaults on heat flow: against the best fixed w of 20, and the best w of each system.

Work in multiply-adds by the solvers' model, which is what the tuner learns from here; CPU seconds of the solves,
learner and trials included. `best w of each` is taken from a table of all (system, w), of which only the iterations
are known. Seeds 0 to 2 of the tuner.
"""

from __future__ import annotations

import numpy as np

from tests.figures.linear_sequence._loops import GRID, Loop, warm_up

CASES = ((50, 500), (50, 5000), (100, 500))
TARGETS = {500: "target: 1.05 x best fixed", 5000: "target: 1.10 x best w of each"}


def main() -> None:
    warm_up()
    for nx, T in CASES:
        compare(Loop(nx, T), f"n = {(nx - 1) ** 2}, T = {T}; {TARGETS[T]}")


def compare(loop: Loop, title: str, seeds: tuple[int, ...] = (0, 1, 2)) -> None:
    """One table."""
    counts, _ = loop.counts()
    w = float(GRID[counts.sum(axis=0).argmin()])
    nnz = loop.L.nnz
    best = loop.fixed("ssor-cg", w=w)
    each = counts.min(axis=1).sum()
    # Work is affine in the iterations: that of the best w of each system follows from the best fixed one's.
    ideal = best.work - (best.iterations - each) * (nnz + 9.0 * loop.n)
    print(f"{title}\n{'choice':24s} {'iterations':>10} {'work':>10} {'CPU s':>7} {'work / best fixed':>18}")
    rows = [("cg", loop.fixed("cg")), ("w=1", loop.fixed("ssor-cg", w=1.0)), ("w=1.5", loop.fixed("ssor-cg", w=1.5))]
    rows += [(f"best fixed, w={w:g}", best)]
    rows += [(f"SequenceTuner, seed {seed}", loop.tuned(seed=seed)) for seed in seeds]
    for name, spent in rows:
        ratio = spent.work / best.work
        print(f"{name:24s} {spent.iterations:10d} {spent.work:10.3e} {spent.seconds:7.2f} {ratio:18.3f}", flush=True)
    print(f"{'best w of each':24s} {each:10d} {ideal:10.3e} {'-':>7} {ideal / best.work:18.3f}")
    work = np.mean([spent.work for name, spent in rows if name.startswith("Seq")])
    seconds = np.mean([spent.seconds for name, spent in rows if name.startswith("Seq")])
    print(
        f"tuner: {work / best.work:.3f} x best fixed in work, {seconds / best.seconds:.3f} in seconds; "
        f"{work / ideal:.3f} x the best w of each in work\n"
    )
