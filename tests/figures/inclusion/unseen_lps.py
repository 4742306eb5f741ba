"""Sixty linear programs of families that the methods were not tuned on, in the default mode, against HiGHS.

Degenerate, badly scaled, free and fixed variables, ranges, redundant and empty rows, empty columns; some without an
answer, infeasible, unbounded or both. The verdict of HiGHS's simplex method (through SciPy) is the reference. What is
counted: answers that are certified; certified values that are wrong; programs without an answer that are named so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import block_array, coo_array, csr_array, diags_array, eye_array, vstack
from scipy.sparse import random as random_sparse

import solverkit as sk
from solverkit.kinds.inclusion import linear_program
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.structure import LinearProgram

TOL = 1e-6
MAX_CALLS = 60_000
inf = np.inf


def klee_minty(n: int) -> Inclusion:
    """A cube that the simplex method climbs corner by corner: entries from 1 to 2 ** n."""
    A = np.tril(2.0 ** (np.add.outer(np.arange(n), -np.arange(n)) + 1), -1) + np.eye(n)
    return linear_program(2.0 ** np.arange(n - 1, -1, -1), A, -inf, 5.0 ** np.arange(1, n + 1), maximize=True)


def knapsack(n: int, seed: int) -> Inclusion:
    """One row."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(1, 30, (1, n))
    return linear_program(rng.uniform(1, 9, n), weights, -inf, 0.3 * weights.sum(), 0.0, 1.0, maximize=True)


def shortest_path(side: int, seed: int) -> Inclusion:
    """Across a grid: one redundant equation and a degenerate answer."""
    rng = np.random.default_rng(seed)
    cells = np.arange(side * side).reshape(side, side)
    tails = np.concatenate([cells[:, :-1].ravel(), cells[:-1].ravel(), cells[:, 1:].ravel(), cells[1:].ravel()])
    heads = np.concatenate([cells[:, 1:].ravel(), cells[1:].ravel(), cells[:, :-1].ravel(), cells[:-1].ravel()])
    count = len(tails)
    ends = np.concatenate([tails, heads]), np.tile(np.arange(count), 2)
    A = csr_array(coo_array((np.repeat([1.0, -1.0], count), ends), shape=(side * side, count)))
    supply = np.zeros(side * side)
    supply[0], supply[-1] = 1.0, -1.0
    return linear_program(rng.integers(1, 10, count).astype(float), A, supply, supply)


def least_absolute(rows: int, columns: int, seed: int) -> Inclusion:
    """Regression in the 1-norm: free variables, two rows a sample."""
    rng = np.random.default_rng(seed)
    M = rng.standard_normal((rows, columns))
    b = M @ rng.standard_normal(columns) + rng.standard_t(2, rows)
    A = block_array([[csr_array(M), eye_array(rows)], [csr_array(M), -eye_array(rows)]])
    lower, upper = np.append(b, np.full(rows, -inf)), np.append(np.full(rows, inf), b)
    cost = np.append(np.zeros(columns), np.ones(rows))
    return linear_program(cost, csr_array(A), lower, upper, np.append(np.full(columns, -inf), np.zeros(rows)), inf)


def basis_pursuit(rows: int, columns: int, seed: int) -> Inclusion:
    """The least 1-norm of M x = b, in positive and negative parts."""
    rng = np.random.default_rng(seed)
    M = rng.standard_normal((rows, columns))
    b = M @ np.where(rng.random(columns) < 0.1, rng.standard_normal(columns), 0.0)
    return linear_program(np.ones(2 * columns), np.hstack([M, -M]), b, b)


def multiperiod(periods: int, goods: int, seed: int) -> Inclusion:
    """Production, stock and shortage of several goods that share a capacity."""
    rng = np.random.default_rng(seed)
    demand = rng.uniform(0, 20, (periods, goods))
    n = periods * goods
    carried = eye_array(n, k=-goods) - eye_array(n)
    balance = [eye_array(n), carried, eye_array(n)]
    hours = csr_array(np.kron(np.eye(periods), rng.uniform(0.5, 2, (1, goods))))
    A = csr_array(block_array([balance, [hours, None, None]]))
    room = np.full(periods, 9.0 * goods)
    cost = np.concatenate([rng.uniform(1, 3, n), np.full(n, 0.2), np.full(n, 50.0)])
    lower = np.append(demand.ravel(), np.full(periods, -inf))
    return linear_program(cost, A, lower, np.append(demand.ravel(), room))


def packing(rows: int, columns: int, seed: int) -> Inclusion:
    """Rows of ones, many answers."""
    rng = np.random.default_rng(seed)
    A = csr_array(random_sparse(rows, columns, 4 / rows, format="csr", random_state=rng, data_rvs=np.ones))
    return linear_program(rng.integers(1, 4, columns).astype(float), A, -inf, 1.0, 0.0, 1.0, maximize=True)


def around(m: int, n: int, seed: int, density: float = 0.3, spread: float = 0.0) -> Inclusion:
    """A program of all kinds of rows and bounds with an answer; rows and columns in units 10 ** (+-spread)."""
    rng = np.random.default_rng(seed)
    A = csr_array(random_sparse(m, n, density, format="csr", random_state=rng, data_rvs=rng.standard_normal))
    x = np.where(rng.random(n) < 0.4, rng.uniform(0, 2, n), 0.0)
    y = np.where(rng.random(m) < 0.6, rng.standard_normal(m), 0.0)
    side, gap = A @ x, rng.uniform(0.1, 1, m)
    equal = rng.random(m) < 0.3
    lower = np.where(equal | (y < 0), side, side - gap)
    upper = np.where(equal | (y > 0), side, side + gap)
    lower, upper = np.where(~equal & (y > 0), -inf, lower), np.where(~equal & (y < 0), inf, upper)
    pull = np.where(x == 0, rng.uniform(0, 1, n) * (rng.random(n) < 0.7), 0.0)
    rows, columns = 10.0 ** rng.uniform(-spread, spread, m), 10.0 ** rng.uniform(-spread, spread, n)
    scaled = csr_array(diags_array(rows) @ A @ diags_array(columns))
    return linear_program(columns * (pull - A.T @ y), scaled, rows * lower, rows * upper, 0.0, 5.0 / columns)


def _program(problem: Inclusion) -> LinearProgram:
    assert isinstance(problem.structure, LinearProgram)
    return problem.structure


def clutter(problem: Inclusion, seed: int) -> Inclusion:
    """The same with doubled rows, empty rows and columns, free empty columns of cost 0, and fixed variables."""
    rng = np.random.default_rng(seed)
    p = _program(problem)
    A = csr_array(p.A)
    m, n = A.shape
    again = rng.integers(0, m, max(m // 4, 1))
    fixed = csr_array(rng.standard_normal((m + len(again) + 2, 2)))
    rows = csr_array(vstack([A, 2.0 * A[again], csr_array((2, n))]))
    at = np.array([1.5, -2.0])
    shift = fixed @ at
    A = csr_array(block_array([[rows, fixed, csr_array((rows.shape[0], 3))]]))
    lower = np.concatenate([p.row_lower, 2 * p.row_lower[again], [-inf, -1.0]]) + shift
    upper = np.concatenate([p.row_upper, 2 * p.row_upper[again], [0.0, 1.0]]) + shift
    c = np.concatenate([p.c, [3.0, -1.0], [1.0, -1.0, 0.0]])
    low = np.concatenate([p.lower, at, [0.0, -4.0, -inf]])
    high = np.concatenate([p.upper, at, [inf, 7.0, inf]])
    return linear_program(c, A, lower, upper, low, high)


def infeasible(m: int, n: int, seed: int, sparse: bool = False) -> Inclusion:
    """A x = b, x >= 0 with a y that has A'y >= 0 and b'y < 0."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n)) * (rng.random((m, n)) < (0.2 if sparse else 1.0))
    y = rng.standard_normal(m)
    A[:, A.T @ y < 0] *= -1
    b = A @ rng.random(n)
    b -= y * (float(b @ y) + 1.0) / float(y @ y)
    return linear_program(rng.standard_normal(n), csr_array(A) if sparse else A, b, b)


def unbounded(m: int, n: int, seed: int) -> Inclusion:
    """A x <= b, x >= 0 with a ray along which the objective falls."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n))
    d = rng.random(n) * (rng.random(n) < 0.7)
    A[A @ d > 0] *= -1
    c = rng.standard_normal(n)
    c -= d * (float(c @ d) + 1.0) / float(d @ d)
    return linear_program(c, A, -inf, A @ rng.random(n) + rng.random(m))


def both() -> Inclusion:
    """Neither it nor its dual has a point: x1 - x2 <= -1 and x1 - x2 >= 1, with a free fall beside."""
    A = np.array([[1.0, -1.0, 0.0], [1.0, -1.0, 0.0]])
    return linear_program([-1.0, -1.0, -1.0], A, [-inf, 1.0], [-1.0, inf])


def tiny() -> Iterator[tuple[str, Inclusion]]:
    """Programs of one or two variables."""
    yield "n = 1, at a bound", linear_program([1.0], [[1.0]], -inf, 5.0, 2.0, 9.0)
    yield "n = 1, at a row", linear_program([-3.0], [[2.0]], -inf, 5.0)
    yield "n = 1, cost 0", linear_program([0.0], [[2.0]], 1.0, 1.0)
    yield "n = 1, fixed", linear_program([7.0], [[2.0]], -inf, 50.0, 3.0, 3.0)
    yield "n = 1, empty row", linear_program([1.0], [[0.0]], -1.0, 5.0, -2.0, 9.0)
    yield "n = 1, unbounded", linear_program([-1.0], [[-1.0]], -inf, 5.0)
    yield "n = 1, infeasible", linear_program([1.0], [[1.0]], 5.0, inf, 0.0, 2.0)
    yield "empty row infeasible", linear_program([1.0], [[0.0]], 1.0, 5.0)
    yield "empty column unbounded", linear_program([1.0, -1.0], [[1.0, 0.0]], 1.0, 2.0)
    yield "free row", linear_program([1.0, 1.0], [[1.0, 2.0]], -inf, inf)
    yield "huge sides", linear_program([1.0, 2.0], [[1.0, 1.0]], 1e9, inf)
    yield "tiny sides", linear_program([1.0, 2.0], [[1.0, 1.0]], 1e-7, inf)
    yield "infeasible and unbounded", both()


def programs() -> Iterator[tuple[str, Inclusion]]:
    """All of them."""
    yield from tiny()
    for n in (4, 8, 12):
        yield f"Klee-Minty {n}", klee_minty(n)
    for n, seed in ((50, 101), (20_000, 102)):
        yield f"knapsack {n}", knapsack(n, seed)
    for side, seed in ((5, 103), (20, 104), (60, 105)):
        yield f"shortest path {side}", shortest_path(side, seed)
    for shape in ((30, 4), (300, 10), (2000, 8)):
        yield f"least absolute {shape}", least_absolute(*shape, seed=106)
    for shape in ((20, 60), (80, 300)):
        yield f"basis pursuit {shape}", basis_pursuit(*shape, seed=107)
    for shape in ((6, 3), (40, 10), (200, 30)):
        yield f"multiperiod {shape}", multiperiod(*shape, seed=108)
    for shape in ((20, 60), (1000, 5000)):
        yield f"packing {shape}", packing(*shape, seed=109)
    for k, (shape, density) in enumerate([((8, 12), 0.8), ((40, 70), 0.3), ((300, 500), 0.05), ((1000, 20_000), 2e-3)]):
        for spread in (0, 1, 3):
            if shape[0] < 1000 or spread < 3:
                yield f"around {shape} spread {spread}", around(*shape, 110 + k, density, spread)
    for k, shape in enumerate([(10, 16), (60, 90)]):
        yield f"clutter {shape}", clutter(around(*shape, 120 + k), 122)
    yield "clutter of a path", clutter(shortest_path(8, 123), 124)
    yield "clutter of a packing", clutter(packing(30, 80, 125), 126)
    for k, (shape, sparse) in enumerate([((3, 6), False), ((20, 50), False), ((100, 300), False), ((150, 400), True)]):
        yield f"infeasible {shape}", infeasible(*shape, 130 + k, sparse)
    yield "infeasible cluttered", clutter(infeasible(10, 25, 136), 137)
    for k, shape in enumerate([(4, 3), (20, 30), (100, 200)]):
        yield f"unbounded {shape}", unbounded(*shape, 140 + k)
    yield "unbounded cluttered", clutter(unbounded(10, 15, 144), 145)


def reference(problem: Inclusion) -> tuple[str, float]:
    """(optimal, infeasible or unbounded, the value) by HiGHS."""
    p = _program(problem)
    A = csr_array(p.A)
    above, below = np.isfinite(p.row_upper), np.isfinite(p.row_lower)
    rows = vstack([A[above], -A[below]])
    sides = np.concatenate([p.row_upper[above], -p.row_lower[below]])
    bounds = np.column_stack([p.lower, p.upper])
    found = linprog(p.c, A_ub=rows, b_ub=sides, bounds=bounds, method="highs")
    if found.status == 0:
        sense = -1.0 if p.maximize else 1.0
        return "optimal", sense * (float(found.fun) + p.constant)
    feasible = linprog(0 * p.c, A_ub=rows, b_ub=sides, bounds=bounds, method="highs").status == 0
    return "unbounded" if feasible else "infeasible", np.nan


def judged(problem: Inclusion, method: str, options: dict[str, object]) -> tuple[str, str, sk.Result, float]:
    """(reference, verdict of the run, the run, error of its value)."""
    expected, value = reference(problem)
    found = sk.solve(problem, method=method, tol=TOL, max_calls=MAX_CALLS, options=options)
    name = found.termination.name.lower()
    if found.success:
        verdict = "optimal"
    else:
        verdict = name if name in ("infeasible", "unbounded") else "open"
    return expected, verdict, found, abs(found.fun - value) / (1 + abs(value))


def table(method: str, keep: Callable[[Inclusion], bool] = lambda problem: True) -> None:
    """One line a program, then the counts."""
    print(f"\n{method}\n| program | rows, variables | HiGHS | verdict | off | products | time |")
    print("|---|---|---|---|---|---|---|")
    right = wrong = count = 0
    for name, problem in programs():
        if not keep(problem):
            continue
        begun = perf_counter()
        expected, verdict, found, off = judged(problem, method, {})
        m, n = _program(problem).A.shape
        count += 1
        good = verdict == expected and not (verdict == "optimal" and off > 1e-4)
        right += good
        wrong += not good and verdict != "open"
        counts = found.counts
        products = counts.get("nmul", 0) or counts.get("nop", 0)
        print(
            f"| {name} | {m}, {n} | {expected} | {verdict if good else verdict.upper()} ({found.point_status.name}) | "
            f"{off:.0e} | {products} | {found.timing['solve']:.2f} s of {perf_counter() - begun:.2f} |",
            flush=True,
        )
    print(f"{right} of {count} right, {wrong} wrong verdicts")


def main() -> None:
    """The method for linear programs, and the baselines on the small ones."""
    table("halpern")
    for method in ("extragradient", "forb", "vr-extragradient", "vr-halpern"):
        table(method, lambda problem: max(_program(problem).A.shape) <= 20)
