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
STEPS, REPEATS = 20, 7


def bare(problem: object, block: int) -> float:
    """Seconds of the same steps in a plain loop over the same counted oracles."""
    solver_class, options = registry.resolve(registry.method("lv-hba"))
    solver = solver_class(options(schedule="paper", block=block))
    proxy = counted(problem, Ledger())
    quiet = lambda *_: None  # noqa: E731
    rng = np.random.default_rng(0)
    ctx = Context(rng=rng, tol=1e-6, device="cpu", dtype="float64", log=quiet, charge=quiet)
    state = solver.init(proxy, problem.start(rng), ctx)
    begin = time.perf_counter()
    for _ in range(STEPS):
        state = solver.step(proxy, state, ctx)
    return time.perf_counter() - begin


def driven(problem: object, block: int) -> float:
    """Seconds that the driver took for them, certificate aside."""
    chosen = {"schedule": "paper", "block": block}
    return sk.solve(problem, method="lv-hba", options=chosen, max_iter=STEPS).timing["solve"]


def main() -> None:
    problem = sk.load(PROBLEM)
    for block in (100, 1000):
        pairs = [(driven(problem, block), bare(problem, block)) for _ in range(REPEATS)]
        with_driver, without = (statistics.median(column) for column in zip(*pairs, strict=True))
        rate, overhead = STEPS * block / with_driver, with_driver / without - 1.0
        print(f"block {block:>5}: {rate:>9,.0f} iterations/s, driver overhead {overhead:+.1%} (median of {REPEATS})")
