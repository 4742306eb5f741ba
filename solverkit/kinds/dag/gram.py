"""Gram matrices of samples: of a table at hand, or of one that comes in pieces.

S = (X - m)'(X - m) / n,   m the column means where columns are centred
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from solverkit.errors import UsageError


@dataclass(frozen=True)
class Moments:
    """What linear scores need of samples."""

    gram: np.ndarray  # (d, d)
    n: int
    mean: np.ndarray  # (d,) of the columns, whether it was taken out or not
    deviation: np.ndarray  # (d,) of the columns about their mean


def moments(pieces: Iterable[np.ndarray], center: bool = True, standardize: bool = False) -> Moments:
    """Moments of a table that comes in pieces of rows, each (n_k, d); one pass, O(d^2) memory.

    Pieces are merged by the pairwise update of Chan, Golub and LeVeque (1983), so that a large mean costs no digits.
    UsageError where pieces do not fit together, hold what is not finite, or where there is no row.
    """
    n, mean, scatter = 0, np.zeros(0), np.zeros((0, 0))
    for number, given in enumerate(pieces):
        piece = np.asarray(given, dtype=float)
        if piece.ndim != 2 or (n and piece.shape[1] != len(mean)):
            raise UsageError(f"piece {number} has shape {piece.shape}; every piece is (rows, {len(mean) or 'd'})")
        if not np.isfinite(piece).all():
            row, column = np.argwhere(~np.isfinite(piece))[0]
            raise UsageError(
                f"row {n + row}, column {column} is {piece[row, column]}: remove or fill in missing values"
            )
        count = len(piece)
        if not count:
            continue
        own = piece.mean(axis=0)
        apart = piece - own
        if not n:
            n, mean, scatter = count, own, apart.T @ apart
            continue
        step, total = own - mean, n + count
        scatter = scatter + apart.T @ apart + np.outer(step, step) * (n * count / total)
        mean, n = mean + step * (count / total), total
    if not n:
        raise UsageError("there are no samples")
    gram = scatter / n
    deviation = np.sqrt(np.diag(gram))
    if not center:
        gram = gram + np.outer(mean, mean)
    if standardize:
        scale = np.where(deviation > 0, deviation, 1.0)
        gram = gram / np.outer(scale, scale)
    return Moments((gram + gram.T) / 2, n, mean, deviation)
