"""Backward elimination of the parents of one variable, on the inverse of their Gram matrix.

With K = S_PP^{-1} and w = K S_Pu, dropping q raises Var(u | P) by w_q^2 / K_qq; K and w lose q by one rank-one step:

    K_ij <- K_ij - K_iq K_qj / K_qq,    w_i <- w_i - w_q K_iq / K_qq
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit
from solverkit_dag.kernels.flags import VECTORS


@njit(**VECTORS)
def eliminate(K, w, keep):
    """(sequence, rises): the parents in the order in which they are dropped, always the one whose loss raises the
    variance least, and by how much; those of `keep` (k,) bool are not dropped. K (k, k) and w (k,) are overwritten.

    O(k^3 / 3): the parents that are left are kept together in the first rows.
    """
    k = w.size
    names, kept = np.arange(k), keep.copy()
    sequence, rises = np.empty(k, np.int64), np.empty(k)
    dropped = 0
    for left in range(k, 0, -1):
        q, least = -1, np.inf
        for i in range(left):
            if not kept[i]:
                rise = w[i] * w[i] / K[i, i]
                if rise < least:
                    q, least = i, rise
        if q < 0:
            break
        sequence[dropped], rises[dropped] = names[q], least
        dropped += 1
        last = left - 1
        if q != last:  # trade places with the last one
            for i in range(left):
                K[i, q], K[i, last] = K[i, last], K[i, q]
            for i in range(left):
                K[q, i], K[last, i] = K[last, i], K[q, i]
            w[q], w[last] = w[last], w[q]
            names[q], names[last] = names[last], names[q]
            kept[q], kept[last] = kept[last], kept[q]
        row, pivot = K[last], K[last, last]
        for i in range(last):
            share = row[i] / pivot
            if share != 0.0:
                target = K[i]
                for j in range(last):
                    target[j] -= share * row[j]
            w[i] -= share * w[last]
    return sequence[:dropped], rises[:dropped]
