"""The literature cases, five seeded starts each, every CERTIFIED answer checked by brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import solverkit as sk
from tests.figures.brute_force import Follower

PROBLEMS = Path(__file__).parents[2] / "problems" / "bilevel"
CASES = (
    "bard-1988-ex1",
    "colson-2002-bipa2",
    "colson-2002-bipa4",
    "dempe-2012",
    "kleniati-adjiman-2014-ex3",
    "lampariello-sagratella-2017-ex32",
    "macal-hurter-1997",
    "mirrlees-1999",
    "mitsos-barton-2006-ex314",
    "paulavicius-adjiman-2017a",
    "sahin-ciric-1998-ex2",
    "ye-zhu-2010-ex42",
    "yezza-1996-ex31",
)
STARTS = 5


def starts(problem: object, seed: int) -> dict[str, np.ndarray]:
    """A start drawn uniformly from the box of width 10 around the file's start, cut by the problem's bounds."""
    rng = np.random.default_rng(seed)
    drawn = {}
    for block, allowed in ((problem.upper_blocks[0], problem.upper_set), (problem.lower_blocks[0], problem.lower_set)):
        value = block.start + rng.uniform(-5.0, 5.0, block.shape)
        drawn[block.name] = allowed.project(np.atleast_1d(value)).reshape(block.shape)
    return drawn


def main() -> None:
    print(f"{'case':<34} {'convex':>6} {'known':>9} {'at it':>6} {'local':>6} {'not certified':>14} {'wrong':>6}")
    total = {"known": 0, "local": 0, "none": 0, "wrong": 0}
    for name in CASES:
        problem = sk.load(PROBLEMS / name / "problem.yaml")
        known, follower = float(problem.expected["objective"]), Follower(problem)
        counts = dict.fromkeys(total, 0)
        for seed in range(STARTS):
            result = sk.solve(problem, method="lv-hba", start=starts(problem, seed), max_time=20, seed=seed)
            at = abs(result.fun - known) <= 1e-4 * max(1.0, abs(known))
            if result.point_status.name != "CERTIFIED":
                counts["none"] += 1
            elif not follower.locally_optimal(result.point):
                counts["wrong"] += 1
            else:
                counts["known" if at else "local"] += 1
        for key in total:
            total[key] += counts[key]
        row = f"{name:<34} {'yes' if problem.convex else 'no':>6} {known:>9.4g} {counts['known']:>6}"
        print(row + f" {counts['local']:>6} {counts['none']:>14} {counts['wrong']:>6}", flush=True)
    print(f"{'all':<51} {total['known']:>6} {total['local']:>6} {total['none']:>14} {total['wrong']:>6}")
