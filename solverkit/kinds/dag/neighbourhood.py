"""All swaps and insertions of an order, scored at once for least squares: what the certificate holds an answer to.

S_{pi,pi} = L L'. The score of an order is (1/2) sum_k L_kk^2, the residual variance of each variable on all before it.
Only positions a, ..., b change when the variables there trade places, and with R_t = sum_{s=t}^{b} L_bs^2

    insert b at a:  Var(b) = R_a,               Var(t) = L_tt^2 R_{t+1} / R_t                    (a <= t < b)
    insert a at b:  Var(t) = L_tt^2 al_t / al_{t-1},  Var(a) = L_aa^2 / al_b,                    (a < t <= b)
                    al_a = 1,  al_t = al_{t-1} + (M_ta L_aa)^2,  M = L^{-1}
    swap a, b:      Var(b) = C_b,               Var(t) = L'_tt^2 R'_{t+1} / R'_t                 (a < t < b)
                    Var(a) = L_aa^2 prod_{k=a+1}^{b} (L_kk / L'_kk)^2

with C_b = sum_{s=a}^{b} L_bs^2 and L' the Cholesky factor of what a leaves behind: L' L'^T = T T' + l l', T the block
of L after a, and l its column. The update runs over the columns once, for all a together: O(d^3), d steps of array
arithmetic.

R' is C_b less what came before, which cancels where variables are nearly dependent; so whatever looks like an
improvement is worked out again from S (`order_score`) before it counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular


@dataclass(frozen=True)
class Move:
    """The best neighbour of an order: which move, and its score."""

    move: str  # "swap", "insert" or "none"
    source: int  # positions
    target: int
    score: float

    def apply(self, order: np.ndarray) -> np.ndarray:
        """The neighbour itself, a new array."""
        moved = order.copy()
        if self.move == "swap":
            moved[[self.source, self.target]] = moved[[self.target, self.source]]
        elif self.move == "insert":
            moved = np.insert(np.delete(moved, self.source), self.target, order[self.source])
        return moved


def order_score(gram: np.ndarray, order: np.ndarray) -> float:
    """(1/2) sum_k L_kk^2, from scratch. LinAlgError where S is not positive definite."""
    factor = cholesky(gram[np.ix_(order, order)], lower=True, check_finite=False)
    return 0.5 * float((np.diag(factor) ** 2).sum())


def best_move(gram: np.ndarray, order: np.ndarray, recheck: int = 20) -> Move:
    """The best of all swaps and insertions, exact; `none` with the order's own score where none is better.

    recheck : how many of the best are worked out again from S. LinAlgError where S is not positive definite.
    """
    here = order_score(gram, order)
    best = Move("none", 0, 0, here)
    for move in _promising(gram, order, recheck):
        score = order_score(gram, move.apply(order))
        if score < best.score:
            best = Move(move.move, move.source, move.target, score)
    return best


def _promising(gram: np.ndarray, order: np.ndarray, count: int) -> list[Move]:
    L = cholesky(gram[np.ix_(order, order)], lower=True, check_finite=False)
    left, right = insertion_changes(L)
    tables = [("swap", swap_changes(L)), ("insert", left.T), ("insert", right)]
    found = []
    for move, table in tables:
        flat = np.where(np.isnan(table), -np.inf, table).ravel()
        for index in np.argsort(flat)[:count]:
            source, target = np.unravel_index(index, table.shape)
            if flat[index] < np.inf:
                found.append(Move(move, int(source), int(target), float(flat[index])))
    return sorted(found, key=lambda each: each.score)[: 2 * count]


def insertion_changes(L: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(left, right), each (d, d), by how much (1/2) sum_k L_kk^2 changes: left[a, b] when b goes to a < b, right[a, b]
    when a goes to b > a; infinite elsewhere."""
    d = len(L)
    squares, variance = L**2, np.diag(L) ** 2
    left, right = np.full((d, d), np.inf), np.full((d, d), np.inf)
    inverse = solve_triangular(L, np.eye(d), lower=True)
    for b in range(1, d):
        R = np.cumsum(squares[b, b::-1])[::-1]  # R_0, ..., R_b
        change = variance[:b] * (R[1:] / R[:-1] - 1)
        left[:b, b] = R[:b] - variance[b] + np.cumsum(change[::-1])[::-1]
    for a in range(d - 1):
        al = np.cumsum(np.concatenate([[1.0], (inverse[a + 1 :, a] * L[a, a]) ** 2]))
        change = variance[a + 1 :] * (al[1:] / al[:-1] - 1)
        right[a, a + 1 :] = variance[a] / al[1:] - variance[a] + np.cumsum(change)
    return left / 2, right / 2


def swap_changes(L: np.ndarray) -> np.ndarray:
    """(d, d): by how much (1/2) sum changes when positions a < b trade their variables; infinite elsewhere."""
    d = len(L)
    variance = np.diag(L) ** 2
    v = np.tril(L, -1).T.copy()  # row a: what is left of the update by column a
    R = np.cumsum((L**2)[:, ::-1], axis=1)[:, ::-1].T.copy()  # R[a, b] = sum_{s=a}^{b} L_bs^2, as L_bs = 0 for s > b
    change = np.full((d, d), np.inf)
    total = R - variance  # Var(b) = C_b in place of L_bb^2; grows by the changes between
    shrink = np.ones(d)  # prod (L_kk / L'_kk)^2
    for t in range(1, d):
        head = v[:t, t].copy()
        square = variance[t] + head**2
        root = np.sqrt(square)
        shrink[:t] *= variance[t] / square
        change[:t, t] = total[:t, t] + variance[:t] * (shrink[:t] - 1)
        tail = slice(t + 1, d)
        column = (L[t, t] * L[tail, t][None, :] + head[:, None] * v[:t, tail]) / root[:, None]
        v[:t, tail] = (L[t, t] * v[:t, tail] - head[:, None] * L[tail, t][None, :]) / root[:, None]
        rest = R[:t, tail] - column**2
        total[:t, tail] += square[:, None] * (rest / R[:t, tail]) - variance[t]
        R[:t, tail] = rest
    return change / 2
