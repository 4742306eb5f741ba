"""One arm that diverges or stalls: SequenceTuner's total work over that of the safe solver alone (target: at most 1.2).

100 systems a case, three seeds. Wind: matrices that are not symmetric, on which SOR with w = 1.99 diverges, beside
GMRES. Slow: SOR with w = 1.99 on stiff symmetric ones, beside CG. All: every arm but the safe one fails.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array

from solverkit_sor import SequenceTuner
from solverkit_sor.generators.grid import laplacian
from solverkit_sor.solvers.catalogue import make_arm

T, SEEDS, SIDES = 100, (0, 1, 2), (10, 40)
BAD = {"solver": "sor", "w": 1.99}
CASES: dict[str, tuple[list[dict[str, Any]], str, bool]] = {
    "wind": ([{"solver": "gmres"}, BAD], "gmres", True),
    "wind, first": ([BAD, {"solver": "gmres"}], "gmres", True),
    "slow": ([{"solver": "cg"}, BAD], "cg", False),
    "all": ([BAD, {"solver": "sor", "w": 1.9}, {"solver": "gmres"}], "gmres", True),
}


def ratio(space: list[dict[str, Any]], safe: str, windy: bool, side: int, seed: int, rounds: int = T) -> float:
    """Work of the tuner over that of `safe`, every answer checked; n = side^2."""
    L, n = laplacian(side), side * side
    wind = csr_array(diags_array([-1.0, 1.0], offsets=[-1, 1], shape=(n, n)))
    rng = np.random.default_rng(seed)
    tuner, alone, total, reference = SequenceTuner(space, safe=safe, seed=seed), make_arm(safe), 0.0, 0.0
    for t in range(rounds):
        A = csr_array(eye_array(n) * (8 + 0.01 * t) + 2.0 * L + 8.0 * wind if windy else eye_array(n) + 50.0 * L)
        b = rng.standard_normal(n)
        x, info = tuner.solve(A, b)
        if info or np.linalg.norm(b - A @ x) > 1e-8 * np.linalg.norm(b) * 1.001:
            raise AssertionError(f"system {t} was not solved: {info.message}")
        total += info.work
        reference += alone.solve(A, b, rtol=1e-8).work
    return total / reference


def main() -> None:
    print(f"{'case':12s} {'n':>6} " + " ".join(f"{f'seed {seed}':>7}" for seed in SEEDS))
    for name, (space, safe, windy) in CASES.items():
        for side in SIDES:
            rows = [ratio(space, safe, windy, side, seed) for seed in SEEDS]
            print(f"{name:12s} {side * side:6d} " + " ".join(f"{value:7.3f}" for value in rows), flush=True)
