"""The method `sor-tuner`: solved sequences, the paper's totals, faults, resuming, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array, eye_array, random_array

import solverkit as sk
from solverkit.engine.solver import Context
from solverkit.engine.status import Termination
from solverkit.engine.tree import Reader, Writer
from solverkit.errors import Unsuitable, UsageError
from solverkit.kinds.base import PointStatus
from solverkit.kinds.linear_sequence import LinearSequence, linear_sequence
from solverkit_sor.bandit import Bandit
from solverkit_sor.generators.grid import laplacian
from solverkit_sor.generators.shifted import shifted_laplacian
from solverkit_sor.learners import Fixed
from solverkit_sor.method import SorTuner
from solverkit_sor.options import SorTunerOptions
from solverkit_sor.solvers.catalogue import make_arm


def shifted(T: int, seed: int = 0, rtol: float = 1e-8) -> LinearSequence:
    """The paper's first experiment, high variance, T systems of 100 unknowns."""
    data = shifted_laplacian(T=T, seed=seed)
    one = csr_array(eye_array(100))
    return linear_sequence(
        ((csr_array(data["A"] + c * one), b, {"shift": c}) for c, b in zip(data["shifts"], data["B"], strict=True)),
        rtol=rtol,
    )


def heat(T: int, m: int = 15, decades: float = 2.0) -> LinearSequence:
    """Implicit Euler steps whose size swings over some decades; b_t is the last solution and a source."""
    L, one = laplacian(m), csr_array(eye_array(m * m))
    steps = 10.0 ** (0.5 * decades * np.sin(np.arange(T)))
    return linear_sequence(
        lambda t, u: (csr_array(one + 20 * steps[t] * L), u + 1.0, {"step": float(steps[t])}),
        T=T,
        initial=np.zeros(m * m),
        symmetric=True,
        rtol=1e-8,
    )


def run(problem: LinearSequence, **options: object):
    return sk.solve(problem, method="sor-tuner", options=options, seed=1)


POLICIES = ["auto", "log-ts", "tsallis-inf", "tsallis-inf-rv", "binned", "chebcb", "closed-form", "fixed"]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("mode", ["paper", "production"])
def test_every_policy_solves_every_system(policy: str, mode: str) -> None:
    problem = shifted(40)
    result = run(problem, policy=policy, mode=mode)
    assert result.point_status is PointStatus.CERTIFIED
    assert result.termination is Termination.CONVERGED
    assert result.point["cost"].shape == result.point["arm"].shape == (40,)
    assert (result.point["cost"] > 0).all()
    if mode == "paper":
        assert result.point["cost"].sum() == result.counts["niter"]


@pytest.mark.parametrize("solver", ["auto", "sor", "ssor-cg", "cg", "amg", "ilu", "direct", "gmres"])
def test_every_solver_in_a_time_loop(solver: str) -> None:
    result = run(heat(12), solver=solver)
    assert result.point_status is PointStatus.CERTIFIED
    if solver in ("amg", "ilu", "direct"):
        assert result.counts["nsetup"] >= 1


def test_a_grid_is_swept_by_colours() -> None:
    L, b = laplacian(10), np.ones(100)
    systems = linear_sequence([(csr_array(L + c * eye_array(100)), b) for c in (0.5, 1.0, 2.0)], rtol=1e-8)
    with pytest.raises(Unsuitable, match="stencil"):
        run(systems, solver="grid-sor")
    gridded = LinearSequence("grid", systems.systems, systems.structure, 1e-8, grid=(10, 10))
    assert run(gridded, solver="grid-sor").point_status is PointStatus.CERTIFIED


def test_what_the_paper_shows_on_shifted_laplacians() -> None:
    """The order of the policies in the paper's first experiment, on its first 800 systems."""
    problem = shifted(800)
    total = {
        policy: run(problem, mode="paper", policy=policy).point["cost"].sum()
        for policy in ("tsallis-inf", "chebcb", "log-ts", "closed-form")
    }
    fixed = {w: run(problem, mode="paper", policy="fixed", value=w).point["cost"].sum() for w in (1.4, 1.8)}
    assert fixed[1.8] < fixed[1.4]
    assert total["chebcb"] < fixed[1.8]
    assert total["log-ts"] < fixed[1.8]
    assert total["closed-form"] < total["log-ts"]
    assert total["tsallis-inf"] < fixed[1.4]


def test_a_trial_that_fails_is_rescued_and_paid_for() -> None:
    """w = 1.99 on a nonsymmetric matrix, where SOR diverges: the safe solver finishes."""
    rng = np.random.default_rng(0)
    A = csr_array(random_array((80, 80), density=0.1, rng=rng) + diags_array(np.full(80, 1.5)))
    b = rng.standard_normal(80)
    sor, safe = make_arm("sor"), make_arm("direct")
    alone = sor.solve(A, b, parameters={"w": 1.99}, cap=10_000)
    assert not alone.converged
    bandit = Bandit(sor, ({"w": 1.99},), Fixed(1, 0), safe, 10_000, "work")
    done = bandit.solve(A, b, None, 1e-8, None, rng)
    assert done.converged
    assert "direct went on" in done.rescued
    assert done.cost == alone.work + make_arm("direct").solve(A, b).work
    assert np.linalg.norm(b - A @ done.x) <= 1.001e-8 * np.linalg.norm(b)


def test_the_rescue_goes_on_from_where_the_trial_stood() -> None:
    A = csr_array(laplacian(30) + 0.01 * eye_array(900))
    b = np.random.default_rng(1).standard_normal(900)
    safe = make_arm("cg")
    done = Bandit(make_arm("ssor-cg"), ({"w": 1.8},), Fixed(1, 0), safe, 12, "work").solve(A, b, None, 1e-8, None, None)
    assert done.converged
    assert done.rescued
    assert done.iterations - 12 < 0.9 * safe.solve(A, b).iterations


def test_drill_with_an_arm_that_diverges() -> None:
    """Nonsymmetric systems on which SOR diverges for most w: at most 1.2 times what the safe solver alone costs."""
    rng = np.random.default_rng(3)
    base = csr_array(random_array((200, 200), density=0.03, rng=rng) + diags_array(np.full(200, 1.5)))
    one = csr_array(eye_array(200))
    problem = linear_sequence(
        ((csr_array(base + c * one), rng.standard_normal(200), {"c": c}) for c in rng.random(150)), rtol=1e-8
    )
    diverging = [
        not make_arm("sor").solve(problem.system(0).matrix, np.ones(200), parameters={"w": w}).converged
        for w in np.linspace(1, 1.95, 12)
    ]
    assert sum(diverging) >= 6
    safe = run(problem, solver="direct")
    tuned = run(problem, solver="sor", safe="direct")
    free = run(problem, safe="direct")
    assert safe.point_status is tuned.point_status is free.point_status is PointStatus.CERTIFIED
    for result in (tuned, free):
        assert result.point["cost"].sum() <= 1.2 * safe.point["cost"].sum()


@pytest.mark.parametrize("options", [{}, {"solver": "ssor-cg"}, {"policy": "tsallis-inf"}, {"solver": "amg"}])
def test_a_state_that_was_saved_goes_on_as_it_would_have(options: dict) -> None:
    problem = heat(24, decades=0.4)
    quiet = {"tol": 1e-8, "device": "cpu", "dtype": "float64", "log": lambda message: None}

    def context() -> Context:
        return Context(rng=np.random.default_rng(5), charge=lambda counter, amount: None, **quiet)

    def go(method: SorTuner, state, steps: int, ctx: Context):
        for _ in range(steps):
            state = method.step(problem, state, ctx)
        return state

    make = lambda: SorTuner(SorTunerOptions(block=3, **options))  # noqa: E731
    ctx = context()
    method = make()
    whole = go(method, method.init(problem, {}, ctx), 8, ctx)
    ctx = context()
    method = make()
    half = go(method, method.init(problem, {}, ctx), 4, ctx)
    if options.get("solver") == "amg":  # a hierarchy from before the save is used after it, and not to the end
        assert half.kept["arm"]["t"] < 11 < whole.kept["arm"]["t"]
    writer = Writer()
    skeleton = writer.write(half)
    generator = ctx.rng.bit_generator.state
    arrays = {name: array.copy() for name, array in writer.arrays.items()}
    again = Reader(arrays, {"solverkit_sor", "solverkit"}).read(skeleton)
    ctx = context()
    ctx.rng.bit_generator.state = generator
    resumed = go(make(), again, 4, ctx)
    assert np.array_equal(resumed.arm, whole.arm)
    assert np.array_equal(resumed.cost, whole.cost)
    assert np.array_equal(resumed.x, whole.x)


def test_starts() -> None:
    problem = heat(30)
    totals = {
        start: run(problem, solver="cg", start=start).counts["niter"]
        for start in ("zero", "previous", "extrapolated", "auto")
    }
    assert totals["auto"] <= min(totals.values())


def test_what_nothing_solves_is_not_passed_off() -> None:
    singular = csr_array(np.array([[1.0, -1.0], [-1.0, 1.0]]))
    problem = linear_sequence([(singular, np.array([1.0, 1.0]))] * 3, rtol=1e-8)
    result = run(problem)
    assert result.point_status is PointStatus.INFEASIBLE
    assert result.termination is Termination.STALLED
    assert "not solved" in result.message


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"solver": "cg", "arms": [1.2]}, UsageError, "no number to tune"),
        ({"policy": "log-ts", "arms": [1.2, 1.2]}, UsageError, "twice"),
        ({"policy": "log-ts", "arms": [1.2, 2.5]}, UsageError, "between 0.5 and 1.99"),
        ({"policy": "binned", "context": "time"}, UsageError, "has no context 'time' \\(it has: shift\\)"),
        ({"policy": "chebcb", "low": 2.0, "high": 1.0}, UsageError, "not below"),
        ({"policy": "closed-form", "solver": "direct"}, UsageError, "has not"),
        ({"cost": "iterations"}, UsageError, "cost=work"),
    ],
)
def test_options_that_do_not_fit(options: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        run(shifted(5), **options)


def test_matrices_that_do_not_fit() -> None:
    A = csr_array(np.array([[2.0, 1.0], [0.0, 3.0]]))
    problem = linear_sequence([(A, np.ones(2))] * 4, rtol=1e-8)
    with pytest.raises(Unsuitable, match=r"needs symmetric matrices.*set solver to gmres or direct"):
        run(problem, solver="ssor-cg")
    assert run(problem).point_status is PointStatus.CERTIFIED
    with pytest.raises(UsageError, match="needs a context"):
        run(problem, policy="binned", solver="sor")
