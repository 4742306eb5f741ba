"""Games on a GPU: bandwidth of products against that of copying, and the 5,000 game.

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

from solverkit_halpern.batch import solve_games

REPEATS = 20


def seconds_of(work: Callable[[], Any]) -> float:
    """Median seconds, the device's work included."""
    taken = []
    for _ in range(REPEATS):
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
