"""Random programs against every active set, and against a grid."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from nonlinear_cases import run, small

from solverkit.kinds.nonlinear.build import nonlinear


def by_active_sets(Q, q, A, b):
    """min x'Qx/2 + q'x s.t. A x <= b for positive definite Q: the best KKT point of all sets of active rows."""
    n, best = len(q), np.inf
    for size in range(min(n, len(b)) + 1):
        for active in map(list, combinations(range(len(b)), size)):
            rows = A[active]
            K = np.block([[Q, rows.T], [rows, np.zeros((size, size))]])
            if np.linalg.matrix_rank(K) < n + size:
                continue
            x, y = np.split(np.linalg.solve(K, np.concatenate([-q, b[active]])), [n])
            if np.all(A @ x <= b + 1e-10) and np.all(y >= -1e-10):
                best = min(best, float(0.5 * x @ Q @ x + q @ x))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_convex_quadratic_programs(seed):
    """Rows on both sides and bounds, some of them active."""
    rng = np.random.default_rng(seed)
    n, m = 3, 4
    L = rng.standard_normal((n, n))
    Q, q = L @ L.T + 0.1 * np.eye(n), 3 * rng.standard_normal(n)
    A, inside = rng.standard_normal((m, n)), rng.standard_normal(n)
    b = A @ inside + rng.random(m)
    lower = inside - rng.random(n)
    problem = nonlinear(
        {"x": {"shape": n, "start": list(5 * rng.standard_normal(n)), "lower": list(lower)}},
        "0.5*dot(x, Q @ x) + dot(q, x)",
        {"rows": "A @ x <= b"},
        {"Q": Q, "q": q, "A": A, "b": b},
    )
    _, reports = run(problem, 100)
    expected = by_active_sets(Q, q, np.vstack([A, -np.eye(n)]), np.concatenate([b, -lower]))
    assert reports[-1]["objective"] == pytest.approx(expected, abs=1e-6 * (1 + abs(expected)))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("(x[0]**2 - 1)**2 + 0.3*x[0] + x[1]**2 + x[0]*x[1]", {"disc": "normsq(x - 0.5) <= 1.5"}),
        ("sin(3*x[0]) + (x[1] - x[0]**2)**2", {"line": "x[0] + x[1] >= 0.5"}),
        ("-x[0]*x[1]", {"disc": "normsq(x) <= 1", "half": "x[0] >= -0.2"}),
    ],
)
def test_minima_of_two_variables_on_a_grid(text, rows):
    """From nine starts, the best answer is the least value of a grid that was refined around its least point."""
    low, high = -2.0, 2.0
    probe = small(2, text, **rows)

    def feasible(x):
        c = probe.constraints(x)
        return np.all((c >= probe.lower - 1e-9) & (c <= probe.upper + 1e-9))

    least, at, width = np.inf, np.zeros(2), high
    for _ in range(3):
        steps = np.linspace(-width, width, 81)
        for shift in product(steps, steps):
            x = np.clip(at + shift, low, high)
            if feasible(x) and probe.value(x) < least:
                least, best = probe.value(x), x
        at, width = best, width / 20
    found = []
    for start in product((-1.5, 0.1, 1.6), (-1.4, 0.2, 1.5)):
        _, reports = run(small(2, text, list(start), lower=low, upper=high, **rows), 200)
        assert reports[-1]["merit"] <= 1e-8
        found.append(reports[-1]["objective"])
    assert least - 2e-3 <= min(found) <= least + 1e-7
