"""Component evaluations a second of the compiled kernels, one core: medians of nine, n = 500 unless it says otherwise.

A step of Algorithm 1 with a batch of b counts 2 b evaluations, a step of Algorithm 2 or of VR-EG counts 2: F_i is
needed at two points. `floor` is the time in which the rows and columns of these components can be read at the copy
speed of this core (8 bytes a number, read and written). The NumPy loop is Algorithm 2 with the library's projections.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from solverkit.kinds.inclusion.build import game
from solverkit.kinds.inclusion.generators import sparse_game
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.operators.proximal import Box
from solverkit_halpern.sampling.compiled import CompiledComponents

REPEATS = 9
BATCH = 23


def main() -> None:
    rng = np.random.default_rng(0)
    dense = game(rng.standard_normal((500, 500)))
    boxes = Inclusion("boxes", dense.variables, dense.part, (Box(-1.0, 1.0), Box(-1.0, 1.0)))
    larger = game(rng.standard_normal((2000, 2000)))
    sparse = game(sparse_game(2000, density=1e-2))
    speed = copy_speed()
    print(f"copy: {speed / 1e9:.1f} GB/s read and written")
    for name, problem in (
        ("dense, simplices", dense),
        ("dense, boxes", boxes),
        ("n = 2000, simplices", larger),
        ("sparse n = 2000, 1 %, simplices", sparse),
    ):
        one = rates(problem, rng)
        bytes_each = 8 * problem.size * (0.01 if "sparse" in name else 1)
        shown = "  ".join(f"{label} {rate:9.3g}/s" for label, rate in one.items())
        print(f"{name:32s} {shown}  floor of Algorithm 1 {2 * speed / bytes_each:.2g}/s")
    print(f"{'NumPy loop, n = 500':32s} Algorithm 2 {loop(dense, rng):9.3g}/s")


def rates(problem: Inclusion, rng: np.random.Generator) -> dict[str, float]:
    """Evaluations a second by algorithm; the point moves, so that hardly any coordinate is skipped."""
    parts = CompiledComponents(problem, lambda *_: None)
    start = problem.flat(problem.start(rng))
    moved = start + 1e-3 * rng.random(len(start))
    g = problem.operator(start)
    batches, singles = parts.draw(rng, 100, BATCH), parts.draw(rng, 3000, 1)
    return {
        "Algorithm 1": 2 * 100 * BATCH
        / median(lambda: parts.page(moved.copy(), start.copy(), g.copy(), moved, 1e-4, np.full(100, 0.01), batches)),
        "Algorithm 2": 2 * 3000
        / median(lambda: parts.reflected(moved.copy(), start, start, 0.1 * g, 0.1, 1.0, 1e-3, 0.998, singles)),
        "VR-EG": 2 * 3000
        / median(lambda: parts.extragradient(moved.copy(), start, g, start.copy(), 1e-4, 0.998, singles)),
    }  # fmt: skip


def loop(problem: Inclusion, rng: np.random.Generator) -> float:
    """Evaluations a second of Algorithm 2 in NumPy."""
    A, n = problem.bilinear.matrix, problem.count  # type: ignore[union-attr]
    w = problem.flat(problem.start(rng))
    base, project = 0.1 * problem.operator(w), problem.sets[0].prox
    picks = rng.integers(0, n, 300)

    def steps() -> None:
        v = w.copy()
        for i in picks:
            change = 0.1 * n * np.concatenate([A[:, i] * (v[n + i] - w[n + i]), -A[i] * (v[i] - w[i])]) + v - w
            z = 0.998 * v + 0.002 * w - 1e-3 * (base + change)
            v = np.concatenate([project(z[:n], 1.0), project(z[n:], 1.0)])

    return 2 * len(picks) / median(steps)


def median(work: Callable[[], None]) -> float:
    """Seconds of processor time, the first run left out."""
    work()
    spent = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return float(np.median(spent))


def copy_speed() -> float:
    """Bytes a second, read plus written, of a copy of 64 MB."""
    source = np.ones(8_000_000)
    target = np.empty_like(source)
    return 2 * source.nbytes / median(lambda: np.copyto(target, source))
