"""Learners: microseconds a round (choose and update), beside the arithmetic they replace.

Processor time, median over 2,000 rounds after 200 to warm up; 20 arms, one context.
"""

from __future__ import annotations

import time

import numpy as np

from solverkit_sor.learners import Binned, ChebCB, Learner, LogTS, TsallisINF

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
