"""Learners: microseconds a round (choose and update); and what a round of SequenceTuner takes beside the solver.

Processor time, median over 2,000 rounds after 200 to warm up; 20 arms, one context. The tuner's round is that of heat
flow with 2,401 unknowns, checks, context, choice, cap and learning, less the time inside the chosen solver; median over
300 systems after 100.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit_sor import SequenceTuner
from solverkit_sor.learners import Binned, ChebCB, Learner, LogTS, TsallisINF
from solverkit_sor.solvers.base import Arm
from tests.figures.linear_sequence._loops import Loop

ROUNDS, WARM = 2000, 200
Z = np.linspace(-1.0, 1.0, 20)


def microseconds(learner: Learner, with_context: bool) -> float:
    """Median of choose + update."""
    rng = np.random.default_rng(0)
    spent = []
    for t in range(ROUNDS + WARM):
        context = float(np.sin(t / 30)) if with_context else None
        began = time.process_time_ns()
        arm = learner.choose(context, rng)
        middle = time.process_time_ns()
        cost = float(20.0 * np.exp((Z[arm] - 0.8 * np.sin(t / 30)) ** 2) * (1 + 0.05 * rng.standard_normal()))
        again = time.process_time_ns()
        learner.update(arm, context, cost)
        spent.append(time.process_time_ns() - again + middle - began)
    return float(np.median(spent[WARM:])) / 1e3


def beside_the_solver() -> tuple[float, float]:
    """Median microseconds of a round of SequenceTuner without its solver, and of the solver."""
    loop, tuner, rounds = Loop(50, 400), SequenceTuner(), []
    inside = 0
    plain = Arm.solve

    def timed(self: Arm, *given: Any, **named: Any) -> Any:
        nonlocal inside
        began = time.process_time_ns()
        try:
            return plain(self, *given, **named)
        finally:
            inside += time.process_time_ns() - began

    def solve(t: int, A: csr_array, b: np.ndarray, u: np.ndarray) -> np.ndarray:
        nonlocal inside
        inside = 0
        began = time.process_time_ns()
        x, _ = tuner.solve(A, b, x0=u)
        rounds.append((time.process_time_ns() - began - inside, inside))
        return x

    Arm.solve = timed  # type: ignore[method-assign]
    try:
        loop.run(solve)
    finally:
        Arm.solve = plain  # type: ignore[method-assign]
    beside, within = np.median(np.array(rounds[100:]), axis=0) / 1e3
    return float(beside), float(within)


def main() -> None:
    rows: list[tuple[str, Learner, bool]] = [
        ("Tsallis-INF", TsallisINF(20, floor=1.0), False),
        ("Tsallis-INF RV", TsallisINF(20, "rv", floor=1.0), False),
        ("binned, 6", Binned(20, -1.0, 1.0, 6, floor=1.0), True),
        ("ChebCB, m = 6", ChebCB(20, -1.0, 1.0, 6, floor=1.0), True),
        ("LogTS, 1 group", LogTS(Z, contexts=1), True),
        ("LogTS, 5 groups", LogTS(Z, np.arange(20) // 4, contexts=1, discount=0.998), True),
    ]
    print(f"{'learner':18s} {'us a round':>10}   (target: at most 70)")
    for name, learner, with_context in rows:
        print(f"{name:18s} {microseconds(learner, with_context):10.1f}")
    beside, within = beside_the_solver()
    print(f"{'SequenceTuner':18s} {beside:10.1f}   beside {within:.0f} in the solver")
