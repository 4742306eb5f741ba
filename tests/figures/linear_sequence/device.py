"""Sweeps and solves on a regular grid: the compiled kernel on one core, and torch on the CPU and on a GPU.

The least that a red-black sweep moves is 24 bytes an unknown (x read and written, b read); `share` compares that, at
the measured time, with the speed of copying on the same device. Torch's sweep is some twenty launches.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from scipy.sparse import csr_array, eye_array

from solverkit_sor.generators.grid import laplacian
from solverkit_sor.kernels.device import DeviceStencil
from solverkit_sor.kernels.stencil import Stencil, split

SIDES = (316, 1000, 3162)
W, ALPHA = 1.9, 500.0
LOW, HIGH = 1 / (1 + 4 * ALPHA), 2.0  # of the spectrum of D^{-1} A
SWEEPS, REPEATS = 16, 7
MOST = 2_000_000  # unknowns of torch on the CPU, which is slow


def seconds_of(work: Callable[[], object], device: str = "cpu") -> float:
    """Median seconds, the device's work included."""
    taken = []
    for _ in range(REPEATS + 1):
        if device != "cpu":
            torch.cuda.synchronize()
        begun = time.perf_counter()
        work()
        if device != "cpu":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - begun)
    return median(taken[1:])


def copying(n: int, device: str) -> float:
    """Bytes a second, read and written, of a copy of the 24 n bytes of a sweep."""
    source = torch.ones(max(24 * n // 16, 1), dtype=torch.float64, device=device)
    target = torch.empty_like(source)
    return 2 * 8 * len(source) / seconds_of(lambda: target.copy_(source), device)


def main() -> None:
    """The table."""
    torch.set_num_threads(1)
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    print("| unknowns | how | sweep | ns an unknown | share of copying | Chebyshev step | to 1e-8 |")
    print("|---|---|---|---|---|---|---|")
    for m in SIDES:
        n = m * m
        A = csr_array(eye_array(n) + ALPHA * laplacian(m))
        grid = np.random.default_rng(0).standard_normal((m, m))
        target = 1e-8 * float(np.linalg.norm(grid))
        compiled = Stencil.of(A, (m, m))
        x, b = split(np.zeros((m, m))), split(grid / compiled.centre)
        sweep = seconds_of(lambda c=compiled, x=x, b=b: c.sweep(x, b, W, SWEEPS)) / SWEEPS
        _print(n, "compiled, one core", sweep, copying(n, "cpu"))
        for device in devices:
            if device == "cpu" and n > MOST:
                continue
            ours = DeviceStencil.of(A, (m, m), device)
            x, b = ours.colours(np.zeros((m, m))), ours.colours(grid / compiled.centre)
            sweep = seconds_of(lambda o=ours, x=x, b=b: o.sweep(x, b, W, SWEEPS), device) / SWEEPS
            steps = seconds_of(lambda o=ours, x=x, b=b: o.chebyshev(x, b, LOW, HIGH, SWEEPS), device) / SWEEPS
            whole = ""
            if device != "cpu":
                for part in x:
                    part.zero_()
                begun = time.perf_counter()
                count, _ = ours.solve_sor(x, b, W, target, 20_000)
                whole = f"{count} sweeps, {time.perf_counter() - begun:.3f} s"
            _print(n, f"torch, {'one core' if device == 'cpu' else 'GPU'}", sweep, copying(n, device), steps, whole)


def _print(n: int, how: str, sweep: float, speed: float, steps: float | None = None, whole: str = "") -> None:
    step = "" if steps is None else f"{1e3 * steps:.3f} ms"
    shares = f"{1e3 * sweep:.3f} ms | {1e9 * sweep / n:.3f} | {24 * n / sweep / speed:.0%}"
    print(f"| {n:,} | {how} | {shares} | {step} | {whole} |", flush=True)
