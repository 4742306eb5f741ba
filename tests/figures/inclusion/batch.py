"""A batch of games of 200 x 200, solved together and one after the other, to a gap of 1e-4.

`together` is `solve_games` on the CPU, one thread: chunks that fit the cache. `a loop` is `halpern` on each game. On a
machine with a GPU a thousand games are solved there too.
"""

from __future__ import annotations

import time

import numpy as np
import torch

import solverkit as sk
from solverkit.kinds.inclusion import game
from solverkit_halpern.batch import solve_games

GAP = 1e-4


def main(count: int = 100, n: int = 200) -> None:
    """The table."""
    torch.set_num_threads(1)
    payoffs = np.random.default_rng(0).standard_normal((count, n, n))
    solve_games(payoffs[:2], GAP)
    begun = time.perf_counter()
    found = solve_games(payoffs, GAP)
    together = time.perf_counter() - begun
    problems = [game(payoff) for payoff in payoffs[: count // 5]]
    runs = [sk.solve(problem, method="halpern", tol=GAP / problem.structure.scale) for problem in problems]
    loop = sum(run.timing["solve"] for run in runs) * count / len(runs)
    print("| games | how | time | games a second | products a game (median) | largest gap |")
    print("|---|---|---|---|---|---|")
    products = f"{2 * np.median(found.iterations):.0f}"
    print(f"| {count} | together | {together:.2f} s | {count / together:.1f} | {products} | {found.gaps.max():.2g} |")
    each = np.median([run.counts["nmul"] for run in runs])
    print(f"| {count} | a loop (a fifth, scaled) | {loop:.2f} s | {count / loop:.1f} | {each:.0f} | |")
    if torch.cuda.is_available():
        _on_device(n)


def _on_device(n: int, count: int = 1000) -> None:
    payoffs = np.random.default_rng(0).standard_normal((count, n, n))
    solve_games(payoffs[:2], GAP, "cuda")
    begun = time.perf_counter()
    found = solve_games(payoffs, GAP, "cuda")
    seconds = time.perf_counter() - begun
    products = f"{2 * np.median(found.iterations):.0f}"
    print(f"| {count} | on the GPU | {seconds:.2f} s | {count / seconds:.0f} | {products} | {found.gaps.max():.2g} |")
