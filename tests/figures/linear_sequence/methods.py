"""Whole sequences by `sor-tuner` and by the baselines: CPU seconds of the run, learning and certificate included.

Each method runs twice in this process, the second time counts: what is compiled or imported once is left out.
"""

from __future__ import annotations

import time
from pathlib import Path

import solverkit as sk

PROBLEMS = Path(__file__).parents[3] / "problems" / "linear-sequence"
NAMES = ("ridge-breast-cancer", "newton-p-laplace", "mesh-heat", "mesh-steady")
METHODS: tuple[tuple[str, dict], ...] = (
    ("sor-tuner", {}),
    ("sor-tuner", {"solver": "ssor-cg"}),
    ("sor-tuner", {"solver": "ssor-cg", "policy": "fixed"}),
    ("scipy-cg", {}),
    ("pyamg", {}),
    ("superlu", {}),
)


def main() -> None:
    for name in NAMES:
        problem = sk.load(PROBLEMS / name / "problem.yaml")
        print(f"\n{name}: {problem.T} systems of {problem.n} unknowns")
        for method, options in METHODS:
            sk.solve(problem, method=method, options=options, seed=0, max_iter=1)
            began = time.process_time()
            result = sk.solve(problem, method=method, options=options, seed=0)
            seconds = time.process_time() - began
            shown = " ".join([method, *(f"{key}={value}" for key, value in options.items())])
            counts = f"{result.counts['niter']:7d} iterations {result.counts.get('nsetup', 0):4d} builds"
            print(f"  {shown:40s} {seconds:8.3f} s {counts}   {result.point_status.name}")
