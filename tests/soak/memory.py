"""R17: memory stays flat: 1,000 solves of one problem of each kind, and a million steps of one run.

After the first tenth, the resident memory grows by less than 1 MB for each kind; garbage is collected before each look.
A case is one solve; the long run counts as one.
"""

from __future__ import annotations

import gc
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

import solverkit as sk
from solverkit.engine.driver import run as run_method
from solverkit.engine.limits import Limits
from solverkit.engine.options import Options
from solverkit.engine.solver import Context, Solver
from solverkit.kinds.base import Point
from solverkit.registry import registry
from tests.methods.subjects import chosen
from tests.soak import Tally

CASES = 6001
GROWTH = 1.0  # MB
STEPS = 1_000_000


@dataclass
class Count:
    """A state."""

    x: np.ndarray
    k: int = 0


class Idle(Solver[Any, Count]):
    """A method whose step is a number: what grows is the engine's."""

    def init(self, problem: Any, start: Point, ctx: Context) -> Count:
        return Count(start["x"])

    def step(self, problem: Any, state: Count, ctx: Context) -> Count:
        state.k += 1
        return state

    def point(self, state: Count) -> Point:
        return {"x": state.x}

    def report(self, state: Count) -> dict[str, float]:
        return {"merit": 1.0 / (1 + state.k), "k": float(state.k)}

    def converged(self, state: Count) -> bool:
        return False


def resident() -> float:
    """MB of this process."""
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def run(cases: int, seed: int) -> Tally:
    """So many solves, shared out over the kinds, and a long run whose length goes with them."""
    tally = Tally()
    first = {}
    for each in chosen():
        first.setdefault(each.kind, each)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind, each in first.items():
            problem, count = each.load(), max(cases // len(first), 10)
            grown = _growth(lambda problem=problem, each=each: sk.solve(problem, each.method, max_iter=5), count, tally)
            tally.facts[kind] = f"{grown:+.2f} MB"
            if grown > GROWTH:
                tally.failures.append(f"{kind}: {grown:.2f} MB more after {count} solves by {each.method}")
        steps = STEPS if cases >= CASES else 50 * cases
        before, after = _long(steps // 10), _long(steps)
        tally.facts[f"{steps} steps"] = f"{after - before:+.2f} MB"
        tally.count(f"{after - before:.1f} MB more for {steps} steps" if after - before > GROWTH else "")
    return tally


def _growth(solve: Any, count: int, tally: Tally) -> float:
    for _ in range(max(count // 10, 5)):
        solve()
        tally.count()
    before = resident()
    for _ in range(count - count // 10):
        solve()
        tally.count()
    return resident() - before


def _long(steps: int) -> float:
    """MB after a run of so many steps whose result is kept."""
    problem = sk.load(next(each.path for each in chosen() if each.kind == "nonlinear"))
    spec = registry.method("sketched-newton")
    result = run_method(problem, spec, Idle(Options()), registry.kind("nonlinear"), limits=Limits(max_iter=steps))
    assert result.nit == steps
    return resident()
