"""Time and memory of the bilevel certificate by products, as the lower level grows.

Lower level: m variables in a chain, each with a curvature exp(x_k) of its group,

    f = mean over j of  1/2 exp(x_k(j)) y_j^2 + softplus(y_{j+1} - y_j) - b_j y_j
    F = mean (y - 0.3)^2 + mean x^2 / 20

solved by L-BFGS, as far as it goes, before the certificate is timed. The last column counts those of three points
nearby (x moved by 1e-2, y moved, both) that are certified although they are no solutions.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SIZES = ((50, 1_000), (200, 2_000), (1_000, 1_000), (100, 10_000), (100, 100_000))


def main() -> None:
    """One process a size: the largest memory of a process never falls."""
    print(f"{'n':>6} {'m':>7} {'CPU s':>8} {'MB more':>8} {'verdict':>10} {'nearby certified':>17}")
    here = [sys.executable, "-m", "tests.figures.bilevel.certificate_sizes"]
    with tempfile.TemporaryDirectory() as folder:
        for n, m in SIZES:
            file = str(Path(folder) / f"{n}-{m}.npy")
            for task in ("solve", "certify"):
                subprocess.run([*here, task, str(n), str(m), file], check=True)


def solve(n: int, m: int, file: str) -> None:
    np.save(file, _solved(_problem(n, m)))


def verdict(n: int, m: int, file: str) -> None:
    from solverkit.kinds.base import PointStatus
    from solverkit.kinds.bilevel.certificate import certify

    problem = _problem(n, m)
    z = np.load(file)
    problem.lower_hvp(problem.upper_gradient(z), problem.lower_gradient(z))  # torch loads its parts at first use
    before = _memory()
    begin = time.process_time()
    found = certify(problem, problem.blocks(z))
    seconds, more = time.process_time() - begin, _memory() - before
    print(f"{n:>6} {m:>7} {seconds:>8.2f} {more:>8.0f} {found.status.name:>10}", end=" ", flush=True)
    wrong = 0
    for seed in range(3):
        moved = z.copy()
        part = slice(0, n) if seed == 0 else slice(n, None) if seed == 1 else slice(None)
        moved[part] += 1e-2 * np.random.default_rng(seed).normal(size=len(moved[part]))
        wrong += certify(problem, problem.blocks(moved)).status is PointStatus.CERTIFIED
    print(f"{wrong:>17}", flush=True)


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _problem(n: int, m: int) -> Any:
    import torch

    from solverkit.kinds.bilevel.build import bilevel

    torch.set_num_threads(1)
    b = torch.tensor(np.random.default_rng(0).normal(size=m))

    def lower(x: Any, y: Any) -> Any:
        bowl = 0.5 * torch.exp(x).repeat_interleave(m // n) * y**2 - b * y
        return (bowl.sum() + torch.nn.functional.softplus(y[1:] - y[:-1]).sum()) / m

    def upper(x: Any, y: Any) -> Any:
        return ((y - 0.3) ** 2).mean() + 0.05 * (x**2).mean()

    return bilevel(
        {"variables": {"x": {"shape": n}}, "minimize": upper},
        {"variables": {"y": {"shape": m}}, "minimize": lower, "convex": True},
    )


def _solved(problem: Any) -> np.ndarray:
    from scipy.optimize import minimize

    from solverkit.kinds.bilevel.by_products import Reduced, solve_free
    from solverkit.kinds.bilevel.local import Local

    latest = np.zeros(problem.n + problem.m)

    def both(x: np.ndarray) -> tuple[float, np.ndarray]:
        latest[: problem.n] = x
        latest[problem.n :] = solve_free(Local(problem, latest.copy(), 1e-4), 0).minimizers[0]
        local = Local(problem, latest.copy(), 1e-4)
        return local.upper_value, Reduced(local).gradient

    options = {"maxiter": 60, "gtol": 1e-9, "ftol": 0}
    both(minimize(both, np.zeros(problem.n), jac=True, method="L-BFGS-B", options=options).x)
    return latest


if __name__ == "__main__":
    {"solve": solve, "certify": verdict}[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
