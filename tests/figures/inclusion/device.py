"""Games on a GPU: bandwidth of products against that of copying, the 5,000 game, and batches of its components.

A matrix-vector product reads the matrix once, so its bytes are those of the matrix. Nothing is printed but one line
where torch finds no GPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch

from solverkit.kinds.inclusion import game
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit_halpern.batch import solve_games
from solverkit_halpern.sampling.compiled import CompiledComponents
from solverkit_halpern.sampling.device import DeviceComponents

REPEATS = 20
BATCHES = (1, 70, 1000)
STEPS = 50


def seconds_of(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Median seconds, the device's work included."""
    taken = []
    for _ in range(repeats):
        torch.cuda.synchronize()
        begun = time.perf_counter()
        work()
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - begun)
    return median(taken)


def main(n: int = 5000, count: int = 1000, small: int = 200) -> None:
    """The table."""
    if not torch.cuda.is_available():
        print("torch finds no GPU here: nothing was measured")
        return
    print(
        f"{torch.cuda.get_device_name()}\n\n| games | copying | A y | A'x | share of copying |\n|---|---|---|---|---|"
    )
    for shape in ((1, n, n), (count, small, small)):
        A = torch.randn(*shape, dtype=torch.float64, device="cuda")
        target = torch.empty_like(A)
        x, y = (torch.ones(shape[0], length, dtype=torch.float64, device="cuda") for length in shape[1:])
        size = A.numel() * A.element_size()
        copying = 2 * size / seconds_of(lambda A=A, target=target: target.copy_(A))
        ahead = size / seconds_of(lambda A=A, y=y: torch.bmm(y.unsqueeze(1), A.transpose(1, 2)))
        back = size / seconds_of(lambda A=A, x=x: torch.bmm(x.unsqueeze(1), A))
        shares = f"{ahead / copying:.0%}, {back / copying:.0%}"
        rates = " | ".join(f"{rate / 1e9:.0f} GB/s" for rate in (copying, ahead, back))
        print(f"| {shape[0]} of {shape[1]} x {shape[2]} | {rates} | {shares} |", flush=True)
    payoff = np.random.default_rng(1).standard_normal((1, n, n))
    begun = time.perf_counter()
    found = solve_games(payoff, 1e-4, "cuda")
    seconds = time.perf_counter() - begun
    print(f"\none game of {n}: {seconds:.2f} s, {2 * found.iterations[0]} products, gap {found.gaps[0]:.2g}")
    _components(game(payoff[0]))


def _components(problem: Inclusion) -> None:
    """Component evaluations a second of Algorithm 1: the compiled kernel on one core, and the device."""
    print("\n| batch | compiled, one core | GPU |\n|---|---|---|")
    rng = np.random.default_rng(0)
    start = problem.flat(problem.start(rng))
    moved = start + 1e-3 * rng.random(len(start))
    g = problem.operator(start)
    here = CompiledComponents(problem, lambda *_: None)
    there = DeviceComponents(problem, lambda *_: None, device="cuda")
    for batch in BATCHES:
        samples = here.draw(rng, STEPS, batch)
        rates = []
        for parts in (here, there):

            def page(parts: Any = parts, samples: np.ndarray = samples) -> None:
                parts.page(moved.copy(), start.copy(), g.copy(), moved, 1e-4, np.full(STEPS, 0.01), samples)

            page()
            rates.append(2 * STEPS * batch / seconds_of(page, 3))
        print(f"| {batch} | {rates[0]:.3g} | {rates[1]:.3g} |", flush=True)
