"""One cold solve by each solver: iterations, CPU seconds, and what the work model says.

I + alpha L with N unknowns, random right-hand side, relative residual 1e-8. Seconds are CPU time of the best of three
solves by a fresh solver, preparation included; `ns/unit` is time by unit of modelled work: the model is good where it
is the same for all solvers.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy.sparse import csr_array, eye_array

from solverkit_sor.generators.grid import laplacian
from solverkit_sor.solvers.catalogue import make_arm

CHOICES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("cg", {}),
    ("ssor-cg", {"w": 1.0}),
    ("ssor-cg", {"w": 1.5}),
    ("ssor-cg", {"w": 1.9}),
    ("ssor-cg", {"w": 1.95}),
    ("sor", {"w": 1.9}),
    ("grid-sor", {"w": 1.9}),
    ("amg", {"kind": "rs"}),
    ("amg", {"kind": "sa"}),
    ("ilu", {"drop": 1e-2}),
    ("direct", {}),
)
LARGE = ("cg", "ssor-cg")  # at a million unknowns
LONGEST = 2.0  # seconds beyond which a solve is not repeated


def main() -> None:
    rng = np.random.default_rng(0)
    for m in (100, 316, 1000):
        for alpha in (5, 500):
            A, b = csr_array(eye_array(m * m) + alpha * laplacian(m)), rng.standard_normal(m * m)
            print(f"\nN = {m * m:,}, alpha = {alpha}           iterations    seconds    work/1e6   ns/unit")
            for name, parameters in CHOICES:
                if m < 1000 or name in LARGE:
                    row(A, b, m, name, parameters)


def row(A: csr_array, b: np.ndarray, m: int, name: str, parameters: dict[str, Any]) -> None:
    seconds = float("inf")
    for _ in range(3):
        solver = make_arm(name, grid=(m, m))
        began = time.process_time()
        solved = solver.solve(A, b, parameters=parameters)
        spent = time.process_time() - began
        seconds = min(seconds, spent)
        if spent > LONGEST:
            break
    shown = " ".join([name, *(f"{key} {value}" for key, value in parameters.items())])
    count = str(solved.iterations) if solved.converged else f"({solved.outcome.name.lower()})"
    print(f"{shown:32s} {count:>12s} {seconds:10.4f} {solved.work / 1e6:11.2f} {1e9 * seconds / solved.work:9.2f}")
