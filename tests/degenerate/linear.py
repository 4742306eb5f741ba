"""Linear programs without an answer, each with its proof, and programs close to them that have one.

    min c'x   s.t.   row_lower <= A x <= row_upper,   lower <= x <= upper

Every entry is exact in binary, so that a proof can be held to exact arithmetic: a proof of infeasibility is y (m,) with

    sum_i sup { y_i s : s in the sides of row i }  +  sum_j sup { -(A'y)_j t : t in the bounds of x_j }  <  0,

and one of unboundedness d (n,) in the recession cone of rows and bounds with c'd < 0, beside a feasible `at`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.degenerate.table import INFEASIBLE, UNBOUNDED, Edge

INF = float("inf")
BIG, SMALL = 2.0**20, 2.0**-20  # about 1e6 and 1e-6


@dataclass(frozen=True)
class Linear:
    """One program. Numbers stand for vectors of them."""

    name: str
    known: float | str
    c: Any
    A: Any
    row_lower: Any = -INF
    row_upper: Any = INF
    lower: Any = 0.0
    upper: Any = INF
    proof: Any = None  # y or d
    at: Any = None  # a feasible point

    def arrays(self) -> tuple[np.ndarray, ...]:
        """c, A, row_lower, row_upper, lower, upper."""
        A = np.array(self.A, dtype=float)
        m, n = A.shape
        sides = [np.array(np.broadcast_to(side, m), dtype=float) for side in (self.row_lower, self.row_upper)]
        bounds = [np.array(np.broadcast_to(side, n), dtype=float) for side in (self.lower, self.upper)]
        return np.array(self.c, dtype=float), A, *sides, *bounds

    def edges(self) -> tuple[Edge, Edge]:
        """The program as an inclusion and as a nonlinear problem."""
        c, A, low, high, lower, upper = self.arrays()
        sides = {"row_lower": low, "row_upper": high, "lower": lower, "upper": upper}
        form = {"cost": "c", "matrix": "A"} | {name: side.tolist() for name, side in sides.items()}
        program = {"data": {"c": c.tolist(), "A": A.tolist()}, "linear_program": form}
        data: dict[str, Any] = {"c": c.tolist()}
        rows = {}
        equal = low == high
        for name, keep, side, sign in (
            ("equal", equal, low, "=="),
            ("above", np.isfinite(low) & ~equal, low, ">="),
            ("below", np.isfinite(high) & ~equal, high, "<="),
        ):
            if keep.any():
                data |= {f"A_{name}": A[keep].tolist(), f"b_{name}": side[keep].tolist()}
                rows[name] = f"A_{name} @ x {sign} b_{name}"
        variable = {"shape": len(c), "start": 0, "lower": lower.tolist(), "upper": upper.tolist()}
        written = {"data": data, "variables": {"x": variable}, "minimize": "c @ x"}
        written |= {"subject_to": rows} if rows else {}
        return Edge(self.name, "inclusion", program, self.known), Edge(self.name, "nonlinear", written, self.known)


# -- infeasible


def _transport(supply: list[float], demand: list[float]) -> dict[str, Any]:
    """From each source at most its supply, to each place at least its demand."""
    p, q = len(supply), len(demand)
    A = np.vstack([np.kron(np.eye(p), np.ones(q)), np.kron(np.ones(p), np.eye(q))])
    return {
        "c": [1.0 + (3 * k) % 5 for k in range(p * q)],
        "A": A,
        "row_lower": [-INF] * p + demand,
        "row_upper": [*supply] + [INF] * q,
        "proof": [1.0] * p + [-1.0] * q,
    }


def _network(arcs: list[tuple[int, int]], nodes: int) -> np.ndarray:
    """Node by arc: -1 where it leaves, +1 where it arrives."""
    A = np.zeros((nodes, len(arcs)))
    for k, (tail, head) in enumerate(arcs):
        A[tail, k], A[head, k] = -1.0, 1.0
    return A


ARCS = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (3, 4), (3, 5), (4, 5)]
CAPACITY = [9.0, 9.0, 5.0, 3.0, 4.0, 2.0, 9.0, 9.0]  # 7 through (1, 3), (2, 4)


def _flow(amount: float) -> dict[str, Any]:
    """So much from node 0 to node 5."""
    balance = [-amount, 0.0, 0.0, 0.0, 0.0, amount]
    return {
        "c": [1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 2.0, 1.0],
        "A": _network(ARCS, 6),
        "row_lower": balance,
        "row_upper": balance,
        "upper": CAPACITY,
        "proof": [0.0, 0.0, 0.0, -1.0, -1.0, -1.0],
    }


def _chain(last: float) -> dict[str, Any]:
    """x_0 >= 1, every x at least twice the one before it, x_9 <= last."""
    A = np.vstack([np.eye(10)[:1], np.eye(10)[1:] - 2 * np.eye(10)[:-1], np.eye(10)[-1:]])
    return {
        "c": np.ones(10),
        "A": A,
        "row_lower": [1.0] + [0.0] * 9 + [-INF],
        "row_upper": [INF] * 10 + [last],
        "proof": [-(2.0**9)] + [-(2.0 ** (9 - k)) for k in range(1, 10)] + [1.0],
    }


def _stock(demand: list[float]) -> dict[str, Any]:
    """Periods with at most 5 made in each, and stock between them: s_t = s_{t-1} + made_t - demand_t >= 0."""
    T = len(demand)
    A = np.hstack([np.eye(T), np.eye(T, k=-1) - np.eye(T)])
    return {
        "c": [1.0] * T + [0.25] * T,
        "A": A,
        "row_lower": demand,
        "row_upper": demand,
        "upper": [5.0] * T + [INF] * T,
        "proof": -np.ones(T),
    }


def _planted_infeasible(seed: int, m: int, n: int, equations: int, boxed: bool, gap: float) -> dict[str, Any]:
    """The last row is what the others and the bounds exclude by `gap`; at gap 0 all meet at a point."""
    rng = np.random.default_rng(seed)
    A = rng.integers(-4, 5, (m, n)).astype(float)
    x = rng.integers(0, 3, n).astype(float)
    y = rng.integers(1, 4, m).astype(float)
    y[:equations] *= rng.choice([-1.0, 1.0], equations)
    y[-1] = 1.0
    slack = np.where(x == 0, rng.integers(0, 3, n), 0).astype(float)  # A'y = slack >= 0, and 0 where x > 0
    A[-1] = slack - y[:-1] @ A[:-1]
    high = A @ x
    high[-1] -= gap
    low = np.where(np.arange(m) < equations, high, -INF)
    return {
        "c": slack - rng.integers(0, 3, m) @ A,
        "A": A,
        "row_lower": low,
        "row_upper": high,
        "upper": 4.0 if boxed else INF,
        "proof": y,
        "at": x,
    }


SPLIT = {"c": [1.0, 1.0], "A": [[1.0, 1.0], [1.0, 1.0]]}

INFEASIBLES = (
    Linear("a row against a row", INFEASIBLE, [1.0], [[1.0], [1.0]], [1.0, -INF], [INF, 0.0], -INF, proof=[-1.0, 1.0]),
    Linear("a row against bounds", INFEASIBLE, [1.0, 1.0], [[1.0, 1.0]], 3.0, upper=1.0, proof=[-1.0]),
    Linear("an empty row", INFEASIBLE, [1.0, 1.0], [[0.0, 0.0], [1.0, 1.0]], 1.0, 2.0, proof=[-1.0, 0.0]),
    Linear(
        "ranges apart", INFEASIBLE, **SPLIT, row_lower=[1.0, 3.0], row_upper=[2.0, 4.0], lower=-INF, proof=[1.0, -1.0]
    ),
    Linear(
        "apart by 2**-10", INFEASIBLE, **SPLIT, row_lower=[-INF, 1 + 2**-10], row_upper=[1.0, INF], proof=[1.0, -1.0]
    ),
    Linear(
        "parallel equations",
        INFEASIBLE,
        [1.0, 0.0],
        [[1.0, 1.0], [2.0, 2.0]],
        [1.0, 3.0],
        [1.0, 3.0],
        -INF,
        proof=[2.0, -1.0],
    ),
    Linear(
        "three planes without a point",
        INFEASIBLE,
        [0.0, 0.0, 1.0],
        [[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, -1.0]],
        1.0,
        1.0,
        -INF,
        proof=[1.0, -1.0, -1.0],
    ),
    Linear(
        "six equations of rank three",
        INFEASIBLE,
        [1.0, 1.0, 1.0, 1.0],
        [
            [1.0, 2.0, 0.0, 1.0],
            [0.0, 1.0, 1.0, -1.0],
            [2.0, 0.0, 1.0, 3.0],
            [1.0, 3.0, 1.0, 0.0],
            [2.0, 1.0, 2.0, 2.0],
            [3.0, 3.0, 2.0, 3.0],
        ],
        [4.0, 1.0, 6.0, 5.0, 7.0, 12.0],
        [4.0, 1.0, 6.0, 5.0, 7.0, 12.0],
        -INF,
        proof=[1.0, 1.0, 1.0, 0.0, 0.0, -1.0],
    ),
    Linear("demand above supply", INFEASIBLE, **_transport([10.0, 15.0], [8.0, 9.0, 10.0])),
    Linear("a cut below the flow", INFEASIBLE, **_flow(8.0)),
    Linear("a chain of doublings", INFEASIBLE, **_chain(500.0)),
    Linear("stock that runs out", INFEASIBLE, **_stock([3.0, 4.0, 6.0, 5.0, 5.0, 6.0, 5.0, 4.0, 5.0, 6.0, 6.0, 7.0])),
    Linear(
        "four people and three jobs",
        INFEASIBLE,
        np.arange(12.0) % 5,
        np.vstack([np.kron(np.eye(4), np.ones(3)), np.kron(np.ones(4), np.eye(3))]),
        1.0,
        1.0,
        proof=[-1.0] * 4 + [1.0] * 3,
    ),
    Linear(
        "infeasible, and so is the dual",
        INFEASIBLE,
        [-1.0, -1.0],
        [[1.0, -1.0], [-1.0, 1.0]],
        row_upper=-1.0,
        proof=[1.0, 1.0],
    ),
    Linear(
        "infeasible beside a free fall",
        INFEASIBLE,
        [0.0, -1.0],
        [[1.0, 0.0], [1.0, 0.0]],
        [1.0, -INF],
        [INF, 0.0],
        -INF,
        proof=[-1.0, 1.0],
    ),
    Linear(
        "rows in units far apart, infeasible",
        INFEASIBLE,
        [1.0, 2.0],
        [[BIG, BIG], [SMALL, SMALL]],
        [-INF, 2 * SMALL],
        [BIG, INF],
        proof=[SMALL, -BIG],
    ),
    Linear(
        "a small row beside a large one",
        INFEASIBLE,
        [1.0, 1.0],
        [[1.0, 0.0], [0.0, SMALL], [0.0, 1.0]],
        [1000.0, 2 * SMALL, -INF],
        [INF, INF, 1.0],
        proof=[0.0, -BIG, 1.0],
    ),
    Linear(
        "columns in units far apart, infeasible",
        INFEASIBLE,
        [1.0, 1.0],
        [[BIG, SMALL]],
        3.0,
        upper=[SMALL, BIG],
        proof=[-1.0],
    ),
    Linear(
        "a point far away, missed by 64",
        INFEASIBLE,
        [1.0],
        [[1.0], [1.0]],
        [BIG, -INF],
        [INF, BIG - 64],
        -INF,
        proof=[-1.0, 1.0],
    ),
    Linear("20 variables, infeasible", INFEASIBLE, **_planted_infeasible(1, 15, 20, 0, False, 4.0)),
    Linear("40 variables, infeasible", INFEASIBLE, **_planted_infeasible(2, 25, 40, 20, False, 8.0)),
    Linear("60 variables, infeasible", INFEASIBLE, **_planted_infeasible(3, 40, 60, 10, True, 8.0)),
)


# -- unbounded


def _planted_unbounded(seed: int, m: int, n: int, equations: int, fall: float) -> dict[str, Any]:
    """Rows that keep d from x on; c falls along it by `fall`. Some variables stay in a box, where d is 0.

    At fall 0, c = -A'y for a y that presses on tight rows alone: x has the least value."""
    rng = np.random.default_rng(seed)
    A = rng.integers(-4, 5, (m, n)).astype(float)
    x, d = rng.integers(0, 3, n).astype(float), rng.integers(0, 3, n).astype(float)
    d[-1] = 1.0
    away = np.where(np.arange(m) < m - m // 3, 0, rng.integers(0, 3, m)).astype(float)
    A[:, -1] = -A[:, :-1] @ d[:-1] - away
    keeps = np.arange(m) < equations
    high = A @ x + np.where((away > 0) & ~keeps, 1.0, 0.0)
    A[keeps, -1] += away[keeps]
    high[keeps] = A[keeps] @ x
    y = np.where(keeps | (away == 0), rng.integers(0, 3, m), 0).astype(float)
    c = -A.T @ y
    c[-1] -= fall
    return {
        "c": c,
        "A": A,
        "row_lower": np.where(keeps, high, -INF),
        "row_upper": high,
        "upper": np.where(d == 0, 3.0, INF),
        "proof": d,
        "at": x,
    }


PYRAMID = [[1.0, 1.0, -1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, -1.0]]
CYCLE = [(0, 1), (1, 2), (2, 0), (0, 3), (3, 2)]

UNBOUNDEDS = (
    Linear(
        "a variable that no row stops", UNBOUNDED, [-1.0, 1.0], [[0.0, 1.0]], row_upper=1.0, proof=[1.0, 0.0], at=[0, 0]
    ),
    Linear("a row of zeros alone", UNBOUNDED, [-1.0], [[0.0]], row_upper=1.0, proof=[1.0], at=[0]),
    Linear(
        "a strip without an end",
        UNBOUNDED,
        [-1.0, -1.0],
        [[1.0, -1.0], [-1.0, 1.0]],
        row_upper=1.0,
        proof=[1.0, 1.0],
        at=[0, 0],
    ),
    Linear(
        "one ray in five rows",
        UNBOUNDED,
        [-1.0, -1.0, 0.0],
        [[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [1.0, 0.0, -1.0], [-1.0, 0.0, 1.0], [0.0, 1.0, -1.0]],
        row_upper=0.0,
        proof=[1.0, 1.0, 1.0],
        at=[0, 0, 0],
    ),
    Linear(
        "equal variables without a bound",
        UNBOUNDED,
        [-1.0, 0.0, 0.0],
        [[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]],
        0.0,
        0.0,
        -INF,
        proof=[1.0, 1.0, 1.0],
        at=[0, 0, 0],
    ),
    Linear(
        "twice the same equation",
        UNBOUNDED,
        [1.0, 1.0, -2.0],
        [[1.0, 1.0, -1.0], [2.0, 2.0, -2.0]],
        [1.0, 2.0],
        [1.0, 2.0],
        proof=[1.0, 0.0, 1.0],
        at=[1, 0, 0],
    ),
    Linear(
        "a line across its level sets",
        UNBOUNDED,
        [1.0, 2.0],
        [[1.0, 1.0]],
        1.0,
        1.0,
        -INF,
        proof=[1.0, -1.0],
        at=[1, 0],
    ),
    Linear(
        "an edge of a pyramid",
        UNBOUNDED,
        [1.0, 0.0, -0.5],
        PYRAMID,
        row_upper=0.0,
        lower=-INF,
        proof=[-1.0, 0.0, 1.0],
        at=[0, 0, 0],
    ),
    Linear(
        "a cycle that pays",
        UNBOUNDED,
        [1.0, 1.0, -3.0, 1.0, 1.0],
        _network(CYCLE, 4),
        0.0,
        0.0,
        proof=[1.0, 1.0, 1.0, 0.0, 0.0],
        at=[0, 0, 0, 0, 0],
    ),
    Linear(
        "sales without supply",
        UNBOUNDED,
        [-2.0, -2.0, 1.0],
        [[1.0, 1.0, -1.0], [1.0, 0.0, 0.0]],
        row_upper=[0.0, 4.0],
        proof=[0.0, 1.0, 1.0],
        at=[0, 0, 0],
    ),
    Linear(
        "a ray far from the start",
        UNBOUNDED,
        [-1.0, 0.0],
        [[1.0, -1.0], [0.0, 1.0]],
        [1000.0, 500.0],
        proof=[1.0, 0.0],
        at=[1500, 500],
    ),
    Linear(
        "rows in units far apart, unbounded",
        UNBOUNDED,
        [-1.0, -1.0],
        [[BIG, -BIG], [-SMALL, SMALL]],
        row_upper=[BIG, SMALL],
        proof=[1.0, 1.0],
        at=[0, 0],
    ),
    Linear(
        "columns in units far apart, unbounded",
        UNBOUNDED,
        [-1.0, 0.0],
        [[1.0, -BIG]],
        row_upper=1.0,
        proof=[BIG, 1.0],
        at=[0, 0],
    ),
    Linear(
        "a slope in a small unit beside a large one",
        UNBOUNDED,
        [BIG, -SMALL],
        [[1.0, 0.0]],
        1.0,
        proof=[0.0, 1.0],
        at=[1, 0],
    ),
    Linear("20 variables, unbounded", UNBOUNDED, **_planted_unbounded(1, 15, 20, 0, 1.0)),
    Linear("40 variables, unbounded", UNBOUNDED, **_planted_unbounded(2, 25, 40, 10, 2.0)),
    Linear("60 variables, unbounded", UNBOUNDED, **_planted_unbounded(3, 40, 60, 10, 2.0)),
)


# -- close to these, and solvable: a judge that claims too much is seen


def _solvable(name: str, known: float | None, **program: Any) -> Linear:
    """A known value of None is that of `at`."""
    value = float(np.dot(program["c"], program["at"])) if known is None else known
    return Linear(name, value, **(program | {"proof": None}))


SOLVABLES = (
    Linear("a set of width 2**-23", 1.0, **SPLIT, row_lower=[1.0, -INF], row_upper=[INF, 1 + 2.0**-23]),
    Linear("a set that is one point", 1.0, [1.0], [[1.0], [1.0]], [1.0, -INF], [INF, 1.0], -INF),
    Linear(
        "a slope in a small unit beside a large one, to a bound",
        BIG - 1,
        [BIG, -SMALL],
        [[1.0, 0.0], [0.0, 1.0]],
        [1.0, -INF],
        [INF, BIG],
        proof=[-BIG, SMALL],
        at=[1.0, BIG],
    ),
    Linear("a slope of 1e-7 to a far bound", -0.1, [-1e-7, 0.0], [[1.0, 1.0]], row_upper=1e6),
    Linear(
        "a slope of 2**-30 to a farther bound",
        -1.0,
        [-(2.0**-30)],
        [[1.0]],
        row_upper=2.0**30,
        proof=[2.0**-30],
        at=[2.0**30],
    ),
    Linear(
        "a strip that ends far away", -(2.0**20), [-1.0, 0.0], [[1.0, SMALL - 1], [-1.0, 1.0]], row_upper=[1.0, 0.0]
    ),
    Linear(
        "a strip that ends farther away",
        -(2.0**33),
        [-1.0, 0.0],
        [[1.0, 2.0**-33 - 1], [-1.0, 1.0]],
        row_upper=[1.0, 0.0],
        proof=[2.0**33, 2.0**33 - 1],
        at=[2.0**33, 2.0**33],
    ),
    Linear(
        "a set that begins far away",
        2.0**24,
        [1.0, 0.0],
        [[1.0, -1.0], [2.0**-24 - 1, 1.0]],
        row_lower=[1.0, 0.0],
        lower=-INF,
    ),
    Linear(
        "a set that begins farther away",
        2.0**33,
        [1.0, 0.0],
        [[1.0, -1.0], [2.0**-33 - 1, 1.0]],
        row_lower=[1.0, 0.0],
        lower=-INF,
        proof=[-(2.0**33), -(2.0**33)],
        at=[2.0**33, 2.0**33 - 1],
    ),
    _solvable("demand as large as supply", 45.0, **_transport([10.0, 15.0], [8.0, 9.0, 8.0])),
    _solvable("a cut as large as the flow", 34.0, **_flow(7.0)),
    _solvable("a chain that just fits", 1023.0, **_chain(512.0)),
    Linear("a face that is a ray", 0.0, [1.0, -1.0], [[1.0, -1.0]], 0.0),
    Linear("no slope on an unbounded set", 0.0, [0.0, 0.0], [[1.0, -1.0]], row_upper=1.0),
    Linear(
        "rows in units far apart, solvable", 1.0, [1.0, 2.0], [[BIG, BIG], [SMALL, SMALL]], [-INF, SMALL], [BIG, INF]
    ),
    _solvable("20 variables that meet at a point", None, **_planted_infeasible(1, 15, 20, 0, False, 0.0)),
    _solvable("40 variables, level along the ray", None, **_planted_unbounded(2, 25, 40, 10, 0.0)),
)

LINEAR = (*INFEASIBLES, *UNBOUNDEDS, *SOLVABLES)
