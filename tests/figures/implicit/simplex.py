"""Projections onto the simplex: sorted batch, one vector, compiled; microseconds a vector."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time

import numpy as np
import torch

from solverkit.operators.proximal import Simplex
from solverkit.operators.proximal.compiled import simplex


def microseconds(function: Callable[[], object], vectors: int) -> float:
    """Median time of a vector."""
    function()
    spent = []
    for _ in range(7):
        start = process_time()
        function()
        spent.append(process_time() - start)
    return 1e6 * median(spent) / vectors


def main() -> None:
    h = Simplex(1.0)
    print(f"{'n':>9}{'entries':>12}{'batch':>11}{'torch':>11}{'vector':>11}{'compiled':>11}   us of CPU a vector")
    for n, vectors in ((10, 1000), (500, 200), (10_000, 20), (1_000_000, 1)):
        rng = np.random.default_rng(0)
        for name, size in (("normal", 1.0), ("near 1 / n", 0.1 / n)):
            v = 1 / n + size * rng.normal(size=(vectors, n))
            tensor, out, work = torch.tensor(v), np.empty(n), np.empty(n)
            repeat = range(vectors)
            times = [
                microseconds(lambda: h.project(v), vectors),  # noqa: B023
                microseconds(lambda: h.project(tensor), vectors),  # noqa: B023
                microseconds(lambda: [h.project(v[k]) for k in repeat], vectors),  # noqa: B023
                microseconds(lambda: [simplex(v[k], 1.0, out, work) for k in repeat], vectors),  # noqa: B023
            ]
            print(f"{n:>9}{name:>12}" + "".join(f"{time:>11.1f}" for time in times))
