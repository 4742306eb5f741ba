"""BO-REP's parts, one at a time: period I, lower steps N, refinement, normalization, with minibatches."""

from __future__ import annotations

import numpy as np

from solverkit_bilevel.bo_rep.method import BORep
from solverkit_bilevel.bo_rep.options import BORepOptions
from tests.figures.bilevel._tail import Tail, quiet, sampled

STEPS, SEEDS, BATCH = 600, 5, 32
CHECKS = (20, 100, 600)


def gaps(case: Tail, **options: object) -> list[list[float]]:
    """Phi(x) - Phi* at CHECKS, a list for each seed."""
    rows = []
    for seed in range(SEEDS):
        given = {"mode": "paper", "eta": 0.03, "gamma": 0.3 / case.largest, "nu": 0.3 / case.largest} | options
        solver, ctx = BORep(BORepOptions(batch=BATCH, block=20, **given)), quiet(seed)
        state = solver.init(case.problem, case.problem.start(ctx.rng), ctx)
        row = []
        while state.loop is not None and state.loop.t < STEPS:
            state = solver.step(case.problem, state, ctx)
            if state.loop.t in CHECKS and (state.loop.epoch == solver.options.epochs):
                x = state.z[: case.problem.n]
                row.append(case.value(x) - case.best if np.isfinite(state.z).all() else np.inf)
        rows.append(row)
    return rows


def show(label: str, case: Tail, **options: object) -> None:
    """One row: medians, and the range at the end."""
    with np.errstate(over="ignore"):
        table = np.array(gaps(case, **options))
    cells = " ".join(f"{value:>10.2e}" for value in np.median(table, axis=0))
    print(f"{label:<34} {cells}   [{table[:, -1].min():.2e}, {table[:, -1].max():.2e}]")


def main() -> None:
    case = sampled()
    print(f"n = 10, m = 20, 2000 samples a level, batch {BATCH}, eta = 0.03, {SEEDS} seeds: median Phi - Phi* after")
    print(f"{'':<34} " + " ".join(f"{f't = {t}':>10}" for t in CHECKS) + f"   [least, most] at t = {STEPS}\n")
    for interval in (1, 2, 4, 8):
        for steps in (1, 3, 10):
            show(f"I = {interval}, N = {steps}", case, interval=interval, lower_steps=steps)
    print()
    show("I = 2, N = 3, no refinement", case, interval=2, lower_steps=3, refine=False)
    show("I = 2, N = 3, last y, no average", case, interval=2, lower_steps=3, average=False)
    show("I = 2, N = 3, plain, eta = 0.03", case, interval=2, lower_steps=3, normalize=False)
    show("I = 2, N = 3, plain, eta = 3e-5", case, interval=2, lower_steps=3, normalize=False, eta=3e-5)
    show("production, no handover", case, mode="production", handover=0, eta=None, gamma=None, nu=None)
