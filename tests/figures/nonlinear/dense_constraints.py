"""Dense constraints: Schur complements against IPOPT, and the same with a Gram Hessian that is never formed."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from solverkit_sketched_newton.generators import dense_constraints
from solverkit_sketched_newton.inner.base import NewtonSystem
from solverkit_sketched_newton.inner.nystrom import NystromCG
from tests.figures.nonlinear._child import HEADER, measured

GRAM = {"n": 5000, "m": 300, "samples": 50000}


def main() -> None:
    print(HEADER)
    ours = measured("dense-constraints", {"n": 5000, "m": 300}, "sketched-newton")
    theirs = measured("dense-constraints", {"n": 5000, "m": 300}, "ipopt", limit=60)
    print(f"n = 5000, m = 300: ratio of times to IPOPT {ours['seconds'] / theirs['seconds']:.3f}", flush=True)
    measured("dense-constraints", {"n": 10000, "m": 1000}, "sketched-newton")
    measured("dense-constraints", {"n": 100000, "m": 1000}, "sketched-newton", build="python")
    steps = {}
    for rank in (0, 30):
        label = f"Nystrom, rank {rank}" if rank else "diagonal metric"
        options = {"inner": "nystrom", "rank": rank}
        steps[label] = measured("dense-constraints-gram", GRAM, "sketched-newton", options, label=label)["nhvp"]
    print("products with the Hessian: " + ", ".join(f"{label} {count}" for label, count in steps.items()), flush=True)
    one_system()


def one_system() -> None:
    """Steps to 1e-8 on one system X'D X + ridge with dense equations, by ridge and rank of the sketch."""
    data = dense_constraints(2500, 100, 0, samples=20000)
    X, rng = csr_array(data["X"]), np.random.default_rng(1)
    weights = rng.uniform(0.05, 0.25, X.shape[0])
    r_x, r_c = rng.standard_normal(2500), rng.standard_normal(100)
    print("one system, n = 2500, m = 100, 20000 samples: steps to 1e-8 (products for the sketch)")
    for ridge in (1e-1, 1e-3, 1e-5):
        system = NewtonSystem(
            None, lambda v, ridge=ridge: X.T @ (weights * (X @ v)) + ridge * v, np.zeros(2500), data["G"]
        )
        line = []
        for rank in (0, 30, 100, 300):
            solver = NystromCG(rank=rank, max_iter=3000)
            solver.prepare(system)
            found = solver.solve(r_x, r_c, 1e-8)
            line.append(f"rank {rank}: {found.iterations} ({solver.products}), residual {found.residual:.0e}")
        print(f"  ridge {ridge:g}: " + "; ".join(line), flush=True)
