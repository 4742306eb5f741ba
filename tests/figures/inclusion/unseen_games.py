"""Forty games of kinds that the methods were not tuned on, in the default mode of each method, against HiGHS.

Rectangular, of rank one, with integer payoffs, with a saddle in pure strategies, constant, of one row or column, huge
and tiny payoffs, large offsets, sparse, with doubled rows. Values are held against the linear program of the game.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, issparse
from scipy.sparse import random as random_sparse

import solverkit as sk
from solverkit.kinds.inclusion import game
from solverkit.kinds.inclusion.structure import Game

TOL = 1e-6
MAX_CALLS = 40_000
METHODS = ("halpern", "vr-halpern", "extragradient", "forb", "vr-extragradient")


def blotto(troops: int, fields: int) -> np.ndarray:
    """Colonel Blotto: all ways to spread troops over fields, a field won counts 1."""
    ways = [way for way in np.ndindex(*[troops + 1] * fields) if sum(way) == troops]
    all_ways: np.ndarray = np.array(ways)
    return np.sign(all_ways[None, :, :] - all_ways[:, None, :]).sum(2).astype(float)


def pure_saddle(p: int, q: int, seed: int) -> np.ndarray:
    """Entry (0, 0) is the largest of its row and the least of its column."""
    A = np.random.default_rng(seed).uniform(-5, 5, (p, q))
    A[:, 0], A[0] = np.abs(A[:, 0]) + 0.5, -np.abs(A[0]) - 0.5
    A[0, 0] = 0.0
    return A


def auction(bids: int) -> np.ndarray:
    """All-pay auction on a grid of bids, zero sum."""
    bid = np.linspace(0, 1, bids)
    return np.sign(bid[None] - bid[:, None]) - (bid[None] - bid[:, None])


def silent_duel(shots: int) -> np.ndarray:
    """When to fire one silent shot whose accuracy is the time."""
    t = np.arange(1, shots + 1) / shots
    x, y = t[:, None], t[None]
    return -np.where(x < y, x - y + x * y, np.where(x > y, x - y - x * y, 0.0))


def silverman(top: int, factor: float = 3.0) -> np.ndarray:
    """The higher number wins 1, unless it is more than `factor` times the other: then it loses 2."""
    n = np.arange(1, top + 1)
    x, y = n[:, None], n[None]
    return np.sign(y - x) * np.where(np.maximum(x, y) > factor * np.minimum(x, y), -2.0, 1.0)


def payoffs() -> Iterator[tuple[str, Any]]:
    """Name and matrix of each."""
    rng = np.random.default_rng(2024)
    yield "1 x 1", np.array([[3.0]])
    yield "1 x 7", rng.standard_normal((1, 7))
    yield "7 x 1", rng.standard_normal((7, 1))
    yield "1 x 1000", rng.standard_normal((1, 1000))
    yield "2 x 2, pure", np.array([[1.0, 2.0], [0.0, -1.0]])
    yield "constant 4 x 6", np.full((4, 6), 2.5)
    yield "zero 5 x 5", np.zeros((5, 5))
    yield "constant 1e9", np.full((3, 3), 1e9)
    yield "one entry", np.eye(1, 30).T @ np.eye(1, 20)
    yield "identity 2", np.eye(2)
    yield "identity 50", np.eye(50)
    yield "diagonal 1 to 1e4", np.diag(np.logspace(0, 4, 20))
    yield "rank one", np.outer(rng.standard_normal(40), rng.standard_normal(60))
    yield "rank one, positive", np.outer(rng.random(40), rng.random(60))
    yield "rank two", rng.standard_normal((80, 2)) @ rng.standard_normal((2, 80))
    yield "integers", rng.integers(-3, 4, (30, 45)).astype(float)
    yield "signs 100 x 120", rng.choice([-1.0, 1.0], (100, 120))
    yield "zero or one", (rng.random((60, 60)) < 0.5).astype(float)
    yield "pure saddle 30 x 30", pure_saddle(30, 30, 5)
    yield "pure saddle 300 x 10", pure_saddle(300, 10, 6)
    yield "wide 5 x 800", rng.standard_normal((5, 800))
    yield "tall 800 x 5", rng.uniform(0, 1, (800, 5))
    yield "skew 101", (lambda M: M - M.T)(rng.standard_normal((101, 101)))
    yield "cyclic 99", np.array([[(1.0, -1.0)[(j - i) % 99 > 49] * (i != j) for j in range(99)] for i in range(99)])
    yield "payoffs 1e9", 1e9 * rng.standard_normal((30, 30))
    yield "payoffs 1e-9", 1e-9 * rng.standard_normal((30, 30))
    yield "payoffs 1e-200", 1e-200 * rng.standard_normal((20, 20))
    yield "plus 1e6", 1e6 + rng.standard_normal((30, 40))
    yield "rows in other units", rng.standard_normal((30, 30)) * np.logspace(-3, 3, 30)[:, None]
    yield "one huge entry", rng.standard_normal((30, 30)) + 1e6 * np.outer(np.eye(30)[3], np.eye(30)[4])
    yield "one huge row", rng.standard_normal((30, 30)) + 1e4 * np.eye(1, 30).T
    yield "doubled rows", np.repeat(rng.standard_normal((15, 40)), 4, axis=0)
    yield "doubled both", np.repeat(np.repeat(rng.standard_normal((8, 8)), 5, axis=0), 5, axis=1)
    yield "nearly doubled rows", np.repeat(rng.standard_normal((15, 40)), 2, 0) + 1e-6 * rng.standard_normal((30, 40))
    yield "heavy tails", rng.standard_cauchy((60, 60))
    yield "Hilbert 20", 1 / (np.add.outer(np.arange(20), np.arange(20)) + 1)
    yield "Blotto 10 on 3", blotto(10, 3)
    yield "Silverman 60", silverman(60)
    yield "auction 80", auction(80)
    yield "silent duel 60", silent_duel(60)
    yield "sparse 300 x 400", csr_array(random_sparse(300, 400, 0.02, format="csr", random_state=rng))
    yield (
        "sparse signs 500",
        csr_array(
            random_sparse(500, 500, 0.03, format="csr", random_state=rng, data_rvs=lambda n: rng.choice([-1.0, 1.0], n))
        ),
    )


def in_other_units(seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Games whose rows, columns or entries differ in size."""
    rng = np.random.default_rng(seed)
    both = np.exp(rng.normal(0, 1, (60, 1))) * np.exp(rng.normal(0, 1, (1, 80)))
    yield "rows and columns in units", rng.standard_normal((60, 80)) * both
    yield "rows in units", rng.standard_normal((50, 50)) * np.exp(rng.normal(0, 1.5, (50, 1)))
    yield "log-normal", np.exp(rng.normal(0, 2, (60, 60)))
    yield "mostly zero", rng.standard_normal((200, 150)) * (rng.random((200, 150)) < 0.03)
    yield "heavy tails", rng.standard_t(1.5, (100, 100))


def units() -> None:
    """`halpern` with and without scaled coordinates."""
    print("\n| game, seed | scaled: products | not scaled |\n|---|---|---|")
    for seed in (200, 201, 202):
        for name, matrix in in_other_units(seed):
            cells = []
            for options in ({}, {"ruiz": 0}):
                found = sk.solve(game(matrix), method="halpern", tol=TOL, max_calls=30_000, options=options)
                cells.append(f"{found.counts['nmul']}{'' if found.success else ' not certified'}")
            print(f"| {name}, {seed} | {' | '.join(cells)} |", flush=True)


def value_of(matrix: Any) -> tuple[float, float]:
    """(value, size of payoffs) by HiGHS on scaled payoffs."""
    A = matrix.toarray() if issparse(matrix) else matrix
    size = float(np.abs(A).max()) or 1.0
    p, q = A.shape
    rows = np.hstack([(A / size).T, -np.ones((q, 1))])
    found = linprog(
        np.append(np.zeros(p), 1.0),
        A_ub=rows,
        b_ub=np.zeros(q),
        A_eq=[np.append(np.ones(p), 0.0)],
        b_eq=[1.0],
        bounds=[(0, None)] * p + [(None, None)],
        method="highs",
    )
    return size * float(found.fun), size


def main(methods: tuple[str, ...] = METHODS) -> None:
    """One line a game: products (or evaluations) of each method, and what is not certified."""
    print("| game | value | " + " | ".join(methods) + " |\n|---|---|" + "---|" * len(methods))
    certified, times = dict.fromkeys(methods, 0), dict[str, list[float]]((method, []) for method in methods)
    wrong = count = 0
    for name, matrix in payoffs():
        value, size = value_of(matrix)
        problem = game(matrix)
        assert isinstance(problem.structure, Game)
        scale = problem.structure.scale
        count += 1
        cells = []
        for method in methods:
            found = sk.solve(problem, method=method, tol=TOL, max_calls=MAX_CALLS)
            off = abs(found.fun - value)
            wrong += found.success and off > 2 * TOL * scale + 1e-7 * size
            certified[method] += found.success
            times[method].append(found.timing["solve"])
            said = (
                ""
                if found.success
                else f" {found.termination.name.lower()}, {found.certificate['gap'].value / scale:.0e}"
            )
            cells.append(f"{found.counts.get('nmul', 0) or found.counts.get('nop', 0)}{said}")
        print(f"| {name} | {value:.6g} | " + " | ".join(cells) + " |", flush=True)
    print(f"certified, of {count}: {certified}; wrong values certified: {wrong}")
    print("median seconds: " + ", ".join(f"{method} {median(times[method]):.3f}" for method in methods))
    units()
