"""Moves of an order carried out on its factor by rotations, and sweeps of insertions made of them.

Moving position j to i permutes the columns of L' (and of L^{-1}) cyclically; the triangle is restored by rotating
neighbouring rows k, k + 1 between i and j, the same in both, since with Q orthogonal

    P L = (P L Q) Q',    (P L Q)^{-1} = Q' L^{-1} P'

O(m d) for a move over m positions. Rows outside i..j keep their diagonal; disjoint moves commute.

| here | meaning |
|---|---|
| upper, inverse | L' and L^{-1}, see `factor`; changed in place with `order` |
| before | (d, d) bool: before[u, v] has u before v in every order, see `solverkit_dag.precedence` |
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit
from solverkit_dag.kernels.flags import PLAIN


@njit(**PLAIN)
def _shift(row, i, j):
    """row[j] moves to i, those between make room."""
    value = row[j]
    if j > i:
        for k in range(j, i, -1):
            row[k] = row[k - 1]
    else:
        for k in range(j, i):
            row[k] = row[k + 1]
    row[i] = value


@njit(**PLAIN)
def _rotate(upper, inverse, k, column, low, high):
    """Rows k, k + 1: their entries in `column` of `upper` become (r, 0)."""
    x, y = upper[k, column], upper[k + 1, column]
    r = np.sqrt(x * x + y * y)
    c, s = x / r, y / r
    one, two = upper[k], upper[k + 1]
    for t in range(low, one.size):
        first, second = one[t], two[t]
        one[t], two[t] = c * first + s * second, s * first - c * second
    two[column] = 0.0
    one, two = inverse[k], inverse[k + 1]
    for t in range(high):
        first, second = one[t], two[t]
        one[t], two[t] = c * first + s * second, s * first - c * second


@njit(**PLAIN)
def insert(order, upper, inverse, i, j):
    """The variable at position j moves to position i."""
    _shift(order, i, j)
    low, high = min(i, j), max(i, j)
    for k in range(high + 1):
        _shift(upper[k], i, j)
    for k in range(low, order.size):
        _shift(inverse[k], i, j)
    if j > i:
        for k in range(j - 1, i - 1, -1):
            _rotate(upper, inverse, k, i, i, j + 1)
    else:
        for k in range(j, i):
            _rotate(upper, inverse, k, k, k, i + 1)
    for k in range(low, high + 1):  # what rounding left outside the triangles
        for t in range(low, k):
            upper[k, t] = 0.0
        for t in range(k + 1, high + 1):
            inverse[k, t] = 0.0


@njit(**PLAIN)
def swap(order, upper, inverse, a, b):
    """The variables at a < b swap positions."""
    insert(order, upper, inverse, a, b)
    if b > a + 1:
        insert(order, upper, inverse, b, a + 1)


@njit(**PLAIN)
def best_place(j, order, upper, inverse, before):
    """(i, change of sum_t Var(t)) of the best position i for the variable at j; change 0 at i = j.

    The formulas are those of `neighbourhood`, for one variable. O(d).
    """
    d = order.size
    v, place, best = order[j], j, 0.0
    variance = upper[j, j] * upper[j, j]
    R, lost = variance, 0.0
    for a in range(j - 1, -1, -1):
        if before[order[a], v]:
            break
        square = upper[a, j] * upper[a, j]
        R += square
        lost += upper[a, a] * upper[a, a] * square / R
        if R - variance - lost < best:
            place, best = a, R - variance - lost
    al, gained = 1.0, 0.0
    for b in range(j + 1, d):
        if before[v, order[b]]:
            break
        ratio = inverse[b, j] * inverse[b, j] * variance
        gained += upper[b, b] * upper[b, b] * ratio / al
        al += ratio
        if gained - variance * (1.0 - 1.0 / al) < best:
            place, best = b, gained - variance * (1.0 - 1.0 / al)
    return place, best


@njit(**PLAIN)
def sweep(order, upper, inverse, before, least):
    """Every variable once, in the order at the start, to its best place where that gains more than `least`.

    Returns (moves, change of sum_t Var(t)). O(d) to find a move, O(m d) to make one.
    """
    d = order.size
    turn, position = order.copy(), np.empty(d, order.dtype)
    moves, total = 0, 0.0
    for v in turn:
        for k in range(d):
            position[order[k]] = k
        j = position[v]
        i, change = best_place(j, order, upper, inverse, before)
        if change < -least:
            insert(order, upper, inverse, i, j)
            moves, total = moves + 1, total + change
    return moves, total


@njit(**PLAIN)
def mask_swaps(change, order, before):
    """change[a, b] = inf where the swap would break an order that must be kept. O(d^2) but where `before` is rich."""
    d = order.size
    for a in range(d):
        last = d  # first position that the variable at a must not reach
        for b in range(a + 1, d):
            if before[order[a], order[b]]:
                last = b
                break
        for b in range(last, d):
            change[a, b] = np.inf
    for b in range(d):
        for a in range(b - 1, -1, -1):
            if before[order[a], order[b]]:
                for t in range(a + 1):
                    change[t, b] = np.inf
                break


@njit(**PLAIN)
def disjoint(firsts, lasts, d):
    """Which of the intervals [first, last], best first, are taken when none may meet one taken before. (m,) bool."""
    taken, free = np.zeros(firsts.size, np.bool_), np.ones(d, np.bool_)
    for k in range(firsts.size):
        clear = True
        for t in range(firsts[k], lasts[k] + 1):
            if not free[t]:
                clear = False
                break
        if clear:
            taken[k] = True
            free[firsts[k] : lasts[k] + 1] = False
    return taken
