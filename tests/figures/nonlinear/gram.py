"""Gram Hessians that are never formed: steps and products with the random sketch and without it.

Two kinds of data under dense equations, columns as frequent as words and rows that repeat a hundred templates; ridges
from 0.1 to 1e-3. `none` is the exact diagonal alone (rank=0), `auto` the default, which sketches once steps have paid
for it. Products are passes over the data, those for the sketch, the diagonal and the tests of a step included.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy.sparse import csr_array

import solverkit as sk
from solverkit.bench.environment import pin
from solverkit_sketched_newton.generators import dense_constraints
from solverkit_sketched_newton.inner.base import NewtonSystem
from solverkit_sketched_newton.inner.nystrom import NystromCG
from tests.figures.nonlinear._table import PROBLEMS

N, M, SAMPLES = 2500, 150, 25000
RIDGES = (1e-1, 1e-2, 1e-3)
DATA = {"words": 0, "templates": 100}
WAYS: dict[str, dict[str, Any]] = {
    "none": {"rank": 0},
    "auto": {},
    "rank 120": {"rank": 120, "adaptive": False},
}
LIMIT = 15.0  # seconds for a whole solve


def main() -> None:
    pin(1)
    print(f"n = {N}, m = {M}, {SAMPLES} samples")
    print("\none system to 1e-8: steps + products for sketch and diagonal, CPU seconds")
    print(f"{'data':<11}{'ridge':<8}" + "".join(f"{way:>24}" for way in WAYS))
    for name, templates in DATA.items():
        one_system(name, templates)
    print("\nwhole solves to 1e-8: iterations, products, seconds of the solve and of the certificate")
    print(f"{'data':<11}{'ridge':<8}" + "".join(f"{way:>42}" for way in ("none", "auto")))
    for name, templates in DATA.items():
        for ridge in RIDGES:
            cells = [whole(templates, ridge, WAYS[way]) for way in ("none", "auto")]
            print(f"{name:<11}{ridge:<8g}" + "".join(f"{cell:>42}" for cell in cells), flush=True)


def one_system(name: str, templates: int) -> None:
    """X'W X + ridge with random weights and a random right-hand side, each way from nothing."""
    data = dense_constraints(N, M, 0, samples=SAMPLES, templates=templates)
    X, rng = csr_array(data["X"]), np.random.default_rng(1)
    weights = rng.uniform(0.05, 0.25, SAMPLES)
    diagonal = np.asarray(X.multiply(X).T @ weights)
    r_x, r_c = rng.standard_normal(N), rng.standard_normal(M)
    for ridge in RIDGES:
        extra = ridge * data["d"]
        system = NewtonSystem(
            None,
            lambda v, extra=extra: X.T @ (weights * (X @ v)) + extra * v,
            np.zeros(N),
            data["G"],
            diagonal=lambda extra=extra: diagonal + extra,
        )
        cells = []
        for options in WAYS.values():
            solver, start = NystromCG(max_iter=3000, **options), time.process_time()
            solver.prepare(system)
            found = solver.solve(r_x, r_c, 1e-8)
            failed = "" if found.residual <= 1e-8 else " F"
            cells.append(f"{found.iterations} + {solver.products}, {time.process_time() - start:.2f} s{failed}")
        print(f"{name:<11}{ridge:<8g}" + "".join(f"{cell:>24}" for cell in cells), flush=True)


def whole(templates: int, ridge: float, options: dict[str, Any]) -> str:
    """One run of the method with its certificate."""
    parameters = {"n": N, "m": M, "samples": SAMPLES, "templates": templates, "ridge": ridge}
    problem = sk.load(PROBLEMS / "dense-constraints-gram" / "problem.yaml", parameters=parameters)
    result = sk.solve(problem, method="sketched-newton", options=options, max_time=LIMIT)
    times = result.timing
    found = f"{result.nit}, {result.counts['nhvp']}, {times['solve']:.1f} + {times['certificate']:.1f} s"
    return f"{result.point_status.name.lower()} {found}"
