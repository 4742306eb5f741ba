"""`bsvrb`: layout, estimators against a transcription, exact lower solutions, answers, cost a step, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from penalty_cases import context, hypergradient, identity, tasks
from scipy.optimize import minimize as reference

import solverkit as sk
from solverkit.errors import Unsuitable
from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel.build import bilevel
from solverkit_bilevel.blocks.exact import LARGE, read
from solverkit_bilevel.blocks.layout import Layout
from solverkit_bilevel.blocks.method import BSVRB
from solverkit_bilevel.blocks.options import BSVRBOptions
from solverkit_bilevel.blocks.sampled import conjugate_gradients, regular
from solverkit_bilevel.penalty.projected import Domain, Walk


def started(m=12, seed=0, problem=None, **options):
    problem = problem or tasks(m)[0]
    solver, ctx = BSVRB(BSVRBOptions(**options)), context(seed)
    return problem, solver, solver.init(problem, problem.start(ctx.rng), ctx), ctx


# -- blocks


def test_rows_of_several_lower_variables():
    """y of shape (m, 3) and b of shape (m,): row i of each."""
    problem = bilevel(
        upper={"variables": {"x": {"shape": 2}}, "minimize": "mean(b) + mean(y**2) + sum(x)", "samples": ["b", "y"]},
        lower={
            "variables": {"y": {"shape": [4, 3]}, "b": {"shape": 4}},
            "minimize": "3*mean(y**2) + mean((b - x[0])**2)",
            "samples": ["y", "b"],
        },
    )
    layout, z = Layout(problem), np.arange(18.0)
    found, blocks = z[layout.rows(np.array([2, 0]))], problem.blocks(z)
    assert layout.width == 4
    np.testing.assert_array_equal(found, np.column_stack([blocks["y"][[2, 0]], blocks["b"][[2, 0]]]))


def test_what_is_no_multi_block_problem_is_refused():
    with pytest.raises(Unsuitable, match="samples"):
        sk.solve(identity(3), method="bsvrb")


def test_side_by_side_conjugate_gradients():
    """Against dense solves; a row whose matrix has no curvature stays finite."""
    rng = np.random.default_rng(0)
    B = rng.standard_normal((5, 4, 4))
    H, right = B @ B.transpose(0, 2, 1) + np.eye(4), rng.standard_normal((5, 4))
    H[3] = 0
    found = conjugate_gradients(lambda d: np.einsum("bij,bj->bi", H, d), right, np.zeros((5, 4)), 4)
    for i in (0, 1, 2, 4):
        np.testing.assert_allclose(found[i], np.linalg.solve(H[i], right[i]), rtol=1e-9)
    assert np.isfinite(found).all()


def test_regular_leaves_positive_definite_matrices_alone():
    good = np.array([[[2.0, 1.0], [1.0, 3.0]]])
    assert regular(good) is good
    lifted = regular(np.array([[[1.0, 0.0], [0.0, -0.5]]]))
    np.testing.assert_allclose(lifted, [[[1.0, 0.0], [0.0, 0.5]]])


# -- the exact stage


@pytest.mark.parametrize("k", [3, LARGE + 1], ids=["inverses", "conjugate gradients"])
def test_exact_reading_against_closed_forms(k):
    problem, data = tasks(8, k=k)
    x = np.random.default_rng(3).uniform(-1, 1, problem.n)
    Y = Domain(problem.lower_set, problem.m)
    start = Walk(np.zeros(problem.m), np.nan, np.zeros(problem.m))
    found = read(problem, Layout(problem), Y, x, start, np.zeros(problem.m), 1e-11, 1e-11)
    value, gradient = hypergradient(x, data)
    assert found.upper == pytest.approx(value, rel=1e-10)
    np.testing.assert_allclose(found.gradient, gradient, atol=1e-8)


@pytest.mark.parametrize("options", [{}, {"sample": 3, "recursive": False, "variant": "v2"}], ids=str)
def test_the_answer_is_certified(options):
    problem, data = tasks(16)
    result = sk.solve(problem, method="bsvrb", options=options)
    assert result.point_status is PointStatus.CERTIFIED, str(result)
    best = reference(
        hypergradient, np.r_[0.0, 0, 0, -1, -1, -1], args=(data,), jac=True, bounds=[(None, None)] * 3 + [(-6, 6)] * 3
    )
    assert result.fun <= best.fun + 1e-8


def test_without_the_finish_x_comes_near():
    """Sampled steps alone: the hypergradient falls tenfold, and the run says that it was not asked for more."""
    problem, data = tasks(16)
    result = sk.solve(problem, method="bsvrb", options={"finish": False, "epochs": 40, "sample": 8})
    x = np.concatenate([result.point["c"], result.point["u"]])
    first = np.linalg.norm(hypergradient(np.r_[0.0, 0, 0, -1, -1, -1], data)[1])
    assert np.linalg.norm(hypergradient(x, data)[1]) < first / 3
    assert result.termination.name == "MAX_ITER"


# -- the sampled stage


def transcribed(problem, options, seed, count):
    """The paper's v2 with every array kept whole, block by block."""
    rng = context(seed).rng
    n, m = problem.n, problem.lower_samples
    k = problem.m // m
    rng.integers(m, size=1)  # the block that `init` looks at
    z = problem.flat(problem.start(rng))
    x, y, v = z[:n].copy(), z[n:].reshape(m, k).copy(), np.zeros((m, k))
    s, u, d, seen = np.zeros((m, k)), np.zeros((m, k)), None, np.zeros(m, dtype=bool)
    b, a, beta = options.sample, 0.1, 0.1
    gamma = (m - b) / (b * (1 - a)) + 1 - a
    old = None

    def look(x, y, v, i):
        z, one = np.concatenate([x, y.ravel()]), np.array([i])
        direction = np.concatenate([np.zeros(n), v.ravel()])
        F, f = problem.upper_batch_gradient(z, one), problem.lower_batch_gradient(z, one)
        H = problem.lower_batch_hvp(z, direction, one)
        row = slice(n + i * k, n + (i + 1) * k)
        return f[row], H[row] - F[row], F[:n] - H[:n]

    for _ in range(count):
        blocks = rng.choice(m, size=b, replace=False, shuffle=False)
        now = {i: look(x, y, v, i) for i in blocks}
        before = {i: look(*old, i) for i in blocks} if old else None
        G = np.mean([now[i][2] for i in blocks], axis=0)
        for i in blocks:
            if before and seen[i]:
                s[i] = (1 - a) * s[i] + a * now[i][0] + gamma * (now[i][0] - before[i][0])
                u[i] = (1 - a) * u[i] + a * now[i][1] + gamma * (now[i][1] - before[i][1])
            else:
                s[i], u[i] = now[i][0], now[i][1]
        d = G if d is None else G + (1 - beta) * (d - np.mean([before[i][2] for i in blocks], axis=0))
        old = (x.copy(), y.copy(), v.copy())
        x = problem.upper_set.project(x - options.eta * d)
        for i in blocks:
            y[i] -= options.tau * s[i]
            v[i] -= options.tau_v * u[i]
            seen[i] = True
    return np.concatenate([x, y.ravel()]), v


def test_paper_mode_is_the_paper():
    options = {"mode": "paper", "variant": "v2", "sample": 4, "eta": 0.02, "tau": 0.05, "tau_v": 0.05, "block": 25}
    problem, solver, state, ctx = started(m=12, seed=5, **options)
    state = solver.step(problem, state, ctx)
    z, v = transcribed(problem, BSVRBOptions(**options), 5, 25)
    np.testing.assert_allclose(state.z, z, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(state.v[problem.n :], v.ravel(), rtol=1e-9, atol=1e-12)


def test_the_two_variants_agree_where_conjugate_gradients_are_exact():
    """Blocks of 3 variables, 3 or more steps: v2's products and v1's inverses make the same iterates."""
    states = []
    for variant in ("v1", "v2"):
        problem, solver, state, ctx = started(variant=variant, sample=4, block=20)
        states.append(solver.step(problem, state, ctx))
    np.testing.assert_allclose(states[0].z, states[1].z, atol=1e-6)


@pytest.mark.parametrize("mode", ["production", "paper"])
def test_a_step_touches_the_drawn_rows_alone(mode):
    problem, solver, state, ctx = started(m=30, sample=3, mode=mode, block=1)
    for _ in range(3):
        before = state.z.copy()
        state = solver.step(problem, state, ctx)
        moved = np.flatnonzero(state.z[problem.n :] != before[problem.n :]) // 3
        assert len(set(moved)) <= 3
        differs = np.flatnonzero(state.z[problem.n :] != state.before[problem.n :]) // 3
        assert set(differs) <= set(state.changed)


def test_work_a_step_does_not_know_m():
    """Component evaluations of one paper step: gradients of both levels and a product, at two iterates, |I| blocks."""
    for m in (20, 60):
        problem = tasks(m)[0]
        options = {"mode": "paper", "variant": "v2", "sample": 5, "block": 2}
        ncomp = [
            sk.solve(problem, method="bsvrb", options=options, max_iter=count, tol=1e-2).counts["ncomp"]
            for count in (1, 2)
        ]
        assert ncomp[1] - ncomp[0] == 2 * 2 * 3 * 5


def test_hessian_vector_products_of_a_moving_average():
    """recursive: false asks for one product a step in v2 of the paper with a = 1."""
    problem = tasks(12)[0]
    options = {"mode": "paper", "variant": "v2", "sample": 5, "block": 4, "recursive": False, "a": 1.0}
    ncomp = [sk.solve(problem, method="bsvrb", options=options, max_iter=count).counts["ncomp"] for count in (1, 2)]
    assert ncomp[1] - ncomp[0] == 4 * 3 * 5


# -- sampled steps that are too long


def steep(seed, tasks=60, k=4):
    """Shared log weights: F(x, y*(x)) is flat at the start and exponential further on."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal(k) + 0.5 * rng.standard_normal((tasks, k))
    noise = 10.0 ** rng.uniform(-1, 0.5, tasks)[:, None]
    data = {
        "c": truth + noise * rng.standard_normal((tasks, k)),
        "target": truth,
        "precision": 10.0 ** rng.uniform(-2, 2, tasks),
    }
    return bilevel(
        upper={
            "variables": {"x": {"shape": k}, "u": {"shape": k}},
            "minimize": "mean(0.5*sum((y - target)**2, 1)) + 0.001*normsq(x) + 0.001*normsq(u)",
            "samples": ["y", "target"],
        },
        lower={
            "variables": {"y": {"shape": [tasks, k]}},
            "minimize": "mean(0.5*precision*sum((y - c)**2, 1) + 0.5*((y - u)**2 @ exp(x)))",
            "samples": ["y", "c", "precision"],
            "convex": True,
        },
        data=data,
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_steps_that_are_too_long_are_taken_back(seed):
    """They ended as NaN, or as an error of LAPACK."""
    result = sk.solve(steep(seed), method="bsvrb")
    assert result.point_status is PointStatus.CERTIFIED, result
    assert any("taken back" in note for note in result.notes)


def test_the_regular_part_of_what_is_not_finite_is_nan():
    assert np.isnan(regular(np.array([[[np.inf, 0.0], [0.0, 1.0]]]))).all()
