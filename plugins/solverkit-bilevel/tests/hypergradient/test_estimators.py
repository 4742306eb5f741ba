"""The hypergradient by conjugate gradients, Neumann series and unrolling, against closed forms and differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypergradient_cases import answer_by_newton, curved, tail, with_ledger

from solverkit_bilevel.hypergradient.conjugate_gradients import conjugate_gradients
from solverkit_bilevel.hypergradient.neumann import bias_bound, neumann
from solverkit_bilevel.hypergradient.products import largest_curvature, lower_products
from solverkit_bilevel.hypergradient.unrolled import follow, unrolled


def blocks_at(problem, z):
    """(f_yy, f_xy) dense."""
    H = problem.lower_hessian(z).toarray()
    n = problem.n
    return H[n:, n:], H[:n, n:]


@pytest.mark.parametrize("condition", [1.0, 30.0, 1e4])
@pytest.mark.parametrize("seed", range(3))
def test_conjugate_gradients_give_the_closed_form(condition, seed):
    case = tail(6, 9, seed, condition)
    problem = case.problem
    x = np.random.default_rng(seed).normal(size=6)
    z = np.concatenate([x, case.answer(x)])
    slope = problem.upper_gradient(z)
    found = conjugate_gradients(lower_products(problem, z), slope[6:], 6, rtol=1e-13)
    gradient = case.gradient(x)
    assert np.linalg.norm(slope[:6] - found.cross - gradient) <= 1e-8 * np.linalg.norm(gradient)
    assert 1 - 1e-6 <= found.least <= found.most <= condition * (1 + 1e-6)


def test_every_estimator_meets_differences_of_phi():
    problem = curved()
    n, x = problem.n, np.array([0.4, -0.2, 0.7, 0.1])

    def phi(x):
        return problem.upper(np.concatenate([x, answer_by_newton(problem, x)]))

    h = 1e-5
    differences = np.array([(phi(x + h * e) - phi(x - h * e)) / (2 * h) for e in np.eye(n)])
    z = np.concatenate([x, answer_by_newton(problem, x)])
    slope, product = problem.upper_gradient(z), lower_products(problem, z)
    step = 1 / np.linalg.eigvalsh(blocks_at(problem, z)[0])[-1]
    begin = z.copy()
    begin[n:] += 0.1
    estimates = {
        "cg": conjugate_gradients(product, slope[n:], n),
        "neumann": neumann(product, slope[n:], n, step, 400),
        "unroll": unrolled(problem, begin, slope, step, 400, "checkpoint"),
    }
    for name, found in estimates.items():
        np.testing.assert_allclose(slope[:n] - found.cross, differences, atol=1e-6, err_msg=name)


def test_both_blocks_come_from_one_product():
    problem, ledger = with_ledger(curved())
    z = np.concatenate([np.full(4, 0.3), np.full(5, 0.2)])
    yy, xy = blocks_at(problem, z)
    v = np.arange(5.0)
    bent, across = lower_products(problem, z)(v)
    np.testing.assert_allclose(bent, yy @ v)
    np.testing.assert_allclose(across, xy @ v)
    assert ledger.by_oracle()["lower_hvp"] == 1
    found = conjugate_gradients(lower_products(problem, z), v, 4, rtol=1e-13)
    np.testing.assert_allclose(found.cross, xy @ np.linalg.solve(yy, v), rtol=1e-9)
    assert ledger.by_oracle()["lower_hvp"] == 1 + found.products <= 1 + 5 + 1


def test_a_warm_start_changes_the_work_and_not_the_answer():
    problem = curved()
    z = np.concatenate([np.full(4, 0.3), np.full(5, 0.2)])
    yy, xy = blocks_at(problem, z)
    b, near = np.ones(5), np.linalg.solve(yy, np.ones(5)) * (1 + 1e-9)
    found = conjugate_gradients(lower_products(problem, z), b, 4, near, rtol=1e-6)
    assert found.products == 1
    np.testing.assert_allclose(found.cross, xy @ near)


def test_negative_curvature_and_nan_end_the_iteration():
    def indefinite(v):
        return np.array([1.0, -1.0]) * v, np.zeros(1)

    found = conjugate_gradients(indefinite, np.array([1.0, 2.0]), 1)
    assert found.least <= 0
    broken = conjugate_gradients(lambda v: (v * np.nan, np.zeros(1)), np.ones(2), 1)
    assert np.isnan(broken.cross).all()


@pytest.mark.parametrize("terms", [1, 3, 10, 100])
def test_neumann_is_the_series_and_its_bias_within_the_bound(terms):
    case = tail(4, 5)
    problem, n = case.problem, 4
    x = np.full(4, 0.3)
    z = np.concatenate([x, case.answer(x)])
    yy, xy = blocks_at(problem, z)
    b, a = problem.upper_gradient(z)[n:], 1 / 30.0
    series, power = np.zeros(5), b.copy()
    for _ in range(terms):
        series, power = series + a * power, power - a * yy @ power
    found = neumann(lower_products(problem, z), b, n, a, terms)
    np.testing.assert_allclose(found.z, series, rtol=1e-10)
    np.testing.assert_allclose(found.cross, xy @ series, rtol=1e-9)
    assert found.residual == pytest.approx(np.linalg.norm(b - yy @ found.z), rel=1e-6)
    error = np.linalg.norm(found.z - np.linalg.solve(yy, b))
    assert error <= bias_bound(a, 1.0, terms, float(np.linalg.norm(b))) * (1 + 1e-9)
    assert found.products == terms


def test_neumann_with_too_long_a_step_shows_it():
    case = tail(4, 5)
    z = np.concatenate([np.ones(4), np.zeros(5)])
    found = neumann(lower_products(case.problem, z), np.ones(5), 4, 2.5 / 30, 50)
    assert found.residual > np.sqrt(5)


@pytest.mark.parametrize("steps", [1, 2, 7, 30])
def test_unrolling_is_the_gradient_of_the_truncated_objective(steps):
    problem = curved()
    n, x, y = problem.n, np.array([0.4, -0.2, 0.7, 0.1]), np.full(5, 0.5)
    a = 0.1

    def truncated(x):
        return problem.upper(follow(problem, np.concatenate([x, y]), a, steps))

    h = 1e-5
    differences = np.array([(truncated(x + h * e) - truncated(x - h * e)) / (2 * h) for e in np.eye(n)])
    begin = np.concatenate([x, y])
    slope = problem.upper_gradient(follow(problem, begin, a, steps))
    stored = unrolled(problem, begin, slope, a, steps, "store")
    np.testing.assert_allclose(slope[:n] - stored.cross, differences, atol=1e-8)
    recomputed = unrolled(problem, begin, slope, a, steps, "checkpoint")
    np.testing.assert_array_equal(stored.cross, recomputed.cross)
    assert stored.residual == recomputed.residual


def test_checkpoints_pay_a_gradient_more_a_step():
    used = {}
    for memory in ("store", "checkpoint"):
        problem, ledger = with_ledger(curved())
        z = np.concatenate([np.full(4, 0.3), np.full(5, 0.2)])
        unrolled(problem, z, np.ones(9), 0.1, 100, memory)
        used[memory] = ledger.by_oracle()
    assert used["store"]["lower_hvp"] == used["checkpoint"]["lower_hvp"] == 100
    assert used["store"]["lower_gradient"] == 99
    assert used["store"]["lower_gradient"] < used["checkpoint"]["lower_gradient"] <= 200


def test_power_iteration_finds_the_largest_curvature():
    case = tail(4, 8, condition=1e3)
    z = np.zeros(12)
    value, along = largest_curvature(lower_products(case.problem, z), np.ones(8), rtol=1e-6, limit=500)
    assert value == pytest.approx(1e3, rel=1e-3)
    again, _ = largest_curvature(lower_products(case.problem, z), along)
    assert again == pytest.approx(1e3, rel=1e-3)
    assert largest_curvature(lambda v: (0 * v, np.zeros(1)), np.ones(3))[0] == 0


@pytest.mark.parametrize("seed", range(5))
def test_conjugate_gradients_take_no_step_along_rounding_errors(seed):
    """A minibatch's Hessian of low rank, and a right-hand side that is partly outside of its range."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(3, 12))
    H, b = root.T @ root, rng.normal(size=12)
    found = conjugate_gradients(lambda p: (H @ p, np.zeros(2)), b, 2)
    assert np.linalg.norm(found.z) < 1e8 * np.linalg.norm(b)  # such a system has no answer: it ends, and tells so
    assert found.products < 10
    assert found.least < 1e-12 * found.most
    assert found.residual > 0.1 * np.linalg.norm(b)
