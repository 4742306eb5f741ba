"""How often Lanczos, as the certificate runs it, misses one negative eigenvalue among many.

1,000 directions, one of them with negative curvature, relative to the largest; 40 random starts. Missed: the smallest
Ritz value is above -1e-4, the tolerance of the term.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.bilevel.spectrum import lanczos

SIZE, STARTS = 1000, 40
NEGATIVE = (-0.03, -0.01, -0.003, -0.001, -0.0003)


def main() -> None:
    spectra = {
        "uniform on [0, 1]": np.linspace(0, 1, SIZE),
        "decades 1e-6 to 1": np.logspace(-6, 0, SIZE),
        "60 of these, the rest 0": np.concatenate([np.logspace(-6, 0, 60), np.zeros(SIZE - 60)]),
    }
    print(f"{'missed (mean products)':24}" + "".join(f"{low:>14}" for low in NEGATIVE))
    for name, positive in spectra.items():
        print(f"{name:24}" + "".join(f"{_missed(positive, low):>14}" for low in NEGATIVE), flush=True)


def _missed(positive: np.ndarray, low: float) -> str:
    values = positive.copy()
    values[5] = low
    missed, products = 0, 0

    def product(v: np.ndarray) -> np.ndarray:
        nonlocal products
        products += 1
        return values * v

    for seed in range(STARTS):
        found = lanczos(product, np.random.default_rng(seed).normal(size=SIZE), negative=1e-6)
        missed += found.smallest > -1e-4
    return f"{missed} ({products / STARTS:.0f})"
