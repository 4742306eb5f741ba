"""Seeded data of games and finite sums: the same seed gives the same arrays on every machine.

| name in a file | function |
|---|---|
| `policeman-burglar` | `policeman_burglar` |
| `gaussian-game`, `sparse-game` | `gaussian_game`, `sparse_game` |
| `kuhn-poker`, `random-poker` | `kuhn_poker`, `random_poker` |
| `constrained-qp` | `constrained_qp` |
| `quadratic-game` | `quadratic_game` |
| `breast-cancer-saddle` | `breast_cancer_saddle` |
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import block_array, coo_array, csr_array


def policeman_burglar(size: int = 500, theta: float = 0.8, seed: int = 1, weights: str = "columns") -> np.ndarray:
    """A_ij = w_j (1 - exp(-theta |i - j|)), w_j = |N(0, 1)|: a burglar robs house j, a policeman waits at house i.

    With `weights: rows` A_ij = w_i (1 - exp(-theta |i - j|)): there the side that minimizes chooses the house. That is
    the matrix, and with seed 1 the very numbers, of the code behind the figures of arXiv 2310.02987 (||A||_2 = 492.3
    for size 500); the text of papers describes the other.
    """
    if weights not in ("rows", "columns"):
        raise ValueError(f"weights are those of rows or columns, not {weights!r}")
    w = np.abs(np.random.RandomState(seed).randn(size))
    position = np.arange(size)
    caught = 1 - np.exp(-theta * np.abs(position[:, None] - position[None, :]))
    return w[:, None] * caught if weights == "rows" else w[None, :] * caught


def gaussian_game(rows: int = 1000, columns: int = 0, seed: int = 0) -> np.ndarray:
    """Independent standard normal payoffs, (rows, columns); square where `columns` is 0."""
    return np.random.default_rng(seed).standard_normal((rows, columns or rows))


def sparse_game(size: int = 2000, density: float = 1e-3, seed: int = 0) -> csr_array:
    """density * size^2 standard normal entries at random places, (size, size)."""
    rng = np.random.default_rng(seed)
    count = max(1, round(density * size * size))
    places = rng.integers(0, size, (2, count))
    return csr_array(coo_array((rng.standard_normal(count), (places[0], places[1])), shape=(size, size)))


def kuhn_poker() -> dict[str, Any]:
    """Three cards, one bet: Kuhn (1950) in sequence form, value -1/18 to the player who begins.

    See `random_poker`; x is the player who *answers*, since x pays what y wins and y begins.
    """
    return random_poker(cards=3, bets=1)


def random_poker(cards: int = 3, bets: int = 1, seed: int = -1) -> dict[str, Any]:
    """A poker of two players, one card each of `cards`, an ante of 1, and sizes of bets 1, ..., `bets`.

    The first player checks or bets; after a check the second checks or bets; a bet is answered by a fold or a call;
    the higher card wins. With `seed` >= 0 the probabilities of the deals are random instead of equal.

    Keys: `A` (p, q) with y the first player, who wins x'A y; `E`, `e` of x; `F`, `f` of y, sparse and (rows,).
    """
    rng = np.random.default_rng(max(seed, 0))
    deals = np.where(np.eye(cards) > 0, 0.0, rng.random((cards, cards)) if seed >= 0 else 1.0)
    deals /= deals.sum()
    width = 1 + 3 * bets  # sequences of one card: check, bets, and a fold and a call for each size
    A = np.zeros((1 + cards * width, 1 + cards * width))
    for mine in range(cards):
        for theirs in range(cards):
            x, y = 1 + theirs * width, 1 + mine * width
            A[x : x + width, y : y + width] = deals[mine, theirs] * _payoffs(bets, float(np.sign(mine - theirs)))
    E, F = _plans(cards, bets, answers_check=False), _plans(cards, bets, answers_check=True)
    return {"A": csr_array(A), "E": E, "e": np.eye(E.shape[0])[0], "F": F, "f": np.eye(F.shape[0])[0]}


def _payoffs(bets: int, sign: float) -> np.ndarray:
    """What y wins, by x's and y's last actions; `sign` is 1 where y has the higher card. 0 where no game ends."""
    wins = np.zeros((1 + 3 * bets, 1 + 3 * bets))
    wins[0, 0] = sign
    for k in range(1, bets + 1):
        fold, call = bets + 2 * k - 1, bets + 2 * k
        wins[k, fold], wins[k, call] = -1.0, sign * (1 + k)  # y checked and answers x's bet
        wins[fold, k], wins[call, k] = 1.0, sign * (1 + k)  # x answers y's bet
    return wins


def _plans(cards: int, bets: int, answers_check: bool) -> csr_array:
    """E of { z >= 0, E z = (1, 0, ..., 0) }. y answers a bet after its own check (`answers_check`), x at once."""
    width = 1 + 3 * bets
    rows = np.zeros((1 + cards * (1 + bets), 1 + cards * width))
    rows[0, 0] = 1.0
    for card in range(cards):
        row, first = 1 + card * (1 + bets), 1 + card * width
        rows[row, first : first + 1 + bets] = 1.0
        rows[row, 0] = -1.0
        for k in range(1, bets + 1):
            answer = first + bets + 2 * k - 1
            rows[row + k, answer : answer + 2] = 1.0
            rows[row + k, first if answers_check else 0] = -1.0
    return csr_array(rows)


def constrained_qp(size: int = 200) -> dict[str, Any]:
    """min 1/2 x'H x - h'x subject to A x = b, hard for first-order methods (Ouyang, Xu 2021; arXiv 2310.02987).

    A is 1/4 of the matrix with 1 on its antidiagonal and -1 beside it, H = 2 A'A, b = 1/4, h = e_n / 4. Keys: the
    operator of its Lagrangian in u = (x, y), F(u) = `M` u + `q` with M = [[H, -A'], [A, 0]], q = (-h, -b); its zero
    `x`, `y`; and `A`, `H`, `b`, `h`.
    """
    A = np.zeros((size, size))
    A[np.arange(size), size - 1 - np.arange(size)] = 0.25
    A[np.arange(size - 1), size - 2 - np.arange(size - 1)] = -0.25
    H, b, h = 2 * A.T @ A, np.full(size, 0.25), np.eye(size)[-1] / 4
    x = np.linalg.solve(A, b)
    y = np.linalg.solve(A.T, H @ x - h)
    M = csr_array(block_array([[csr_array(H), -csr_array(A.T)], [csr_array(A), None]]))
    return {"M": M, "q": np.concatenate([-h, -b]), "x": x, "y": y, "A": A, "H": H, "b": b, "h": h}


def quadratic_game(count: int = 200, size: int = 10, seed: int = 0, strength: float = 0.1) -> dict[str, np.ndarray]:
    """F_i(u) = M_i u + q_i of a random two-player quadratic game, u = (x, y) with `size` entries each.

    M_i = [[P_i, B_i], [-B_i', Q_i]], P_i = p p' and Q_i = q q' of rank one plus `strength` I, B_i standard normal over
    the root of `size`: each F_i is monotone, its symmetric part is nearly singular, their mean is strongly monotone.
    Keys: `M` (count, 2 size, 2 size), `q` (count, 2 size), and `u`, the zero of the mean.
    """
    rng = np.random.default_rng(seed)
    p, q = rng.standard_normal((2, count, size)) / np.sqrt(size)
    B = rng.standard_normal((count, size, size)) / np.sqrt(size)
    M = np.zeros((count, 2 * size, 2 * size))
    M[:, :size, :size] = p[:, :, None] * p[:, None, :] + strength * np.eye(size)
    M[:, size:, size:] = q[:, :, None] * q[:, None, :] + strength * np.eye(size)
    M[:, :size, size:], M[:, size:, :size] = B, -np.swapaxes(B, 1, 2)
    offsets = rng.standard_normal((count, 2 * size))
    return {"M": M, "q": offsets, "u": np.linalg.solve(M.mean(axis=0), -offsets.mean(axis=0))}


def breast_cancer_saddle(groups: int = 4) -> dict[str, np.ndarray]:
    """scikit-learn's breast cancer data (569 samples, 30 features; UCI, CC BY 4.0) for min-max fitting.

    Keys: `X` (569, 30) standardized, `b` (569,) labels in {-1, 1}, and `groups` (569, groups): row i is `groups` times
    the unit vector of the group of sample i, weighted so that each column has mean 1. Groups are quantiles of the
    first feature (the mean radius), so that a mean over samples of groups[i, g] loss_i is the mean loss of group g.
    """
    from sklearn.datasets import load_breast_cancer  # heavy, and absent from a light installation

    features, target = load_breast_cancer(return_X_y=True)
    X = (features - features.mean(axis=0)) / features.std(axis=0)
    rank = np.argsort(np.argsort(features[:, 0], kind="stable"), kind="stable")
    member = np.eye(groups)[rank * groups // len(rank)]
    return {"X": X, "b": 2.0 * target - 1.0, "groups": member / member.mean(axis=0)}
