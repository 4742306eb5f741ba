"""min_w (1/2) w'Hw - s'w + l1 |w|_1 over the coordinates that are allowed, to rounding, by an active set of signs.

    H_AA x = s_A - l1 theta_A,   w_A <- w_A + t (x - w_A),   t the first step at which a sign changes, or 1

A coordinate whose sign would change leaves A. Where none would, the coordinate outside A whose gradient exceeds l1 most
enters with the sign that lowers it; where there is none, w is the minimum (feature-sign search: Lee, Battle, Raina and
Ng, NIPS 2006). Coordinate descent is no match: Gram matrices of a DAG's samples have condition numbers of 1e6 and more.

| here | meaning |
|---|---|
| H, s | (d, d), (d,) |
| allowed | (d,) bool |
| w | (d,) warm start, overwritten by the answer; zero outside `allowed` |
| theta | (d,) signs of A, 0 outside |
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit
from solverkit_dag.kernels.flags import VECTORS

ROUNDING = 1e-12  # of sqrt(H_jj) times the largest s_i / sqrt(H_ii): a gradient above l1 by this much is at it
PIVOT = 1e-13


@njit(**VECTORS)
def solve_active(H, right, active, k, L, x):
    """x with H_AA x = right_A, A = active[:k]; coordinates that depend on earlier ones get 0. O(k^3 / 6)."""
    for i in range(k):
        a = active[i]
        for j in range(i + 1):
            value = H[a, active[j]]
            for t in range(j):
                value -= L[i, t] * L[j, t]
            if i == j:
                L[i, i] = np.sqrt(value) if value > PIVOT * H[a, a] else np.inf
            else:
                L[i, j] = value / L[j, j]
        value = right[a]
        for t in range(i):
            value -= L[i, t] * x[t]
        x[i] = value / L[i, i]
    for i in range(k - 1, -1, -1):
        value = x[i]
        for t in range(i + 1, k):
            value -= L[t, i] * x[t]
        x[i] = value / L[i, i]


@njit(**VECTORS)
def _worst(H, s, allowed, l1, w, theta, noise):
    """The coordinate outside A whose gradient exceeds l1 most, free of units; -1 where there is none."""
    d = s.size
    slope = -s
    for i in range(d):
        if w[i] != 0.0:
            for j in range(d):
                slope[j] += w[i] * H[i, j]
    worst, most = -1, noise
    for j in range(d):
        if allowed[j] and theta[j] == 0.0 and H[j, j] > 0.0:
            excess = (abs(slope[j]) - l1) / np.sqrt(H[j, j])
            if excess > most:
                worst, most = j, excess
    if worst >= 0:
        theta[worst] = -np.sign(slope[worst])
    return worst


@njit(**VECTORS)
def _settle(H, s, l1, w, theta, active, L, x, right):
    """The minimum with the signs theta, coordinates leaving on the way. Returns whether any coordinate is left."""
    d = s.size
    while True:
        k = 0
        for j in range(d):
            if theta[j] != 0.0:
                active[k] = j
                k += 1
            right[j] = s[j] - l1 * theta[j]
        if k == 0:
            return False
        solve_active(H, right, active, k, L, x)
        step, leaving = 1.0, -1
        for i in range(k):
            j = active[i]
            if l1 > 0.0 and x[i] * theta[j] <= 0.0:
                reach = w[j] / (w[j] - x[i]) if w[j] != x[i] else 0.0
                if reach < step:
                    step, leaving = max(reach, 0.0), j
        for i in range(k):
            j = active[i]
            w[j] += step * (x[i] - w[j])
        if leaving < 0:
            return True
        w[leaving], theta[leaving] = 0.0, 0.0


@njit(**VECTORS)
def lasso(H, s, allowed, l1, w):
    """The minimum in w; returns its value. O(k^3 / 6 + k d) a change of A."""
    d = s.size
    theta, active = np.zeros(d), np.empty(d, np.int64)
    L, x, right = np.zeros((d, d)), np.empty(d), np.empty(d)
    noise = 0.0
    for j in range(d):
        if H[j, j] > 0.0:
            noise = max(noise, ROUNDING * abs(s[j]) / np.sqrt(H[j, j]))
        if not allowed[j]:
            w[j] = 0.0
        elif l1 == 0.0:
            theta[j] = 1.0
        else:
            theta[j] = np.sign(w[j])
    _settle(H, s, l1, w, theta, active, L, x, right)
    if l1 > 0.0:
        for _ in range(20 * d + 20):
            j = _worst(H, s, allowed, l1, w, theta, noise)
            if j < 0:
                break
            _settle(H, s, l1, w, theta, active, L, x, right)
    value = 0.0
    for i in range(d):
        if w[i] != 0.0:
            product = 0.0
            for j in range(d):
                product += H[i, j] * w[j]
            value += w[i] * (0.5 * product - s[i]) + l1 * abs(w[i])
    return value
