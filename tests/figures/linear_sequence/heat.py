"""Heat equation (arXiv 2310.02246, second experiment): total SSOR-CG iterations, n = 2,401, T = 5,000.

Crank-Nicolson steps of 1e-3, |r| <= 1e-8 |b|, x0 the last solution. Learners: mean of 3 seeds, costs looked up in the
table of all (system, w), which hardly differs from a run, as solutions agree to 1e-8 whatever w was. The context is
log alpha_t for LogTS, the diffusion for the others. Closed form: w from lambda_min(D^-1 A_t) by one vector.
"""

from __future__ import annotations

import numpy as np

from solverkit_sor.gap import Gap
from solverkit_sor.learners import Binned, ChebCB, LogTS, TsallisINF
from solverkit_sor.learners.closed_form import ssor_relaxation
from tests.figures.linear_sequence._loops import GRID, Loop
from tests.figures.linear_sequence.shifted import SEEDS, total

# Totals of the specification, measured once with another implementation.
SPEC = {
    "cg": 164441, "w=1": 60733, "w=1.5": 43978, "w=1.6": 42908, "Tsallis-INF": 45712, "Tsallis-INF RV": 45178,
    "binned (6)": 43939, "ChebCB": 36044, "LogTS, context": 37046, "closed form": 36661, "best w of each": 34693,
}  # fmt: skip


def main() -> None:
    loop = Loop(50, 5000)
    gap = Gap()
    counts, ruled = loop.counts(lambda A: ssor_relaxation(gap.of(A)))
    low, high = float(loop.diffusion.min()), float(loop.diffusion.max())
    places = -np.log10(2.0 - GRID)
    z = 2.0 * (places - places[0]) / (places[-1] - places[0]) - 1.0
    learners = {
        "Tsallis-INF": (lambda: TsallisINF(20, floor=1.0), None),
        "Tsallis-INF RV": (lambda: TsallisINF(20, "rv", floor=1.0), None),
        "binned (6)": (lambda: Binned(20, low, high, 6, floor=1.0), loop.diffusion),
        "ChebCB": (lambda: ChebCB(20, low, high, 6, floor=1.0), loop.diffusion),
        "LogTS": (lambda: LogTS(z), None),
        "LogTS, context": (lambda: LogTS(z, contexts=1), np.log(loop.alpha)),
    }
    print(f"{'policy':16s} {'iterations':>10} {'+-':>6} {'spec':>8} {'ratio':>6}")
    row("cg", loop.fixed("cg").iterations, 0.0)
    for w in (1.0, 1.5, 1.6):
        row(f"w={w:g}", counts[:, np.flatnonzero(w == GRID)[0]].sum(), 0.0)
    for name, (make, contexts) in learners.items():
        totals = [total(make(), counts, contexts, seed) for seed in range(SEEDS)]
        row(name, float(np.mean(totals)), float(np.std(totals)))
    row("closed form", ruled.sum(), 0.0)
    row("best w of each", counts.min(axis=1).sum(), 0.0)
    print(f"best fixed w of the grid: {GRID[counts.sum(axis=0).argmin()]}")


def row(name: str, spent: float, deviation: float) -> None:
    known = SPEC.get(name)
    words = f"{known:8d} {spent / known:6.3f}" if known else f"{'-':>8} {'-':>6}"
    print(f"{name:16s} {spent:10.0f} {deviation:6.0f} {words}", flush=True)
