"""Small least-squares problems kept as their triangular factor: append a row, solve, solve in a box.

For features F (k, m) and targets y (k,) the factor is R (m, m), q (m,) and rest with |F th - y|^2 = |R th - q|^2 +
rest: all that a fit needs, in O(m^2) memory, at the conditioning of F itself where the Gram matrix has its square.
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit

RANK = 1e-12
"""Singular values below RANK times the largest count as zero."""


@njit(cache=True)
def append_row(r: np.ndarray, q: np.ndarray, row: np.ndarray, target: float) -> float:
    """Rotate one row into (R, q), in place; returns what it adds to `rest`. O(m^2)."""
    row = row.copy()
    m = row.size
    for j in range(m):
        if row[j] == 0.0:
            continue
        length = np.hypot(r[j, j], row[j])
        c, s = r[j, j] / length, row[j] / length
        for k in range(j, m):
            r[j, k], row[k] = c * r[j, k] + s * row[k], c * row[k] - s * r[j, k]
        q[j], target = c * q[j] + s * target, c * target - s * q[j]
    return target * target


@njit(cache=True)
def least_squares(r: np.ndarray, q: np.ndarray) -> np.ndarray:
    """`shortest_solution` of an upper triangular R (m, m): by substitution where R is clearly of full rank. O(m^2 /
    2)."""
    m = q.size
    largest, least = 0.0, np.inf
    for i in range(m):
        size = abs(r[i, i])
        largest, least = max(largest, size), min(least, size)
    if least <= 1e-8 * largest:
        return shortest_solution(r, q)
    solution = q.copy()
    for i in range(m - 1, -1, -1):
        for k in range(i + 1, m):
            solution[i] -= r[i, k] * solution[k]
        solution[i] /= r[i, i]
    return solution


@njit(cache=True)
def shortest_solution(r: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The minimizer of |R th - q| of least norm; R (k, m) of any rank. O(m^3)."""
    u, sigma, vt = np.linalg.svd(r, full_matrices=False)
    solution = np.zeros(r.shape[1])
    for i in range(sigma.size):
        if sigma[i] > RANK * sigma[0]:
            solution += (u[:, i] @ q) / sigma[i] * vt[i]
    return solution


@njit(cache=True)
def solution_in_box(r: np.ndarray, q: np.ndarray, bound: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The minimizer of |R th - q| over |th_j| <= bound_j, by bounded-variable least squares (Stark & Parker 1995).

    Variables at a bound are held there; the free ones move to their own minimizer, or to the first bound on the way.
    Once they are minimal, the bound whose multiplier has the wrong sign by most is let go. O(m^3) a change.
    """
    m = start.size
    theta = np.minimum(np.maximum(start, -bound), bound)
    free = np.abs(theta) < bound
    for _ in range(20 * m):
        chosen = np.flatnonzero(free)
        if chosen.size:
            held = theta.copy()
            held[chosen] = 0.0
            goal = shortest_solution(np.ascontiguousarray(r[:, chosen]), q - r @ held)
            step, blocking = 1.0, -1
            for k in range(chosen.size):
                j = chosen[k]
                if abs(goal[k]) > bound[j]:
                    edge = np.copysign(bound[j], goal[k])
                    room = (edge - theta[j]) / (goal[k] - theta[j])
                    if room < step:
                        step, blocking = room, j
            for k in range(chosen.size):
                theta[chosen[k]] += step * (goal[k] - theta[chosen[k]])
            if blocking >= 0:
                theta[blocking] = np.copysign(bound[blocking], theta[blocking])
                free[blocking] = False
                continue
        slope = r.T @ (r @ theta - q)
        worst, release = 1e-10 * (1.0 + np.abs(r.T @ q).max()), -1
        for j in range(m):
            pull = slope[j] * np.sign(theta[j])
            if not free[j] and pull > worst:
                worst, release = pull, j
        if release < 0:
            break
        free[release] = True
    return theta
