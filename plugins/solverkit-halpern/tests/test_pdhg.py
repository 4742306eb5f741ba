"""The primal-dual iteration: its norm, its theory, its answers, its counts."""

from __future__ import annotations

import numpy as np
import pytest
from halpern_cases import burglar, gaussian, least_value, program, small_game, sparse_game, value_of
from scipy.sparse import csr_array
from scipy.sparse import random as random_sparse

import solverkit as sk
from solverkit.engine.solver import Context
from solverkit.engine.status import Termination
from solverkit.kinds.base import Block, PointStatus
from solverkit.kinds.inclusion import game, inclusion, linear_program, sequence_form
from solverkit.kinds.inclusion.bilinear import MatrixOperator
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.operators.proximal import Box
from solverkit_halpern.pdhg.game import GameModel
from solverkit_halpern.pdhg.iteration import Iteration
from solverkit_halpern.pdhg.norm import operator_norm
from solverkit_halpern.pdhg.options import HalpernOptions
from solverkit_halpern.pdhg.products import DeviceProducts
from solverkit_halpern.pdhg.rays import infeasible, unbounded
from solverkit_halpern.pdhg.weight import control


def context(tol=1e-6, seed=0):
    return Context(
        rng=np.random.default_rng(seed),
        tol=tol,
        device="cpu",
        dtype="float64",
        log=lambda message: None,
        charge=lambda counter, amount: None,
    )


def solved(problem, tol=1e-6, **options):
    return sk.solve(problem, method="halpern", tol=tol, options=options, max_time=20)


# -- the norm


def test_norm_of_dense_matrices():
    rng = np.random.default_rng(0)
    for p, q in ((40, 30), (1, 7), (7, 1), (60, 60)):
        A = rng.standard_normal((p, q))
        found = operator_norm(
            lambda v, A=A: A @ v, lambda u, A=A: A.T @ u, rng.standard_normal(q), np.copy, np.copy, 60, 1e-12
        )
        assert found.value == pytest.approx(np.linalg.norm(A, 2), rel=1e-8)
        assert np.linalg.norm(A @ found.vector) == pytest.approx(found.value, rel=1e-8)


def test_norm_counts_its_products_and_beats_power_iteration():
    A = gaussian(300, 300, 1)
    calls = []

    def forward(v):
        calls.append(1)
        return A @ v

    def adjoint(u):
        calls.append(1)
        return A.T @ u

    found = operator_norm(forward, adjoint, np.random.default_rng(2).standard_normal(300), np.copy, np.copy, 10, 0.01)
    assert found.products == len(calls) <= 20
    assert 0.97 < found.value / np.linalg.norm(A, 2) <= 1 + 1e-12
    v = np.random.default_rng(2).standard_normal(300)
    for _ in range(len(calls) // 2):
        v = A.T @ (A @ v)
        v /= np.linalg.norm(v)
    assert np.linalg.norm(A @ v) < found.value


def test_norm_of_zero_and_on_subspaces():
    zero = operator_norm(lambda v: 0 * v, lambda u: 0 * u, np.ones(5), np.copy, np.copy)
    assert zero.value == 0
    A = gaussian(20, 20, 3)
    mask = np.arange(20) < 8
    found = operator_norm(
        lambda v: A @ v, lambda u: A.T @ u, np.ones(20), lambda u: u * mask, lambda v: v * ~mask, 40, 1e-12
    )
    assert found.value == pytest.approx(np.linalg.norm(A[:8, 8:], 2), rel=1e-8)


# -- the theory


def plain_iterates(A, count):
    """A literal transcription: T, the P-norm, Halpern without reflection."""
    p, q = A.shape
    step = 0.998 / np.linalg.norm(A, 2)

    def project(v):
        u = np.sort(v)[::-1]
        k = np.arange(1, len(v) + 1)
        return np.maximum(v - ((np.cumsum(u) - 1) / k)[np.flatnonzero(u * k > np.cumsum(u) - 1)[-1]], 0)

    def transition(z):
        x = project(z[0] - step * (A @ z[1]))
        return x, project(z[1] + step * (A.T @ (2 * x - z[0])))

    def size(dx, dy):
        return np.sqrt(dx @ dx + dy @ dy - 2 * step * (dy @ (A.T @ dx)))

    start = z = (np.full(p, 1 / p), np.full(q, 1 / q))
    points, residuals = [], []
    for k in range(count):
        image = transition(z)
        points.append(image)
        residuals.append(size(image[0] - z[0], image[1] - z[1]))
        share = (k + 1) / (k + 2)
        z = tuple(share * h + (1 - share) * s for h, s in zip(image, start, strict=True))
    return points, residuals, size


def test_plain_mode_is_the_transcription():
    A = gaussian(14, 11, 5)
    points, residuals, _ = plain_iterates(A, 30)
    ctx = context(tol=1e-12)
    options = HalpernOptions(mode="plain", step=0.998 / np.linalg.norm(A, 2))
    model = GameModel(game(A), options, ctx)
    iteration = Iteration(model, options, ctx)
    state = iteration.start(np.full(14, 1 / 14), np.full(11, 1 / 11))
    for x, r in zip(points, residuals, strict=True):
        model.prepare(state)
        iteration.advance(state)
        np.testing.assert_allclose(state.image.x, x[0], atol=1e-12)
        np.testing.assert_allclose(state.image.y, x[1], atol=1e-12)
        assert state.residual == pytest.approx(r, rel=1e-6, abs=1e-12)


def test_residual_of_halpern_keeps_to_its_bound():
    """||z_k - T z_k|| <= 2 ||z_0 - z*|| / (k + 1) in the metric P (Lieder 2021)."""
    A = gaussian(10, 12, 6)
    _, residuals, size = plain_iterates(A, 400)
    found = solved(game(A), tol=1e-9)
    distance = size(1 / 10 - found.point["x"], 1 / 12 - found.point["y"])
    for k, residual in enumerate(residuals):
        assert residual <= 2 * distance / (k + 1) * (1 + 1e-6)


def test_carried_products_stay_true():
    problem = small_game()
    ctx = context(tol=1e-12)
    options = HalpernOptions()
    model = GameModel(problem, options, ctx)
    iteration = Iteration(model, options, ctx)
    state = iteration.start(np.full(12, 1 / 12), np.full(9, 1 / 9))
    A = problem.structure.matrix
    for _ in range(300):
        model.prepare(state)
        iteration.advance(state)
    for pair in (state.current, state.anchor, state.image):
        np.testing.assert_allclose(pair.forward, A @ pair.y, atol=1e-13)
        np.testing.assert_allclose(pair.adjoint, A.T @ pair.x, atol=1e-13)
    assert state.restarts > 3


def test_weight_follows_the_distances():
    weight, memory = control(1.0, 0.0, 1.0, 100.0, 0.99, 0.01)
    assert weight == pytest.approx(100 ** (0.99 + 0.01))
    assert control(2.0, memory, 0.0, 0.0, 0.99, 0.01) == (2.0, memory)
    assert control(2.0, 0.0, 0.0, 1.0, 1.0, 0.0)[0] == pytest.approx(200)
    assert control(2.0, 0.0, 1.0, 0.0, 1.0, 0.0)[0] == pytest.approx(0.02)
    assert control(2.0, memory, 1.0, 1.0, 0.0, 0.01) == (2.0, memory)


# -- games


@pytest.mark.parametrize("mode", ["production", "paper"])
@pytest.mark.parametrize("payoff", [gaussian(12, 9, 3), gaussian(5, 30, 4), burglar(20, 5), 1e6 * gaussian(8, 8, 6)])
def test_values_of_games(payoff, mode):
    found = solved(game(payoff), tol=1e-6, mode=mode)
    assert found.termination is Termination.CONVERGED
    assert found.point_status is PointStatus.CERTIFIED, found.message
    assert found.fun == pytest.approx(value_of(payoff), abs=2e-6 * np.abs(payoff).max())


def test_games_that_are_hardly_games():
    for payoff in (
        np.zeros((3, 4)),
        np.full((2, 2), 7.0),
        np.array([[3.0]]),
        np.arange(6.0)[:, None],
        np.arange(6.0)[None],
    ):
        found = solved(game(payoff))
        assert found.point_status is PointStatus.CERTIFIED, (payoff, found.message)
    rows, columns = np.random.default_rng(0).random((2, 5))
    found = solved(game(rows[:, None] + columns))
    assert found.fun == pytest.approx(rows.min() + columns.max(), abs=1e-5)


def test_sparse_and_dense_are_the_same_game():
    sparse = sparse_game()
    dense = game(sparse.structure.matrix.toarray())
    assert solved(sparse).fun == pytest.approx(solved(dense).fun, abs=2e-6)


def test_values_do_not_depend_on_centring():
    payoff = burglar(60, 1)
    found = [solved(game(payoff), tol=1e-5, centring=centring) for centring in (True, False)]
    assert all(each.point_status is PointStatus.CERTIFIED for each in found)
    assert found[0].fun == pytest.approx(found[1].fun, abs=2e-5)
    assert 2 * found[0].counts["nmul"] < found[1].counts["nmul"]


@pytest.mark.parametrize("seed", range(4))
def test_a_player_at_a_vertex_does_not_stop_the_other(seed):
    """One player at a vertex does not move: a weight that is kept then leaves the other one creeping."""
    found = solved(game(burglar(15 + 5 * seed, seed)))
    assert found.termination is Termination.CONVERGED
    assert found.counts["nmul"] < 3000


def test_faces_save_products():
    totals = {True: 0, False: 0}
    for seed in range(4):
        for faces in totals:
            found = solved(game(gaussian(150, 150, 50 + seed)), tol=1e-4, faces=faces)
            assert found.point_status is PointStatus.CERTIFIED
            totals[faces] += found.counts["nmul"]
    assert totals[True] < 0.9 * totals[False]


def test_every_product_is_counted():
    problem = small_game()
    found = solved(problem)
    direct = sum(
        found.oracles[name]["calls"] if isinstance(found.oracles[name], dict) else found.oracles[name]
        for name in ("forward", "adjoint")
    )
    assert direct == found.counts["nmul"]
    mixed = solved(problem, precision="mixed", tol=1e-4)
    assert mixed.point_status is PointStatus.CERTIFIED
    assert 0 < mixed.charged["nmul"] < mixed.counts["nmul"]


def test_single_precision_products_give_way_to_double_ones():
    found = solved(game(gaussian(10, 10, 8)), tol=1e-9, precision="mixed")
    assert found.point_status is PointStatus.CERTIFIED
    assert found.charged["nmul"] < found.counts["nmul"] / 2 + 400


@pytest.mark.parametrize("problem", [small_game, program])
def test_resumed_is_the_same(problem, tmp_path):
    whole = solved(problem(), block=7)
    sk.solve(problem(), method="halpern", options={"block": 7}, max_iter=3, out=tmp_path)
    resumed = sk.resume(tmp_path, problem(), max_iter=10_000)
    assert resumed.nit == whole.nit
    for name, block in whole.point.items():
        np.testing.assert_array_equal(resumed.point[name], block)


@pytest.mark.parametrize("layout", [np.asarray, csr_array])
def test_products_by_torch_are_the_same(layout):
    pytest.importorskip("torch")
    A = np.where(np.abs(gaussian(9, 7, 1)) > 0.5, gaussian(9, 7, 1), 0.0)
    charged = []
    products = DeviceProducts(layout(A), "cpu", lambda counter, amount: charged.append((counter, amount)))
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(9), rng.standard_normal(7)
    np.testing.assert_allclose(products.forward(y), A @ y, atol=1e-14)
    np.testing.assert_allclose(products.adjoint(x), A.T @ x, atol=1e-14)
    assert charged == [("nmul", 1), ("nmul", 1)]


# -- other bilinear problems


def test_sequence_form_of_a_matrix_game():
    payoff = gaussian(6, 5, 9)
    problem = sequence_form(payoff, np.ones((1, 6)), [1.0], np.ones((1, 5)), [1.0])
    found = solved(problem, tol=1e-5)
    assert found.point_status is PointStatus.CERTIFIED, found.message
    assert found.fun == pytest.approx(value_of(payoff), abs=1e-4)


def test_boxes_by_their_matrix():
    rng = np.random.default_rng(10)
    A, c, b = rng.standard_normal((5, 4)), rng.standard_normal(5), rng.standard_normal(4)
    blocks = (Block("x", (5,), np.zeros(5)), Block("y", (4,), np.zeros(4)))
    problem = Inclusion("boxes", blocks, MatrixOperator.of(A, c, b), (Box(-1.0, 1.0), Box(-1.0, 2.0)), form="saddle")
    found = solved(problem)
    assert found.termination is Termination.CONVERGED
    assert found.point_status is PointStatus.CERTIFIED, found.message
    x, y = found.point["x"], found.point["y"]
    lower = -np.abs(c + A @ y).sum() - b @ y
    slope = A.T @ x - b
    upper = c @ x + np.maximum(-slope, 2 * slope).sum()
    assert upper - lower == pytest.approx(0, abs=1e-4)


def test_pdhg_is_refused_where_it_does_not_fit():
    with pytest.raises(sk.UsageError if hasattr(sk, "UsageError") else Exception, match="needs a bilinear problem"):
        solved(inclusion("u - 1", {"u": {"shape": 2}}), iteration="pdhg")


# -- linear programs


def random_program(n, m, seed):
    """A program with an answer that is known to exist: equations, sides, free and bounded variables."""
    rng = np.random.default_rng(seed)
    A = csr_array(random_sparse(m, n, 0.3, random_state=rng, data_rvs=rng.standard_normal))
    x = np.where(rng.random(n) < 0.5, rng.random(n), 0.0)
    kind = rng.integers(0, 3, m)
    side = A @ x
    lower = np.where(kind == 0, side, np.where(kind == 1, -np.inf, side - rng.random(m)))
    upper = np.where(kind == 0, side, np.where(kind == 1, side, side + rng.random(m)))
    y = np.where(kind == 0, rng.standard_normal(m), np.where(kind == 1, rng.random(m), 0.0))
    bounds = (np.where(rng.random(n) < 0.1, -np.inf, 0.0), np.where(rng.random(n) < 0.3, 2.0, np.inf))
    slack = np.where((x == 0) & np.isfinite(bounds[0]), rng.random(n), 0.0)
    return linear_program(slack - A.T @ y, A, lower, upper, *bounds, constant=1.5)


@pytest.mark.parametrize("seed", range(6))
def test_random_programs_against_scipy(seed):
    problem = random_program(20 + 8 * seed, 10 + 5 * seed, seed)
    found = solved(problem, tol=1e-8)
    assert found.termination is Termination.CONVERGED
    assert found.point_status is PointStatus.CERTIFIED, found.message
    assert found.fun == pytest.approx(least_value(problem), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    "options", [{"ruiz": 0, "pock_chambolle": False, "rescale": False}, {"mode": "paper"}, {"rescale": False}]
)
def test_scalings_do_not_change_the_answer(options):
    problem = random_program(30, 15, 11)
    assert solved(problem, **options).fun == pytest.approx(least_value(problem), rel=1e-5, abs=1e-5)


def test_units_of_rows_and_columns_do_not_matter():
    problem = random_program(30, 15, 12)
    s = problem.structure
    rng = np.random.default_rng(0)
    rows, columns = 10 ** rng.uniform(-3, 3, 15), 10 ** rng.uniform(-3, 3, 30)
    other = linear_program(
        s.c * columns,
        s.A.multiply(rows[:, None]).multiply(columns).tocsr(),
        s.row_lower * rows,
        s.row_upper * rows,
        s.lower / columns,
        s.upper / columns,
        s.constant,
    )
    found = solved(other, tol=1e-7)
    assert found.fun == pytest.approx(least_value(problem), rel=1e-4)


def test_infeasible_programs_come_with_a_ray():
    problem = linear_program([1.0, 1], [[1.0, 1], [1, 1]], [2.0, -np.inf], [np.inf, 1.0])
    found = solved(problem)
    assert found.termination is Termination.INFEASIBLE
    assert found.status == 4, found.message  # the certificate checked the proof
    y = found.point["infeasibility_ray"]
    # -y'A x >= sum of sides that y presses on: 2 <= x1 + x2 <= 1 by the difference of the rows
    assert y[0] < 0 < y[1]
    assert y[0] == pytest.approx(-y[1])
    assert infeasible(problem.structure, y, problem.structure.A.T @ y, 1e-5)


def test_unbounded_programs_come_with_a_ray():
    problem = linear_program([-1.0, -1, 1], [[1.0, -1, 0], [0, 0, 1]], [-1.0, 0], [1.0, 3])
    found = solved(problem)
    assert found.termination is Termination.UNBOUNDED
    assert found.status == 4, found.message
    ray = found.point["unboundedness_ray"]
    assert unbounded(problem.structure, ray, problem.structure.A @ ray)
    assert problem.structure.c @ ray < 0


@pytest.mark.parametrize("seed", range(4))
def test_programs_made_infeasible_or_unbounded(seed):
    s = random_program(25, 12, 20 + seed).structure
    row = s.A[[0]].toarray()[0] + s.A[[1]].toarray()[0]
    upper = np.minimum(s.upper, 5.0)
    lower = np.maximum(s.lower, -5.0)
    most = np.maximum(row * upper, row * lower).sum()
    beyond = linear_program(
        s.c,
        np.vstack([s.A.toarray(), row]),
        np.append(s.row_lower, most + 1),
        np.append(s.row_upper, np.inf),
        lower,
        upper,
    )
    found = solved(beyond)
    assert (found.termination, found.status) == (Termination.INFEASIBLE, 4), found.message
    free = np.hstack([s.A.toarray(), np.zeros((12, 1))])
    endless = linear_program(
        np.append(s.c, -1.0), free, s.row_lower, s.row_upper, np.append(s.lower, 0), np.append(s.upper, np.inf)
    )
    found = solved(endless)
    assert (found.termination, found.status) == (Termination.UNBOUNDED, 4), found.message


def test_rays_that_prove_nothing():
    s = program().structure
    rng = np.random.default_rng(0)
    for _ in range(200):
        y, x = rng.standard_normal(3), rng.standard_normal(3)
        assert not infeasible(s, y, s.A.T @ y)
        assert not unbounded(s, x, s.A @ x)
    assert not infeasible(s, np.zeros(3), np.zeros(3))
    assert not unbounded(s, np.zeros(3), np.zeros(3))


@pytest.mark.parametrize("seed", [4, 5, 13, 27])
def test_a_player_that_has_arrived_does_not_drive_the_weight_on(seed):
    """min max(A x - b) + ||x||_1 + ||x||_inf / 10 as a linear program: x = 0 or nearly, and y is there first."""
    rng, n, m = np.random.default_rng(seed), 6, 12
    A, b, one = rng.standard_normal((m, n)), rng.standard_normal(m), np.eye(n)
    rows = np.block(
        [
            [A, np.zeros((m, n)), -np.ones((m, 1)), np.zeros((m, 1))],
            [one, -one, np.zeros((n, 2))],
            [-one, -one, np.zeros((n, 2))],
            [np.zeros((n, n)), one, np.zeros((n, 1)), -np.ones((n, 1))],
        ]
    )
    costs, upper = np.concatenate([np.zeros(n), np.ones(n), [1, 0.1]]), np.concatenate([b, np.zeros(3 * n)])
    problem = linear_program(costs, rows, -np.inf, upper, -np.inf, np.inf)
    found = sk.solve(problem, "halpern", tol=1e-9, max_iter=150)
    assert found.point_status is PointStatus.CERTIFIED
