"""BO-REP where the gradient has no Lipschitz bound: normalized and plain steps of the same sizes."""

from __future__ import annotations

import numpy as np

from solverkit_bilevel.bo_rep.method import BORep
from solverkit_bilevel.bo_rep.options import BORepOptions
from tests.figures.bilevel._tail import Tail, quadratic, quiet

STEPS = 3000


def gap(case: Tail, **options: object) -> str:
    """Phi(x) - Phi* after so many steps of x, by the closed form."""
    solver, ctx = BORep(BORepOptions(handover=0, block=50, **options)), quiet()
    state = solver.init(case.problem, case.problem.start(ctx.rng), ctx)
    while state.loop is not None and state.loop.t < STEPS:
        state = solver.step(case.problem, state, ctx)
        if not np.isfinite(state.z).all():
            return f"diverges (t = {state.loop.t if state.loop else STEPS})"
    return f"{case.value(state.z[: case.problem.n]) - case.best:.2e}"


def main() -> None:
    case = quadratic(10, 15, start=4.0)
    start = np.full(10, 4.0)
    slope = float(np.linalg.norm(case.gradient(start)))
    print(f"n = 10, m = 15; Phi(x0) - Phi* = {case.value(start) - case.best:.3g}, |grad Phi(x0)| = {slope:.3g}")
    print(f"Phi - Phi* after {STEPS} steps; plain momentum moves by eta m, normalized by eta m/|m|\n")
    print(f"{'eta':>8} {'normalized, paper':>20} {'clipped, production':>20} {'plain':>24} {'plain, eta/|grad|':>20}")
    steps = {"gamma": 1 / case.largest, "nu": 1 / case.largest}
    for eta in (0.3, 0.1, 0.03):
        cells = [
            gap(case, mode="paper", eta=eta, **steps),
            gap(case, eta=eta),
            gap(case, mode="paper", eta=eta, normalize=False, **steps),
            gap(case, mode="paper", eta=eta / slope, normalize=False, **steps),
        ]
        print(f"{eta:>8} {cells[0]:>20} {cells[1]:>20} {cells[2]:>24} {cells[3]:>20}")
