"""What every swap and every insertion in an order would change, from its factor and without a refit.

S_{pi,pi} = L L'. Var(t) is the conditional variance of the variable at position t given those before it, L_tt^2; the
changes are of sum_t Var(t). All sums below are of squares, so nothing cancels but the change itself.

    R_t(b)      = L_bb^2 + sum_{s=t}^{b-1} L_bs^2                          variance of b given positions 0, ..., t - 1

    b to a < b :   Var(b) = R_a(b),   Var(t) = L_tt^2 (1 - L_bt^2 / R_t(b)),                       a <= t < b
    a to b > a :   Var(t) = L_tt^2 al_t / al_{t-1},   Var(a) = L_aa^2 / al_b,                      a < t <= b
                   al_a = 1,   al_t = al_{t-1} + w_t^2,   w_t = -(L^{-1})_ta L_aa

For the swap of a < b take a out first: with l = column a of L, the rank-one update of the columns s = a + 1, a + 2, ...

    D_s = L_ss^2 + l_s^2,   L'_bs = (L_ss L_bs + l_s l_b) / sqrt(D_s),   l_b <- (L_ss l_b - l_s L_bs) / sqrt(D_s)

keeps two things for every b at once: D_s = Var(s) without a, and R_s(b) + l_b^2 = r_s(b), the variance of b given
positions 0, ..., s - 1 without a. Then

    Var(b) = r_{a+1}(b),   Var(s) = D_s (1 - L'_bs^2 / r_s(b)),   Var(a) = L_aa^2 / prod_{s=a+1}^{b} (D_s / L_ss^2)

so a swap needs no second factor, and no triangular solve: O(d^2) for each a, O(d^3) for all, every loop over
contiguous b.

| here | meaning |
|---|---|
| upper, inverse | L' and L^{-1}, see `factor` |
| suffix | (d, d) suffix[t, b] = R_t(b), b >= t |
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit
from solverkit_dag.kernels.flags import PLAIN


@njit(**PLAIN)
def suffixes(upper):
    """R, by rows from the last. O(d^2)."""
    d = upper.shape[0]
    R = np.zeros((d, d))
    for t in range(d - 1, -1, -1):
        R[t, t] = upper[t, t] * upper[t, t]
        for b in range(t + 1, d):
            R[t, b] = R[t + 1, b] + upper[t, b] * upper[t, b]
    return R


@njit(**PLAIN)
def leftward(upper, suffix, change):
    """change[a, b] of moving position b to a, for all a < b. O(d^2)."""
    d = upper.shape[0]
    lost = np.zeros(d)
    for a in range(d - 1, -1, -1):
        variance = upper[a, a] * upper[a, a]
        row, R, out = upper[a], suffix[a], change[a]
        for b in range(a + 1, d):
            square = row[b] * row[b]
            lost[b] += variance * square / R[b]
            # R_a(b) - L_bb^2 is a sum of squares too, but R keeps 16 digits of it where it matters
            out[b] = R[b] - lost[b]
    for a in range(d):
        for b in range(a + 1, d):
            change[a, b] -= suffix[b, b]


@njit(**PLAIN)
def rightward(upper, inverse, change):
    """change[b, a] of moving position a to b, for all b > a. O(d^2)."""
    d = upper.shape[0]
    gained, al, square = np.zeros(d), np.ones(d), np.empty(d)
    for a in range(d):
        square[a] = upper[a, a] * upper[a, a]
    for b in range(1, d):
        row, out, variance = inverse[b], change[b], square[b]
        for a in range(b):
            ratio = row[a] * row[a] * square[a]
            gained[a] += variance * ratio / al[a]
            al[a] += ratio
            out[a] = gained[a] - square[a] * (1.0 - 1.0 / al[a])


@njit(**PLAIN)
def insertions(upper, inverse):
    """change[i, j] of sum_t Var(t), where the variable at position j moves to position i. O(d^2)."""
    d = upper.shape[0]
    change = np.zeros((d, d))
    leftward(upper, suffixes(upper), change)
    rightward(upper, inverse, change)
    return change


@njit(**PLAIN)
def swaps_of(a, upper, suffix, left, lost, out):
    """out[b] of swapping positions a and b, for all b > a; `left` and `lost` are room. O(d^2)."""
    d = upper.shape[0]
    for b in range(a + 1, d):
        left[b], lost[b] = upper[a, b], 0.0
    first, gained, al = upper[a, a] * upper[a, a], 0.0, 1.0
    R = suffix[a]
    for s in range(a + 1, d):
        diagonal, moved = upper[s, s], left[s]
        D = diagonal * diagonal + moved * moved
        al *= D / (diagonal * diagonal)
        out[s] = (R[s] - suffix[s, s]) + gained - lost[s] - first * (1.0 - 1.0 / al)
        gained += moved * moved
        size = np.sqrt(D)
        c, t = diagonal / size, moved / size
        row, variance = upper[s], suffix[s]
        for b in range(s + 1, d):
            entry, other = row[b], left[b]
            fresh = c * entry + t * other
            lost[b] += D * (fresh * fresh) / (variance[b] + other * other)
            left[b] = c * other - t * entry


@njit(**PLAIN)
def swaps(upper):
    """change[a, b] of sum_t Var(t), where the variables at a < b swap positions. O(d^3 / 6)."""
    d = upper.shape[0]
    change = np.zeros((d, d))
    suffix = suffixes(upper)
    left, lost = np.empty(d), np.empty(d)
    for a in range(d - 1):
        swaps_of(a, upper, suffix, left, lost, change[a])
    return change
