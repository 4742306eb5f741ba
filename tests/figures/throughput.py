"""Paper mode on the n = 100 toy: iterations a second, and what the driver adds to them."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import numpy as np

import solverkit as sk
from solverkit.engine.counting import Ledger, counted
from solverkit.engine.solver import Context
from solverkit.registry import registry

PROBLEM = Path(__file__).parents[2] / "problems" / "bilevel" / "coupled-merely-convex" / "problem.yaml"
STEPS, REPEATS = 30, 11


def bare(problem: object, block: int) -> float:
    """CPU seconds a step takes in a plain loop over the same counted oracles."""
    solver_class, options = registry.resolve(registry.method("lv-hba"))
    solver = solver_class(options(schedule="paper", block=block))
    proxy = counted(problem, Ledger())
    quiet = lambda *_: None  # noqa: E731
    rng = np.random.default_rng(0)
    ctx = Context(rng=rng, tol=1e-6, device="cpu", dtype="float64", log=quiet, charge=quiet)
    state = solver.init(proxy, problem.start(rng), ctx)
    marks = [time.process_time()]
    for _ in range(STEPS):
        state = solver.step(proxy, state, ctx)
        marks.append(time.process_time())
    return statistics.median(np.diff(marks))


def driven(problem: object, block: int) -> float:
    """CPU seconds from one step's end to the next under the driver, between calls of a callback."""
    marks: list[float] = []
    mark = lambda intermediate_result: marks.append(time.process_time())  # noqa: E731
    sk.solve(problem, method="lv-hba", options={"schedule": "paper", "block": block}, max_iter=STEPS, callback=mark)
    return statistics.median(np.diff(marks))


def main() -> None:
    problem = sk.load(PROBLEM)
    for block in (100, 1000):
        pairs = [(driven(problem, block), bare(problem, block)) for _ in range(REPEATS)]
        with_driver, without = (min(column) for column in zip(*pairs, strict=True))
        rate, overhead = block / with_driver, with_driver / without - 1.0
        print(f"block {block:>5}: {rate:>9,.0f} iterations per CPU second, driver {overhead:+.1%} (best of {REPEATS})")
