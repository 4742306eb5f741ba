"""Right answers that are hard to recognize: gradients of active rows that depend on each other, units far apart.

Linear programs are built backwards from whole numbers, so that x, y and the value are exact; rows and columns then
get units that are powers of ten. All of these satisfy the first order conditions with some multipliers: an optimum
that does not, as (1, 0) of max x, y <= (1 - x)^3, y >= 0, is beyond any certificate by multipliers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from solverkit.kinds.base import Point
from solverkit.kinds.inclusion import linear_program
from solverkit.kinds.inclusion.certificate import certify as certify_inclusion
from solverkit.kinds.nonlinear import nonlinear
from solverkit.kinds.nonlinear.certificate import certify as certify_nonlinear
from tests.verdicts.subject import Certify

Known = tuple[str, object, Point, Certify]
"""(name, problem, an exact answer, its certificate)"""


def answers(rng: np.random.Generator) -> Iterator[Known]:
    """Without an end."""
    while True:
        yield from linear(rng)
        yield dependent(rng)
        yield from fixed()


def linear(rng: np.random.Generator) -> Iterator[Known]:
    """min c'x, b <= A x, x >= 0, more active rows and bounds than unknowns; in both kinds."""
    n, m = int(rng.integers(2, 7)), int(rng.integers(2, 9))
    A = rng.integers(-3, 4, (m, n)).astype(float)
    x = rng.integers(0, 4, n) * (rng.random(n) < 0.6) * 1.0
    active = rng.random(m) < 0.7
    y = np.where(active & (rng.random(m) < 0.6), rng.integers(1, 5, m), 0) * 1.0  # some active ones have none
    z = np.where((x == 0) & (rng.random(n) < 0.6), rng.integers(1, 5, n), 0) * 1.0
    b = A @ x - np.where(active, 0, rng.integers(1, 5, m))
    if rng.random() < 0.5:  # a row twice, its multiplier shared
        A, b = np.vstack([A, 2 * A[:1]]), np.append(b, 2 * b[0])
        y = np.append(y, 0.0)
        m += 1
    c = A.T @ y + z
    row, column = 10.0 ** rng.integers(-4, 5, m), 10.0 ** rng.integers(-3, 4, n)
    # x = column * scaled x, row * (A x) >= row * b
    S, t = (row[:, None] * A) * column, row * b
    u, v = x / column, y / row
    program = linear_program(c * column, S, t, np.full(m, np.inf), np.zeros(n), np.full(n, np.inf))
    yield "linear program, inclusion", program, program.blocks(np.concatenate([u, -v])), certify_inclusion
    plain = nonlinear(
        {"x": {"shape": n, "lower": 0}}, "dot(c, x)", {"r": "S @ x >= t"}, {"c": c * column, "S": S, "t": t}
    )
    yield "linear program, nonlinear", plain, {"x": u}, certify_nonlinear


def dependent(rng: np.random.Generator) -> Known:
    """A strictly convex quadratic with active rows in multiples, sums of each other, and an equation twice."""
    n = int(rng.integers(2, 7))
    V = rng.standard_normal((n, n))
    H, x = V @ V.T + np.eye(n), rng.standard_normal(n)
    A = rng.standard_normal((2, n))
    A = np.vstack([A, A[:1] * 10.0 ** rng.uniform(-6, 6), A.sum(axis=0)])
    B = rng.standard_normal((1, n))
    B = np.vstack([B, -3 * B]) if n > 3 else B[:0]
    y = np.append(rng.uniform(0.1, 2, 2), np.zeros(2))
    q = -H @ x - A.T @ y - (B.T @ rng.standard_normal(len(B)) if len(B) else 0)
    rows, data = {"a": "A @ x <= a"}, {"H": H, "q": q, "A": A, "a": A @ x}
    if len(B):
        rows["b"], data["B"], data["b"] = "B @ x == b", B, B @ x
    f = float(10.0 ** rng.uniform(-8, 8))
    problem = nonlinear({"x": {"shape": n}}, f"{f!r}*(0.5*dot(x, H @ x) + dot(q, x))", rows, data)
    return f"dependent rows, f times {f:.0e}", problem, {"x": x}, certify_nonlinear


def fixed() -> Iterator[Known]:
    """By hand."""
    for name, f, rows, x in (
        ("three rows at a corner of two", "x[0] + x[1]", {"a": "x >= 0", "b": "x[0] + x[1] >= 0"}, [0, 0]),
        ("squares that vanish", "sum(x**2)", {"a": "x[0]**2 == 0"}, [0, 0]),
        (
            "two circles that touch",
            "x[1]**2",
            {"a": "(x[0]-1)**2 + x[1]**2 <= 1", "b": "(x[0]+1)**2 + x[1]**2 <= 1"},
            [0, 0],
        ),
        ("an equation twice", "sum(x**2)", {"a": "x[0] + x[1] == 2", "b": "3*x[0] + 3*x[1] == 6"}, [1, 1]),
        ("a multiplier of zero", "(x[0]-1)**2 + x[1]**2", {"a": "x[0] <= 1"}, [1, 0]),
        ("flat to fourth order", "x[0]**4 + (x[1]-1)**2", None, [0, 1]),
    ):
        problem = nonlinear({"x": {"shape": 2, "start": 0.5}}, f, rows)
        yield name, problem, {"x": np.array(x, float)}, certify_nonlinear
