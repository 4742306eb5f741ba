"""Residuals of linear programs against the formulas entry by entry, closed forms of their scalings, and units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.inclusion.linear import optimality, support
from solverkit.kinds.inclusion.structure import LinearProgram

INF = np.inf


def made(c, A, row_lower=-INF, row_upper=INF, lower=0.0, upper=INF):
    """A program, sides given as numbers or lists."""
    A = np.asarray(A, dtype=float)
    rows = [np.array(np.broadcast_to(np.asarray(side, dtype=float), A.shape[0])) for side in (row_lower, row_upper)]
    bounds = [np.array(np.broadcast_to(np.asarray(side, dtype=float), A.shape[1])) for side in (lower, upper)]
    return LinearProgram(np.asarray(c, dtype=float), A, *rows, *bounds)


def random_program(seed):
    """(program, u): about a third of the sides are infinite, entries of A, x and y are often 0."""
    rng = np.random.default_rng(seed)
    m, n = (int(size) for size in rng.integers(1, 6, 2))
    A = rng.standard_normal((m, n)) * (rng.random((m, n)) < 0.6) * 10.0 ** rng.uniform(-5, 5, (m, 1))
    row_lower = rng.standard_normal(m) * (rng.random(m) < 0.7)
    row_upper = row_lower + rng.uniform(0, 1, m) * (rng.random(m) < 0.5)
    lower = rng.standard_normal(n) * (rng.random(n) < 0.7)
    upper = lower + rng.uniform(0, 1, n)
    u = rng.standard_normal(m + n) * (rng.random(m + n) < 0.7) * 10.0 ** rng.uniform(-6, 6)
    program = made(
        rng.standard_normal(n) * (rng.random(n) < 0.7),
        A,
        np.where(rng.random(m) < 0.3, -INF, row_lower),
        np.where(rng.random(m) < 0.3, INF, row_upper),
        np.where(rng.random(n) < 0.3, -INF, lower),
        np.where(rng.random(n) < 0.3, INF, upper),
    )
    return program, u


def by_hand(program, u):
    """primal, dual (of x's bounds alone, of rows alone), dual value, and both backward errors, one entry at a time."""
    A, n = program.A, len(program.c)
    m = len(A)
    x, y = u[:n], u[n:]
    held = [min(max(x[j], program.lower[j]), program.upper[j]) for j in range(n)]
    squares, rows, value = [(x[j] - held[j]) ** 2 for j in range(n)], [], 0.0
    row_strays = []
    for i in range(m):
        activity = sum(A[i, j] * held[j] for j in range(n))
        low, high = program.row_lower[i], program.row_upper[i]
        missed, side = (low - activity, low) if activity < low else (max(activity - high, 0.0), high)
        squares.append(missed**2)
        floor = 1e-4 * np.sqrt(sum(A[i] ** 2)) * max(abs(v) for v in held)
        if missed > 0:
            rows.append(missed / (abs(side) + sum(abs(A[i, j] * held[j]) for j in range(n)) + floor))
        pressed = high if y[i] > 0 else low
        if y[i] != 0 and np.isinf(pressed):
            row_strays.append(y[i])
        elif y[i] != 0:
            value -= y[i] * pressed
    pulls, columns = [], []
    for j in range(n):
        r = program.c[j] + sum(A[i, j] * y[i] for i in range(m))
        bound = program.lower[j] if r > 0 else program.upper[j]
        if r != 0 and np.isinf(bound):
            pulls.append(r)
            size = abs(program.c[j]) + sum(abs(A[i, j] * y[i]) for i in range(m))
            columns.append(abs(r) / (size + 1e-4 * np.sqrt(sum(A[:, j] ** 2)) * max(abs(v) for v in y)))
        elif r != 0:
            value += r * bound
    return np.sqrt(sum(squares)), row_strays, pulls, value, max(rows, default=0.0), max(columns, default=0.0)


@pytest.mark.parametrize("seed", range(150))
def test_residuals_are_those_of_the_formulas(seed):
    program, u = random_program(seed)
    primal, strays, pulls, dual_value, rows, columns = by_hand(program, u)
    typical = np.linalg.norm(program.A) / np.sqrt(len(program.A)) or 1.0
    for form in (program, replace(program, A=csr_array(program.A))):
        found = optimality(form, u)
        assert found.primal == pytest.approx(primal, rel=1e-12)
        assert found.dual == pytest.approx(np.hypot(typical * np.linalg.norm(strays), np.linalg.norm(pulls)), rel=1e-9)
        n = len(program.c)
        held = np.clip(u[:n], program.lower, program.upper)
        assert found.primal_value == pytest.approx(program.c @ held, rel=1e-12)
        entering = abs(program.c) @ abs(held) + abs(u[n:]).sum() * (1 + typical) + abs(dual_value)
        assert found.dual_value == pytest.approx(dual_value, rel=1e-9, abs=1e-12 * entering)
        assert found.gap == abs(found.primal_value - found.dual_value)
        # what is at most 1e-6 need not be known better
        assert max(found.rows, 1e-6) == pytest.approx(max(rows, 1e-6), rel=1e-9)
        assert max(found.columns, 1e-6) == pytest.approx(max(columns, 1e-6), rel=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_a_product_that_is_given_saves_the_work_and_changes_nothing(seed):
    program, u = random_program(seed)
    n = len(program.c)
    u[:n] = np.clip(u[:n], program.lower, program.upper)
    given = np.concatenate([program.c + program.A.T @ u[n:], -program.A @ u[:n]])
    assert optimality(program, u, given) == optimality(program, u)


def test_a_backward_error_above_a_millionth_is_exact():
    """3e-6 by the side alone, 1.5e-6 with the terms of the row: the larger one would be refused where 2e-6 is asked."""
    program = made([0.0], [[1.0]], row_lower=1 / (1 - 3e-6))
    assert optimality(program, np.array([1.0, 0.0])).rows == pytest.approx(1.5e-6, rel=1e-3)


# -- what residuals are relative to


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_rows_and_bounds_count_in_the_unit_of_the_sides(unit):
    program = made([1.0, 1.0], [[1.0, 0], [0, 1.0]], [3 * unit, -INF], [INF, -4 * unit], lower=-INF)
    found = optimality(program, np.zeros(4))
    assert found.primal == pytest.approx(5 * unit)
    assert found.primal_scale == pytest.approx(5 * unit)


@pytest.mark.parametrize(
    ("row_lower", "row_upper", "size"),
    [(-6.0, 8.0, 8.0), (-8.0, 6.0, 8.0), (-INF, 6.0, 6.0), (-6.0, INF, 6.0), ([3.0, -INF], [3.0, 4.0], 5.0)],
)
def test_the_larger_of_the_finite_sides_is_the_size_of_a_row(row_lower, row_upper, size):
    rows = 1 if np.ndim(row_lower) == 0 else 2
    assert optimality(made([1.0], np.ones((rows, 1)), row_lower, row_upper), np.zeros(1 + rows)).primal_scale == size


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_reduced_costs_count_in_the_unit_of_the_costs(unit):
    program = made([3 * unit, -4 * unit], [[1.0, 1.0]], 1.0, lower=-INF)
    found = optimality(program, np.zeros(3))
    assert (found.dual, found.dual_scale) == pytest.approx((5 * unit, 5 * unit))


def test_a_multiplier_of_a_missing_side_counts_by_what_a_row_makes_of_it():
    """Two rows of sizes 3 and 4: one unit of y changes the reduced costs by 5 / sqrt(2) on the average."""
    program = made([1.0, 1.0], [[3.0, 0.0], [0.0, 4.0]], -INF, 1.0, lower=-INF)
    held = optimality(program, np.array([0.0, 0.0, -1.0, 0.0]))
    assert held.dual == pytest.approx(np.hypot(5 / np.sqrt(2), np.hypot(1 - 3, 1)))
    empty = made([0.0], [[0.0]], -INF, 1.0, lower=-INF)
    assert optimality(empty, np.array([0.0, -2.0])).dual == 2


@pytest.mark.parametrize(
    ("program", "scales"),
    [
        # (primal, dual, gap) scales at the origin, where no term enters the gap
        (made([0.0], [[0.5]], 0.0), (0.5, 0.5, 1.0)),  # no data but A: what one unit of x or y does
        (made([0.0], [[4.0]], 0.0), (1.0, 1.0, 1.0)),  # at most 1
        (made([0.0], [[0.5]], 0.0, upper=0.25), (0.125, 0.5, 0.25)),  # x is at most 1/4
        (made([0.0], [[0.5]], 0.0, lower=-0.25), (0.125, 0.5, 0.25)),
        (made([0.0], [[0.5]], 0.0, lower=-0.125, upper=0.25), (0.125, 0.5, 0.25)),
        (made([0.0], [[0.5]], 0.0, upper=8.0), (0.5, 0.5, 1.0)),
        (made([2.0], [[0.5]], 0.0), (0.5, 2.0, 1.0)),
        (made([0.25], [[0.5]], 0.0), (0.5, 0.25, 0.25)),
        (made([0.25], [[0.5]], -0.125, 0.125), (0.125, 0.25, 0.25 * 0.25)),  # x is about 1/4 where the row ends
        (made([0.25], [[0.5]], -2.0, 2.0), (2.0, 0.25, 0.25)),
        (made([0.25], np.full((4, 1), 0.5), -0.125, 0.125), (0.25, 0.25, 0.25 * 0.5)),
        (made([0.0], [[0.0]], 0.0), (1.0, 1.0, 1.0)),
    ],
)
def test_what_takes_the_place_of_data_that_are_zero(program, scales):
    n, m = len(program.c), len(program.A)
    found = optimality(program, np.zeros(n + m))
    assert (found.primal_scale, found.dual_scale, found.gap_scale) == scales


def test_a_program_without_rows_has_scalings():
    program = made([-3.0], np.zeros((0, 1)), lower=-1.0, upper=2.0)
    found = optimality(program, np.array([2.0]))
    assert (found.primal, found.dual, found.gap, found.rows, found.columns) == (0, 0, 0, 0, 0)
    assert found.worst == 0


@pytest.mark.parametrize(
    ("x", "y", "scale"),
    [
        (2.0, -3.0, 6.0 + 1 * 3.0 + 0),  # |c x| + |y l|: less than 1 + |c'x| + |dual value|
        (2.0, 0.0, 6.0),
        (0.0, -3.0, 3.0),
        (0.0, 0.0, 1.0),  # the least that is at stake
        (0.0, -0.5, 1.0),
        (2.0, -1.0, 7.0),
    ],
)
def test_the_gap_is_relative_to_the_terms_that_enter_it(x, y, scale):
    """min 3 x, x >= 1, x >= 0: the dual value is -y for y in [-3, 0]."""
    found = optimality(made([3.0], [[1.0]], 1.0), np.array([x, y]))
    assert found.gap == pytest.approx(abs(3 * x + y))
    assert found.gap_scale == pytest.approx(min(scale, 1 + 3 * x - y))


def test_what_bounds_add_to_the_dual_value_enters_the_gap():
    """max 3 x, 0 <= x <= 2, its row free: the reduced cost -3 presses on 2."""
    found = optimality(made([-3.0], [[1.0]], upper=2.0), np.array([2.0, 0.0]))
    assert (found.primal_value, found.dual_value, found.gap_scale) == (-6, -6, 12)


def test_terms_that_cancel_leave_the_gap_relative_to_the_values():
    """c'x = 1e3 - 1e3: the sizes of the terms would hide an error of 1."""
    program = made([1e3, -1e3], [[1.0, 1.0]], 0.0, lower=-INF)
    found = optimality(program, np.array([1.0, 1.0, 0.0]))
    assert found.gap_scale == 1 + 0 + 0


@pytest.mark.parametrize("seed", range(10))
def test_units_of_costs_and_of_variables_change_no_ratio_of_small_data(seed):
    """x in units of s, c in units of k: every ratio is the same, since nothing here is larger than 1."""
    rng = np.random.default_rng(seed)
    A, c, row, high = rng.uniform(-1, 1, (3, 4)), rng.uniform(-1, 1, 4), rng.uniform(-1, 1, 3), rng.uniform(0, 1, 4)
    u = rng.uniform(-1, 1, 7)
    one = made(1e-3 * c, A, 1e-3 * row, INF, -INF, [1e-3 * high[0], 1e-3 * high[1], INF, INF])
    u[:4] *= 1e-3
    u[4:] *= 1e-3
    s, k = 2.0**-20, 2.0**-15
    other = made(k * one.c, A, s * one.row_lower, INF, -INF, s * one.upper)
    a, b = optimality(one, u), optimality(other, np.concatenate([s * u[:4], k * u[4:]]))
    assert min(a.dual, a.gap) > 0
    for what in ("primal", "dual", "gap"):
        ratio = getattr(a, what) / getattr(a, f"{what}_scale")
        assert getattr(b, what) / getattr(b, f"{what}_scale") == pytest.approx(ratio, rel=1e-12)
    assert (b.rows, b.columns) == pytest.approx((a.rows, a.columns), rel=1e-12)


def test_the_worst_of_the_five_stops_an_iteration():
    program = made([1.0], [[1.0]], 4.0)
    for u in ([4.0, -1.0], [4.0, 0.0], [3.0, -1.0], [-2.0, 0.0], [4.0, 1.0], [4.0, -3.0]):
        found = optimality(program, np.array(u))
        norms = [found.primal / found.primal_scale, found.dual / found.dual_scale, found.gap / found.gap_scale]
        assert found.worst == max(*norms, found.rows / 1e4, found.columns / 1e4)
        assert (found.worst == 0) is (u == [4.0, -1.0])


def test_a_broken_row_counts_a_ten_thousandth_of_its_backward_error():
    """The row's backward error is 1 and every norm sees 1e-12: 1 / 1e4 is what counts."""
    program = made([1.0, 0.0], [[1e6, 0.0], [0.0, 1e-6]], [1e6, 1e-6])
    assert optimality(program, np.array([1.0, 0.0, -1e-6, 0.0])).worst == pytest.approx(1e-4, rel=1e-3)


# -- multipliers and their sides


@pytest.mark.parametrize(
    ("y", "lower", "upper", "expected"),
    [
        (2.0, -1.0, 3.0, (0.0, 6.0, 6.0)),
        (-2.0, -1.0, 3.0, (0.0, 2.0, 2.0)),
        (-2.0, 1.0, 3.0, (0.0, -2.0, 2.0)),
        (2.0, -1.0, INF, (2.0, 0.0, 0.0)),
        (-2.0, -INF, 3.0, (-2.0, 0.0, 0.0)),
        (1.0, -1.0, INF, (1.0, 0.0, 0.0)),
        (0.0, -INF, INF, (0.0, 0.0, 0.0)),
        (1e-300, -INF, INF, (1e-300, 0.0, 0.0)),
    ],
)
def test_a_multiplier_presses_on_the_side_of_its_sign(y, lower, upper, expected):
    stray, sigma, size = support(np.array([y]), np.array([lower]), np.array([upper]))
    assert (stray[0], sigma, size) == expected


def test_sizes_add_up_where_terms_cancel():
    strays, sigma, size = support(np.array([1.0, -1.0, 5.0]), np.array([0.0, 2.0, 0.0]), np.array([2.0, 9.0, INF]))
    assert list(strays) == [0, 0, 5]
    assert (sigma, size) == (0, 4)
