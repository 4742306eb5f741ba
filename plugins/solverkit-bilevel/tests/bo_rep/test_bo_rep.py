"""BO-REP as a method: the published iteration to the letter, what production adds, resumption, refusals."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypergradient_cases import context, curved, sampled, tail
from pydantic import ValidationError

import solverkit as sk
from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit.engine.tree import Writer
from solverkit.errors import Unsuitable
from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel.build import bilevel
from solverkit.operators.sampling import Sampler
from solverkit_bilevel.bo_rep.method import BORep
from solverkit_bilevel.bo_rep.options import BORepOptions

METHOD = "bo-rep"


def started(problem, ctx=None, **options):
    """A solver and its first state."""
    solver, ctx = BORep(BORepOptions(**options)), ctx or context()
    return solver, solver.init(problem, problem.start(ctx.rng), ctx), ctx


def in_ball(y, center, radius):
    """The projection, written once more."""
    length = np.linalg.norm(y - center)
    return y if length <= radius else center + (y - center) * radius / length


@pytest.mark.parametrize("radius", [0.02, 10.0])
def test_paper_mode_is_the_published_algorithm(radius):
    """Refinement, ball, averages, period, one product for z and m, normalized momentum: a transcription."""
    problem, epochs, first, a, V = sampled(), 3, 4, 0.05, 0.7
    eta, gamma, nu, beta, interval, inner, batch, steps = 0.03, 0.04, 0.1, 0.8, 3, 4, 8, 20
    solver, state, ctx = started(
        problem, mode="paper", eta=eta, gamma=gamma, nu=nu, beta=beta, interval=interval, lower_steps=inner,
        radius=radius, epochs=epochs, epoch_steps=first, epoch_step=a, epoch_radius=V, batch=batch, block=steps,
    )  # fmt: skip
    rng, n = copy.deepcopy(ctx.rng), problem.n
    for _ in range(epochs + 1):
        state = solver.step(problem, state, ctx)

    x, y = np.split(problem.flat(problem.start(rng)), [n])
    xi, zeta, second = (Sampler(60, batch) for _ in range(3))

    def lower(y):
        return problem.lower_batch_gradient(np.concatenate([x, y]), zeta.draw(rng))[n:]

    for s in range(epochs):
        center, total = y, 0
        for _ in range(first * 2**s):
            y = in_ball(y - a / 2**s * lower(y), center, V / np.sqrt(2) ** s)
            total = total + y
        y = total / (first * 2**s)
    z, m = np.zeros(problem.m), np.zeros(n)
    for t in range(steps):
        at = np.concatenate([x, y])
        if t > 0 and t % interval == 0:
            center, total = y, 0
            for _ in range(inner):
                y = in_ball(y - gamma * lower(y), center, radius)
                total = total + y
            y = total / inner
        slope, samples = problem.upper_batch_gradient(at, xi.draw(rng)), second.draw(rng)
        H = np.array([problem.lower_batch_hvp(at, e, samples) for e in np.eye(n + problem.m)])
        m = beta * m + (1 - beta) * (slope[:n] - H[:n, n:] @ z)
        z = z - nu * (H[n:, n:] @ z - slope[n:])
        x = problem.upper_set.project(x - eta * m / (np.linalg.norm(m) + 1e-10))
    np.testing.assert_allclose(state.z, np.concatenate([x, y]), atol=1e-10)
    np.testing.assert_allclose(state.loop.z, z, atol=1e-10)
    np.testing.assert_allclose(state.loop.m, m, atol=1e-10)


def test_each_oracle_draws_its_own_batches_and_pays_what_the_paper_says():
    problem, steps, inner = sampled(), 40, 3
    result = sk.solve(
        problem, method=METHOD, max_iter=2,
        options={"mode": "paper", "refine": False, "lower_steps": inner, "batch": 5, "block": steps // 2, "nu": 0.1},
    )  # fmt: skip
    calls = result.oracles
    assert calls["upper_batch_gradient"] == steps
    assert calls["lower_batch_hvp"] == steps + calls_of_the_first_radius(problem)
    assert calls["lower_batch_gradient"] == inner * (steps // 2 - 1) + 1
    solver, state, ctx = started(problem, mode="paper", batch=5, nu=0.1)
    state = solver.step(problem, state, ctx)
    batches = state.loop.batches
    assert len({id(batches.upper), id(batches.lower), id(batches.second)}) == 3


def calls_of_the_first_radius(problem):
    """Products before the first step."""
    options = {"mode": "paper", "nu": 0.1, "batch": 5, "refine": False}
    return sk.solve(problem, method=METHOD, max_iter=0, options=options).oracles["lower_batch_hvp"]


def test_normalized_steps_converge_where_plain_ones_of_the_same_size_diverge():
    """F = exp(a'x) + exp(-a'x) + ...: both take steps of length eta at the start, where the gradient is large."""
    case = tail(4, 5, start=2.0)
    exact = sk.solve(case.problem, method="implicit-gradient").fun
    first = float(np.linalg.norm(case.gradient(np.full(4, 2.0))))
    options = {"handover": 0, "decay": 20.0, "block": 50}
    normalized = sk.solve(case.problem, method=METHOD, max_iter=45, options={**options, "eta": 0.1})
    assert normalized.fun == pytest.approx(exact, rel=0.05)
    plain = {"normalize": False, "mode": "paper", "nu": 0.03, "gamma": 0.03, "block": 50}
    for size in (0.1, 0.01):  # the same size where |m| is 1; a tenth of it
        thrown = sk.solve(case.problem, method=METHOD, max_iter=45, options={**plain, "eta": size})
        assert thrown.termination is Termination.NOT_FINITE
    creeping = sk.solve(case.problem, method=METHOD, max_iter=45, options={**plain, "eta": 0.1 / first})
    assert creeping.fun > normalized.fun + 0.1 * exact  # as long as the others at the start, and then no further


@pytest.mark.parametrize("make", [lambda: tail(4, 5).problem, curved, sampled])
def test_production_hands_over_and_ends_certified(make):
    problem = make()
    result = sk.solve(problem, method=METHOD, options={"handover": 100})
    assert result.point_status is PointStatus.CERTIFIED, result.certificate
    assert result.fun == pytest.approx(sk.solve(problem, method="implicit-gradient").fun, abs=1e-6)
    assert any("take over" in note for note in result.notes)


def test_nu_beyond_two_over_l_is_shrunk_or_refused():
    case, log = tail(4, 5, condition=30.0), []
    _, state, _ = started(case.problem, context(log=log), nu=0.07)
    assert state.loop.nu == pytest.approx(1 / 30, rel=0.05)
    assert "nu = 0.07 is not below 2/L = 0.06" in log[0]
    with pytest.raises(Unsuitable, match="z would diverge"):
        started(case.problem, mode="paper", nu=0.07)
    _, state, _ = started(case.problem, mode="paper", nu=0.06)
    assert state.loop.nu == 0.06


def growing():
    """L = 1 + exp(x): the leader walks from x = -3 to x = 4, where 2/L is a fiftieth of what it was."""
    return bilevel(
        upper={"variables": {"x": {"shape": 1, "start": -3.0}}, "minimize": "(x[0] - 4)**2 + sum((y - 1)**2)"},
        lower={"variables": {"y": {"shape": 3}}, "minimize": "0.5*(1 + exp(x[0]))*sum((y - 1)**2) + 0.1*sum(y)"},
    )


def test_nu_that_turns_too_large_is_seen_on_the_way():
    solver, state, ctx = started(growing(), mode="paper", nu=1.0, gamma=0.02, eta=0.05, refine=False)

    def walk():
        return [solver.step(growing(), state, ctx) for _ in range(30)]

    with pytest.raises(Stop, match="z diverges after"):
        walk()
    result = sk.solve(growing(), method=METHOD, options={"nu": 1.0, "gamma": 1.0})
    assert result.point_status is PointStatus.CERTIFIED


def test_steps_shrink_with_the_momentum_below_the_clip_and_not_above():
    case = tail(4, 5)
    for start, clip in ((2.0, 1e-6), (2.0, 1e6)):
        solver, state, ctx = started(case.problem, clip=clip, eta=0.1, decay=1e9, block=1, refine=False)
        state = solver.step(case.problem, state, ctx)
        size = float(np.linalg.norm(state.loop.m))
        moved = np.linalg.norm(state.z[:4] - start)
        assert moved == pytest.approx(0.1 if clip < size else 0.1 * size / clip)


def test_a_run_without_handover_ends_with_an_exact_lower_level():
    problem = sampled()
    result = sk.solve(problem, method=METHOD, max_iter=10, options={"handover": 0})
    z = problem.flat(result.point)
    assert np.linalg.norm(problem.lower_gradient(z)[problem.n :]) <= 1e-8
    assert result.certificate["lower_gap"].ok
    assert result.termination is Termination.MAX_ITER
    assert "projected hypergradient at the last x" in result.notes[-1]


def test_the_average_is_off_without_noise_and_on_with_it():
    for problem, expected in ((curved(), False), (sampled(), True)):
        solver, state, _ = started(problem)
        assert solver._average(state.loop) is expected
    solver, state, _ = started(curved(), mode="paper", nu=0.01)
    assert solver._average(state.loop)


@pytest.mark.parametrize("options", [{}, {"mode": "paper", "nu": 0.1}, {"handover": 10}, {"oracles": "full"}])
def test_a_restored_state_repeats_every_bit(options):
    problem = sampled()
    solver, state, ctx = started(problem, block=5, epochs=2, batch=7, **options)
    for _ in range(3):
        state = solver.step(problem, state, ctx)
    Writer().write(state)
    fresh, other, later = BORep(solver.options), copy.deepcopy(state), copy.deepcopy(ctx)
    for _ in range(4):
        state, other = solver.step(problem, state, ctx), fresh.step(problem, other, later)
    assert state.z.tobytes() == other.z.tobytes()
    assert solver.report(state) == fresh.report(other)


def test_bounds_of_x_are_kept_by_projection():
    problem = sampled()
    solver, state, ctx = started(problem, mode="paper", eta=1.0, nu=0.1, refine=False)
    for _ in range(5):
        state = solver.step(problem, state, ctx)
        assert problem.upper_set.violation(state.z[: problem.n]) == 0


def test_what_it_is_not_made_for_is_refused():
    constrained = bilevel(
        upper={"variables": {"x": {"shape": 1}}, "minimize": "(y[0] - 1)**2 + x[0]**2"},
        lower={"variables": {"y": {"shape": 1, "lower": 0}}, "minimize": "(y[0] - x[0])**2"},
    )
    with pytest.raises(Unsuitable, match="free lower level"):
        started(constrained)
    with pytest.raises(Unsuitable, match="mean over samples"):
        started(curved(), oracles="samples")


@pytest.mark.parametrize(
    ("options", "message"), [({"beta": 1.0}, "beta"), ({"interval": 0}, "interval"), ({"etta": 1}, "etta")]
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        BORepOptions(**options)
