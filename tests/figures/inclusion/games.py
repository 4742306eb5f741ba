"""Matrix games to an exact gap of 1e-4: `halpern` against HiGHS at 1,000, and at the pace of memory at 5,000.

Medians of five runs on one thread, in this process, interleaved. HiGHS is given the tolerance 1e-4 and, where its
answer then has a larger gap, 1e-5; its time is that of its run alone, without the model. A solver of HiGHS that takes
more than four times as long as the best one is run once. Gaussian games are standard normal; policeman-burglar has
theta 0.8.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
from scipy.sparse import csr_array

import solverkit as sk
from solverkit.kinds.inclusion import game
from solverkit.kinds.inclusion.gap import game_bracket
from solverkit.kinds.inclusion.problem import Inclusion

GAP = 1e-4
REPEATS = 5
SOLVERS = ("simplex", "ipm", "pdlp")


def gaussian(n: int, seed: int) -> np.ndarray:
    """Standard normal payoffs."""
    return np.random.default_rng(seed).standard_normal((n, n))


def burglar(n: int, seed: int) -> np.ndarray:
    """What burglar i loses to the policeman at j."""
    wealth, houses = np.abs(np.random.default_rng(seed).standard_normal(n)), np.arange(n)
    return wealth[:, None] * (1 - np.exp(-0.8 * np.abs(houses[:, None] - houses)))


def sparse(n: int, seed: int, density: float = 1e-3) -> csr_array:
    """Standard normal payoffs at a few places."""
    from scipy.sparse import random

    rng = np.random.default_rng(seed)
    return csr_array(random(n, n, density, format="csr", random_state=rng, data_rvs=rng.standard_normal))


def ours(problem: Inclusion, **options: object) -> tuple[float, int, float, bool]:
    """(seconds, products, exact gap, certified) of one run to the absolute gap GAP."""
    tol = GAP / problem.structure.scale
    found = sk.solve(problem, method="halpern", tol=tol, options=options, max_time=600)
    gap = game_bracket(problem.structure, problem.flat(found.point)).gap
    return found.timing["solve"], found.counts["nmul"], gap, found.success


def highs(problem: Inclusion, solver: str) -> tuple[float, float]:
    """(seconds, exact gap) of one run."""
    from solverkit_baselines.inclusion.highs import run_highs
    from solverkit_baselines.inclusion.program import program_of

    program = program_of(problem, solver)
    for tolerance in (1e-4, 1e-5):
        _, x, y, seconds = run_highs(program, solver, tolerance)
        gap = game_bracket(problem.structure, program.back(x, y)).gap
        if gap <= GAP:
            break
    return seconds, gap


def pace(copy: Callable[[], object], products: Callable[[], object], repeats: int = 11) -> tuple[float, float]:
    """Median seconds of two products, and the median of their ratio to a copy made just before."""
    seconds, ratios = [], []
    for _ in range(repeats):
        begun = time.perf_counter()
        copy()
        middle = time.perf_counter()
        products()
        seconds.append(time.perf_counter() - middle)
        ratios.append(seconds[-1] / (middle - begun))
    return median(seconds), median(ratios)


def against_highs(n: int = 1000, seed: int = 1) -> None:
    """The table at 1,000."""
    print(f"| game, n = {n} | halpern | products | gap | simplex | IPM | PDLP | ratio to the best |")
    print("|---|---|---|---|---|---|---|---|")
    for name, payoff in (("Gaussian", gaussian(n, seed)), ("policeman-burglar", burglar(n, seed))):
        problem = game(payoff)
        runs: list[tuple[float, int, float, bool]] = []
        peers: dict[str, list[float]] = {solver: [] for solver in SOLVERS}
        for _ in range(REPEATS):
            runs.append(ours(problem))
            best = min((median(found) for found in peers.values() if found), default=np.inf)
            for solver, found in peers.items():
                if not found or median(found) <= 4 * best:
                    found.append(highs(problem, solver)[0])
        mine = median(run[0] for run in runs)
        theirs = [median(peers[solver]) for solver in SOLVERS]
        shown = " | ".join(f"{seconds:.3f} s" for seconds in theirs)
        _, products, gap, _ = runs[0]
        print(f"| {name} | {mine:.4f} s | {products} | {gap:.2g} | {shown} | {mine / min(theirs):.3f} |", flush=True)


def at_the_pace_of_memory(n: int = 5000, seed: int = 1) -> None:
    """The table at 5,000: products, and how fast each was."""
    print(f"\n| game, n = {n} | precision | time | products | gap | a product | GB/s of products | share of copying |")
    print("|---|---|---|---|---|---|---|---|")
    for name, make in (("Gaussian", gaussian), ("policeman-burglar", burglar)):
        payoff = make(n, seed)
        problem, v = game(payoff), np.ones(n)
        target = np.empty_like(payoff)
        for precision in ("double", "auto"):
            seconds, products, gap, _ = ours(problem, precision=precision)
            single = payoff.astype(np.float32) if precision == "auto" else payoff
            w = v.astype(single.dtype)
            both, ratio = pace(
                lambda target=target, payoff=payoff: np.copyto(target, payoff),
                lambda single=single, w=w: (single @ w, single.T @ w),
            )
            rate, share = 2 * single.nbytes / both, single.nbytes / payoff.nbytes / ratio
            print(
                f"| {name} | {precision} | {seconds:.2f} s | {products} | {gap:.2g} | {500 * both:.1f} ms | "
                f"{rate / 1e9:.1f} | {share:.0%} |",
                flush=True,
            )


def sparse_game(n: int = 20_000, seed: int = 1) -> None:
    """A game of density 1e-3."""
    seconds, products, gap, certified = ours(game(sparse(n, seed)))
    print(
        f"\nsparse, n = {n}, density 1e-3: {seconds:.2f} s, {products} products, gap {gap:.2g}, certified {certified}"
    )


def other_seeds(n: int = 1000) -> None:
    """Products on seeds beside the one above, raw norms and the paper's parameters."""
    print(f"\n| products, n = {n}, seeds 2 to 6 | production | without faces | paper (cuPDLPx) |")
    print("|---|---|---|---|")
    for name, make in (("Gaussian", gaussian), ("policeman-burglar", burglar)):
        problems = [game(make(n, seed)) for seed in range(2, 7)]
        columns = [{}, {"faces": False}, {"mode": "paper"}]
        shown = [median(ours(problem, **options)[1] for problem in problems) for options in columns]
        print(f"| {name} | {shown[0]:.0f} | {shown[1]:.0f} | {shown[2]:.0f} |", flush=True)


def main() -> None:
    """All tables."""
    against_highs()
    at_the_pace_of_memory()
    sparse_game()
    other_seeds()
