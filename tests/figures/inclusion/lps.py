"""Linear programs: `halpern` against HiGHS on ten families to 1e-6, and one of 1e5 variables to 1e-4.

Families are generated with seeds. Values are held against HiGHS's simplex method, relative to 1 + |value|. For large
programs the time of HiGHS's PDLP is that of its run alone, one thread, at the same tolerance; ours includes scaling and
the norm. Three runs each, interleaved.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import numpy as np
from scipy.sparse import block_array, coo_array, csr_array, eye_array, kron
from scipy.sparse import random as random_sparse

import solverkit as sk
from solverkit.kinds.inclusion import linear_program
from solverkit.kinds.inclusion.problem import Inclusion


def transport(sources: int = 8, sinks: int = 12, seed: int = 0) -> Inclusion:
    """Supplies to demands at least cost."""
    rng = np.random.default_rng(seed)
    demand = rng.integers(1, 20, sinks).astype(float)
    supply = np.full(sources, 1.2 * demand.sum() / sources)
    A = block_array([[kron(eye_array(sources), np.ones((1, sinks)))], [kron(np.ones((1, sources)), eye_array(sinks))]])
    lower, upper = np.append(np.full(sources, -np.inf), demand), np.append(supply, np.full(sinks, np.inf))
    return linear_program(rng.uniform(1, 10, sources * sinks), csr_array(A), lower, upper)


def assignment(n: int = 12, seed: int = 1) -> Inclusion:
    """Jobs to people, one each: as degenerate as programs are."""
    A = block_array([[kron(eye_array(n), np.ones((1, n)))], [kron(np.ones((1, n)), eye_array(n))]])
    cost = np.random.default_rng(seed).integers(1, 50, n * n).astype(float)
    return linear_program(cost, csr_array(A), 1.0, 1.0)


def diet(foods: int = 30, nutrients: int = 9, seed: int = 2) -> Inclusion:
    """Nutrients between a least and a most, by foods of limited amounts: rows with ranges."""
    rng = np.random.default_rng(seed)
    A = rng.uniform(0, 5, (nutrients, foods)) * (rng.random((nutrients, foods)) < 0.5)
    least = 0.3 * A.sum(1)
    return linear_program(rng.uniform(0.5, 4, foods), A, least, 2 * least, 0.0, 2.0)


def production(products: int = 25, resources: int = 10, seed: int = 3) -> Inclusion:
    """Profit by products from resources: a maximization."""
    rng = np.random.default_rng(seed)
    A = rng.uniform(0.1, 3, (resources, products))
    return linear_program(rng.uniform(1, 8, products), A, -np.inf, rng.uniform(50, 90, resources), maximize=True)


def stock(periods: int = 24, seed: int = 4) -> Inclusion:
    """Production and stock over periods, with capacities: a staircase of equations."""
    rng = np.random.default_rng(seed)
    demand = rng.uniform(5, 15, periods)
    carried = eye_array(periods, k=-1) - eye_array(periods)
    A = block_array([[eye_array(periods), carried]])
    cost = np.concatenate([rng.uniform(1, 4, periods), np.full(periods, 0.3)])
    upper = np.concatenate([np.full(periods, 16.0), np.full(periods, 20.0)])
    return linear_program(cost, csr_array(A), demand, demand, 0.0, upper)


def flow(nodes: int = 20, arcs: int = 70, seed: int = 5) -> Inclusion:
    """A flow of least cost through a network with capacities."""
    rng = np.random.default_rng(seed)
    tails = np.concatenate([np.arange(nodes - 1), rng.integers(0, nodes, arcs)])
    heads = np.concatenate([np.arange(1, nodes), rng.integers(0, nodes, arcs)])
    keep = tails != heads
    tails, heads = tails[keep], heads[keep]
    count = len(tails)
    ends = (
        np.concatenate([np.ones(count), -np.ones(count)]),
        (np.concatenate([tails, heads]), np.tile(np.arange(count), 2)),
    )
    supply = np.zeros(nodes)
    supply[0], supply[-1] = 5.0, -5.0
    capacity = np.append(np.full(nodes - 1, 5.0), rng.uniform(1, 4, count - nodes + 1))
    A = csr_array(coo_array(ends, shape=(nodes, count)))
    return linear_program(rng.uniform(1, 9, count), A, supply, supply, 0.0, capacity)


def chebyshev(rows: int = 40, columns: int = 6, seed: int = 6) -> Inclusion:
    """The fit of least greatest error: all variables free but one."""
    rng = np.random.default_rng(seed)
    M, b = rng.standard_normal((rows, columns)), rng.standard_normal(rows)
    ones = np.ones((rows, 1))
    A = np.block([[M, -ones], [M, ones]])
    lower, upper = np.append(np.full(rows, -np.inf), b), np.append(b, np.full(rows, np.inf))
    cost = np.append(np.zeros(columns), 1.0)
    return linear_program(cost, A, lower, upper, np.append(np.full(columns, -np.inf), 0.0), np.inf)


def blending(inputs: int = 15, outputs: int = 4, seed: int = 7) -> Inclusion:
    """Inputs into blends whose quality lies in a range."""
    rng = np.random.default_rng(seed)
    quality, cost = rng.uniform(80, 100, inputs), rng.uniform(10, 30, inputs)
    demand, least = rng.uniform(10, 40, outputs), rng.uniform(85, 93, outputs)
    totals = kron(eye_array(outputs), np.ones((1, inputs)))
    above = csr_array(np.vstack([np.kron(np.eye(outputs)[k], quality - least[k]) for k in range(outputs)]))
    stock = kron(np.ones((1, outputs)), eye_array(inputs))
    A = csr_array(block_array([[totals], [above], [stock]]))
    lower = np.concatenate([demand, np.zeros(outputs), np.full(inputs, -np.inf)])
    upper = np.concatenate([demand, np.full(outputs, np.inf), np.full(inputs, 0.4 * demand.sum())])
    return linear_program(np.tile(cost, outputs), A, lower, upper)


def covering(rows: int = 30, columns: int = 40, seed: int = 8) -> Inclusion:
    """Least weight that covers every row: many answers."""
    rng = np.random.default_rng(seed)
    A = (rng.random((rows, columns)) < 0.15).astype(float)
    A[np.arange(rows), rng.integers(0, columns, rows)] = 1.0
    return linear_program(rng.integers(1, 6, columns).astype(float), A, 1.0, np.inf, 0.0, 1.0)


def mixed(n: int = 60, m: int = 30, seed: int = 9, density: float = 0.2) -> Inclusion:
    """Every kind of row and bound, made around a known answer."""
    rng = np.random.default_rng(seed)
    A = csr_array(random_sparse(m, n, density, format="csr", random_state=rng, data_rvs=rng.standard_normal))
    x = np.where(rng.random(n) < 0.5, rng.random(n), 0.0)
    kind, side = rng.integers(0, 3, m), A @ x
    lower = np.where(kind == 0, side, np.where(kind == 1, -np.inf, side - rng.random(m)))
    upper = np.where(kind == 2, side + rng.random(m), side)
    y = np.where(kind == 0, rng.standard_normal(m), np.where(kind == 1, rng.random(m), 0.0))
    free = rng.random(n) < 0.1
    slack = np.where((x == 0) & ~free, rng.random(n), 0.0)
    return linear_program(slack - A.T @ y, A, lower, upper, np.where(free, -np.inf, 0.0), np.inf)


FAMILIES: tuple[Callable[..., Inclusion], ...] = (
    transport,
    assignment,
    diet,
    production,
    stock,
    flow,
    chebyshev,
    blending,
    covering,
    mixed,
)


def highs(problem: Inclusion, solver: str, tolerance: float) -> tuple[float, float]:
    """(value in the author's sense, seconds) of HiGHS."""
    from solverkit_baselines.inclusion.highs import run_highs
    from solverkit_baselines.inclusion.program import program_of

    program = program_of(problem, solver)
    _, x, y, seconds = run_highs(program, solver, tolerance)
    return problem.structure.value(program.back(x, y)), seconds


def _doubt(certified: bool) -> str:
    return "" if certified else " (not certified)"


def small() -> None:
    """Ten families at 1e-8."""
    print("| family | rows, variables | value | off HiGHS's | products | time | HiGHS simplex |")
    print("|---|---|---|---|---|---|---|")
    for family in FAMILIES:
        problem = family()
        value, seconds = highs(problem, "simplex", 1e-9)
        found = sk.solve(problem, method="halpern", tol=1e-8, max_time=60)
        off = abs(found.fun - value) / (1 + abs(value))
        rows, columns = problem.structure.A.shape
        print(
            f"| {family.__name__} | {rows}, {columns} | {found.fun:.8g} | {off:.1e}{_doubt(found.success)} | "
            f"{found.counts['nmul']} | {found.timing['solve']:.3f} s | {seconds:.3f} s |",
            flush=True,
        )


def large(repeats: int = 3) -> None:
    """1e5 variables at 1e-4: a transport problem, and a random sparse program."""
    print("\n| program | rows, variables, entries | products | time | HiGHS PDLP | ratio | off HiGHS's |")
    print("|---|---|---|---|---|---|---|")
    for name, problem in (
        ("transport", transport(100, 1000, 10)),
        ("mixed", mixed(100_000, 50_000, 11, 1e-4)),
    ):
        mine, theirs = [], []
        for _ in range(repeats):
            found = sk.solve(problem, method="halpern", tol=1e-4, max_time=300)
            value, seconds = highs(problem, "pdlp", 1e-4)
            mine.append(found.timing["solve"])
            theirs.append(seconds)
        A = problem.structure.A
        off = abs(found.fun - value) / (1 + abs(value))
        ratio = median(mine) / median(theirs)
        print(
            f"| {name} | {A.shape[0]}, {A.shape[1]}, {A.nnz} | {found.counts['nmul']} | {median(mine):.2f} s | "
            f"{median(theirs):.2f} s | {ratio:.2f} | {off:.1e}{_doubt(found.success)} |",
            flush=True,
        )


def main() -> None:
    """Both tables."""
    small()
    large()
