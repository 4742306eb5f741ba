"""Best parents among any set of variables by grow-shrink, for a Gaussian likelihood with a price an edge, from S alone.

    f(u, P) = min over A in P of (1/2) log Var(u | A) + price |A|, searched greedily:
    grow: add the variable of P that lowers it most, until none does;  shrink: drop likewise, until none does

The growth of u within P is a walk down a tree that does not depend on P: a node is a set A, its branches are the
variables whose addition pays, best first, and the walk takes the first branch whose variable is in P. So the trees of
all variables are grown once, where walks pass, and every order is scored by walks (Andrews, Ramsey, Sanchez Romero,
Camchong and Kummerfeld, NeurIPS 2023, whose grow-shrink trees these are). Required parents are in every A.

| here | meaning |
|---|---|
| price | edge_cost (log n) / (2 n) |
| nodes | (capacity, 2) int64: first branch and number of branches of each node |
| scores | (capacity,) of A after shrinking; NaN before a walk has ended there |
| branches | (room, 2) int64: variable, child node or -1 |
| used | (2,) int64: nodes and branches in use |
| roots | (d,) int64: node of each variable's tree, -1 before its first walk |
| room | (d, d), (d,), (d,): see `_extend` |

A full store is emptied and grown anew: it is a cache, and no value depends on it.
"""

from __future__ import annotations

import numpy as np

from solverkit.kernels import njit
from solverkit_dag.kernels.flags import VECTORS

TINY = 1e-11  # of its variance, below which a variable is taken for a combination of others


@njit(**VECTORS)
def _factor(S, chosen, k, L):
    """L (k, k) lower with L L' = S[chosen, chosen]; False where it is not positive definite."""
    for i in range(k):
        for j in range(i + 1):
            value = S[chosen[i], chosen[j]]
            for t in range(j):
                value -= L[i, t] * L[j, t]
            if i == j:
                if not value > TINY * S[chosen[i], chosen[i]]:
                    return False
                L[i, i] = np.sqrt(value)
            else:
                L[i, j] = value / L[j, j]
    return True


@njit(**VECTORS)
def _forward(L, S, chosen, k, v, z):
    """z = L^{-1} S[chosen, v]; returns S_vv - |z|^2, the variance of v given `chosen`."""
    left = S[v, v]
    for i in range(k):
        value = S[chosen[i], v]
        for t in range(i):
            value -= L[i, t] * z[t]
        z[i] = value / L[i, i]
        left -= z[i] * z[i]
    return left


@njit(**VECTORS)
def shrink(S, u, chosen, k, price, required):
    """Backward elimination from A = chosen[:k], in place: (score, number left). O(k^3).

    With K = S_AA^{-1} and w = K S_Au, dropping q adds w_q^2 / K_qq to the variance; K loses its row and column by one
    rank-one step.
    """
    L, z = np.empty((k, k)), np.empty(k)
    if not _factor(S, chosen, k, L):
        return np.inf, k
    variance = max(_forward(L, S, chosen, k, u, z), TINY * S[u, u])
    K, w = np.zeros((k, k)), np.zeros(k)
    for i in range(k):  # L^{-1}
        K[i, i] = 1.0 / L[i, i]
        for j in range(i):
            value = 0.0
            for t in range(j, i):
                value -= L[i, t] * K[t, j]
            K[i, j] = value / L[i, i]
    for i in range(k):
        for t in range(i, k):
            w[i] += K[t, i] * z[t]
    for i in range(k):  # K = L^{-T} L^{-1}, row by row: row i needs rows i, ..., k - 1
        for j in range(i, k):
            value = 0.0
            for t in range(j, k):
                value += K[t, i] * K[t, j]
            L[i, j] = value
    for i in range(k):
        for j in range(i, k):
            K[i, j] = K[j, i] = L[i, j]
    left = k
    while left:
        worst, least = -1, np.inf
        for q in range(left):
            rise = w[q] * w[q] / K[q, q]
            if rise < least and not required[chosen[q], u]:
                worst, least = q, rise
        if worst < 0 or 0.5 * np.log1p(least / variance) >= price:
            break
        variance += least
        ratio, pivot = w[worst] / K[worst, worst], K[worst, worst]
        for i in range(left):
            if i != worst:
                w[i] -= ratio * K[i, worst]
                share = K[i, worst] / pivot
                for j in range(left):
                    if j != worst:
                        K[i, j] -= share * K[worst, j]
        left -= 1
        for i in range(worst, left):
            chosen[i], w[i] = chosen[i + 1], w[i + 1]
            for j in range(left + 1):
                K[i, j] = K[i + 1, j]
        for i in range(left):
            for j in range(worst, left):
                K[i, j] = K[i, j + 1]
    return 0.5 * np.log(variance) + price * left, left


@njit(**VECTORS)
def _extend(S, u, chosen, ready, k, room):
    """Rows `ready`, ..., k - 1 of Z = L^{-1} S_A,. for A = chosen[:k], and what they leave: O(k d) a row.

    room: Z (d, d); left (d,), the variance of each variable given A; cross (d,), its covariance with u given A.
    L is in Z: L_it = Z[t, chosen[i]] and L_ii^2 = left[chosen[i]] before row i.
    """
    Z, left, cross = room
    d = left.size
    if ready == 0:
        for c in range(d):
            left[c], cross[c] = S[c, c], S[u, c]
    for i in range(ready, k):
        v, row = chosen[i], Z[i]
        if not left[v] > TINY * S[v, v]:  # a combination of those before: adds nothing
            row[:] = 0.0
            continue
        for c in range(d):
            row[c] = S[v, c]
        for t in range(i):
            share, other = Z[t, v], Z[t]
            for c in range(d):
                row[c] -= share * other[c]
        scale = 1.0 / np.sqrt(left[v])
        for c in range(d):
            row[c] *= scale
        share = row[u]
        for c in range(d):
            left[c] -= row[c] * row[c]
            cross[c] -= share * row[c]


@njit(**VECTORS)
def _rank(S, u, chosen, k, price, forbidden, gains, room):
    """gains[c] of adding c to A = chosen[:k], where it pays; -1 elsewhere; `room` is that of A. O(d)."""
    _, left, cross = room
    variance = max(left[u], TINY * S[u, u])
    for c in range(gains.size):
        gains[c] = -1.0
        if c == u or forbidden[c, u] or not left[c] > TINY * S[c, c]:
            continue
        fraction = min(cross[c] * cross[c] / (left[c] * variance), 1.0 - TINY)
        gain = -0.5 * np.log1p(-fraction) - price
        if gain > 0.0:
            gains[c] = gain
    for i in range(k):
        gains[chosen[i]] = -1.0


@njit(**VECTORS)
def _expand(S, u, chosen, k, price, forbidden, store, room):
    """A new node for A = chosen[:k] of u: its number, or -1 where the store is full. `room` is that of A."""
    nodes, scores, branches, used, _ = store
    gains = np.empty(S.shape[0])
    _rank(S, u, chosen, k, price, forbidden, gains, room)
    paying = np.flatnonzero(gains > 0.0)
    ranking = paying[np.argsort(-gains[paying], kind="mergesort")]
    if used[0] >= nodes.shape[0] or used[1] + ranking.size > branches.shape[0]:
        return -1
    node, first = used[0], used[1]
    nodes[node, 0], nodes[node, 1] = first, ranking.size
    for t in range(ranking.size):
        branches[first + t, 0], branches[first + t, 1] = ranking[t], -1
    scores[node] = np.nan  # until a walk ends here
    used[0] += 1
    used[1] += ranking.size
    return node


@njit(**VECTORS)
def _begin(u, required, chosen):
    k = 0
    for c in range(required.shape[0]):
        if required[c, u]:
            chosen[k] = c
            k += 1
    return k


@njit(**VECTORS)
def _clear(store):
    store[3][:] = 0
    store[4][:] = -1


@njit(**VECTORS)
def walk(S, u, inside, price, forbidden, required, store, room, chosen):
    """(f(u, P), size of the grown set, left in `chosen` before it shrinks); inside: (d,) bool, P."""
    nodes, scores, branches, _, roots = store
    while True:
        k, ready = _begin(u, required, chosen), 0
        node = roots[u]
        if node < 0:
            _extend(S, u, chosen, ready, k, room)
            ready = k
            node = roots[u] = _expand(S, u, chosen, k, price, forbidden, store, room)
        while node >= 0:
            following = -1
            for t in range(nodes[node, 0], nodes[node, 0] + nodes[node, 1]):
                if inside[branches[t, 0]]:
                    following = t
                    break
            if following < 0:
                if np.isnan(scores[node]):
                    scores[node], _ = shrink(S, u, chosen[:k].copy(), k, price, required)
                return scores[node], k
            chosen[k] = branches[following, 0]
            k += 1
            node = branches[following, 1]
            if node < 0:
                _extend(S, u, chosen, ready, k, room)
                ready = k
                node = branches[following, 1] = _expand(S, u, chosen, k, price, forbidden, store, room)
        _clear(store)


@njit(**VECTORS)
def order_score(S, order, price, forbidden, required, store, room):
    """sum_u f(u, those before u)."""
    d = order.size
    inside, chosen = np.zeros(d, np.bool_), np.empty(d, np.int64)
    total = 0.0
    for u in order:
        total += walk(S, u, inside, price, forbidden, required, store, room, chosen)[0]
        inside[u] = True
    return total


@njit(**VECTORS)
def parents(S, order, price, forbidden, required, store, room):
    """(d, d) bool: the edges of an order, those of the best parents of each variable."""
    d = order.size
    inside, chosen = np.zeros(d, np.bool_), np.empty(d, np.int64)
    edges = np.zeros((d, d), np.bool_)
    for u in order:
        _, k = walk(S, u, inside, price, forbidden, required, store, room, chosen)
        _, k = shrink(S, u, chosen, k, price, required)
        for t in range(k):
            edges[chosen[t], u] = True
        inside[u] = True
    return edges


@njit(**VECTORS)
def place_scores(S, v, order, price, forbidden, required, store, room, without):
    """Scores of v at every position among the others, (d,); `without` is filled with the others in order. 3 d walks."""
    d = order.size
    k = 0
    for u in order:
        if u != v:
            without[k] = u
            k += 1
    inside, chosen = np.zeros(d, np.bool_), np.empty(d, np.int64)
    found, after = np.zeros(d), np.zeros(d)
    head = 0.0
    for i in range(d):
        found[i] = head + walk(S, v, inside, price, forbidden, required, store, room, chosen)[0]
        if i == d - 1:
            break
        u = without[i]
        head += walk(S, u, inside, price, forbidden, required, store, room, chosen)[0]
        inside[v] = True
        after[i] = walk(S, u, inside, price, forbidden, required, store, room, chosen)[0]
        inside[v] = False
        inside[u] = True
    tail = 0.0
    for i in range(d - 2, -1, -1):
        tail += after[i]
        found[i] += tail
    return found


@njit(**VECTORS)
def sweep(S, order, price, forbidden, required, before, store, room, least):
    """Every variable once, in the order at the start, to its best place where that gains more than `least`: (moves,
    gain). `order` changes in place."""
    d = order.size
    turn, without = order.copy(), np.empty(d, order.dtype)
    moves, total = 0, 0.0
    for v in turn:
        here = 0
        while order[here] != v:
            here += 1
        found = place_scores(S, v, order, price, forbidden, required, store, room, without)
        low, high = 0, d - 1
        for i in range(d - 1):
            if before[without[i], v]:
                low = i + 1
        for i in range(d - 2, -1, -1):
            if before[v, without[i]]:
                high = i
        best = here
        for i in range(low, high + 1):
            if found[i] < found[best] - least:
                best = i
        if best != here:
            moves, total = moves + 1, total + found[here] - found[best]
            order[:best] = without[:best]
            order[best] = v
            order[best + 1 :] = without[best:-1] if d > 1 else without[:0]
    return moves, total
