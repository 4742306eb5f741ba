"""Data of a projection onto coupled equalities, as in arXiv 2401.16164."""

from __future__ import annotations

import numpy as np


def coupled_strongly_convex(size: int = 100, seed: int = 0) -> dict[str, np.ndarray]:
    """Data of min sin(c'x + d'y) + log(|x + y|^2 + 1), B x = 0, with y nearest to x subject to A y + h x = 0.

    Entries uniform on [0, 1]. With m = 0.9 size rows: `A` and `h` (m, size); `B` (m, size), its second half zero, so
    that its rank is m // 2; `c` and `d` (size,). The arrays that arXiv 2401.16164 ships carry no licence: these
    follow the same law.
    """
    rng = np.random.default_rng(seed)
    rows = 9 * size // 10
    A, h, B = rng.random((3, rows, size))
    B[rows // 2 :] = 0.0
    c, d = rng.random((2, size))
    return {"A": A, "h": h, "B": B, "c": c, "d": d}
