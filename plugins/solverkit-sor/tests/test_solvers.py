"""Every arm on the same systems: solved where it says so, the same work each time, and one sentence for bad input."""

from __future__ import annotations

import sys
from typing import ClassVar

import numpy as np
import pytest
from scipy.sparse import csc_array, csr_array, diags_array, eye_array, random_array

from solverkit.errors import MissingPackage, UsageError
from solverkit_sor.gap import Gap
from solverkit_sor.generators.grid import laplacian
from solverkit_sor.solvers.base import Arm, Matrices, Outcome, Run, Start
from solverkit_sor.solvers.catalogue import ARMS, TUNED, make_arm
from solverkit_sor.solvers.lag import Lag

GRID = (12, 15)
SYMMETRIC = csr_array(
    diags_array([-1.0, -1.0, 4.5, -1.0, -1.0], offsets=[-15, -1, 0, 1, 15], shape=(180, 180)).multiply(
        1 - np.fromfunction(lambda i, j: (abs(i - j) == 1) & (np.maximum(i, j) % 15 == 0), (180, 180))
    )
)
SKEWED = csr_array(SYMMETRIC + diags_array([0.6], offsets=[1], shape=(180, 180)) + 0.3 * eye_array(180))
FOR_ANY = ("sor", "ilu", "direct", "gmres")


def arm(name: str, **keywords: object):
    return make_arm(name, grid=GRID, **keywords)


@pytest.mark.parametrize("name", ARMS)
@pytest.mark.parametrize("warm", [False, True])
def test_solved_means_that_the_residual_is_small(name: str, warm: bool) -> None:
    rng = np.random.default_rng(0)
    b = rng.standard_normal(180)
    x0 = rng.standard_normal(180) if warm else None
    kept = None if x0 is None else x0.copy()
    solver = arm(name)
    for rtol in (1e-3, 1e-8):
        solved = solver.solve(SYMMETRIC, b, x0, rtol)
        assert solved.converged
        assert solved.outcome is Outcome.CONVERGED
        true = np.linalg.norm(b - SYMMETRIC @ solved.x)
        assert solved.residual == pytest.approx(true, rel=1e-6, abs=1e-13)
        assert true <= rtol * (1 + 1e-6) * np.linalg.norm(b)
        assert solved.work > 0
    assert x0 is None or np.array_equal(x0, kept)
    again = arm(name).solve(SYMMETRIC, b, x0, 1e-8)
    first = arm(name).solve(SYMMETRIC, b, x0, 1e-8)
    assert (again.work, again.iterations) == (first.work, first.iterations)
    assert np.array_equal(again.x, first.x)


@pytest.mark.parametrize("name", ["sor", "ssor-cg", "grid-sor", "cg"])
def test_relative_to_the_start(name: str) -> None:
    rng = np.random.default_rng(1)
    b, near = rng.standard_normal(180), None
    exact = arm("direct").solve(SYMMETRIC, b).x
    near = exact + 1e-6 * rng.standard_normal(180)
    start = float(np.linalg.norm(b - SYMMETRIC @ near))
    solved = arm(name, relative="start").solve(SYMMETRIC, b, near, 1e-4)
    assert solved.residual <= 1e-4 * (1 + 1e-6) * start
    assert arm(name, relative="rhs").solve(SYMMETRIC, b, near, 1e-4).iterations == 0


@pytest.mark.parametrize("name", ARMS)
def test_a_cap_is_kept_and_said(name: str) -> None:
    if name == "direct":
        pytest.skip("one solve is all it makes")
    b = np.random.default_rng(2).standard_normal(180)
    solved = arm(name).solve(SYMMETRIC, b, cap=2)
    assert not solved.converged
    assert solved.outcome is Outcome.CAPPED
    assert solved.iterations <= 2
    assert solved.residual == pytest.approx(np.linalg.norm(b - SYMMETRIC @ solved.x), rel=1e-9)


@pytest.mark.parametrize("name", FOR_ANY)
def test_matrices_that_are_not_symmetric(name: str) -> None:
    b = np.random.default_rng(3).standard_normal(180)
    solved = arm(name).solve(SKEWED, b)
    assert solved.converged
    assert np.linalg.norm(b - SKEWED @ solved.x) <= 1.001e-8 * np.linalg.norm(b)


@pytest.mark.parametrize("name", ["ssor-cg", "amg"])
def test_symmetry_is_demanded(name: str) -> None:
    with pytest.raises(UsageError, match="not symmetric"):
        arm(name).solve(SKEWED, np.ones(180))
    with pytest.raises(UsageError, match="negative diagonal"):
        arm(name).solve(csr_array(-SYMMETRIC), np.ones(180))


@pytest.mark.parametrize("name", ARMS)
@pytest.mark.parametrize(
    ("A", "b", "message"),
    [
        (SYMMETRIC, np.ones(3), "the matrix has 180 rows"),
        (csr_array(np.ones((180, 2))), np.ones(180), "needs a square one"),
        (SYMMETRIC, np.full(180, np.nan), "NaN"),
        (csr_array(SYMMETRIC * np.nan), np.ones(180), "NaN|nan|finite"),
        (SYMMETRIC * 1j, np.ones(180), "complex"),
    ],
)
def test_bad_input_is_one_sentence(name: str, A: csr_array, b: np.ndarray, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        arm(name).solve(A, b)


@pytest.mark.parametrize("name", ["sor", "ssor-cg", "grid-sor", "amg"])
def test_a_zero_on_the_diagonal(name: str) -> None:
    A = SYMMETRIC.copy()
    A[7, 7] = 0.0
    with pytest.raises(UsageError, match="diagonal"):
        arm(name).solve(A, np.ones(180))
    assert arm("direct").solve(A, np.ones(180)).converged


def test_parameters_are_checked() -> None:
    b = np.ones(180)
    with pytest.raises(UsageError, match="no parameter 'omega' \\(it has: w\\)"):
        arm("sor").solve(SYMMETRIC, b, parameters={"omega": 1.2})
    with pytest.raises(UsageError, match="NaN"):
        arm("sor").solve(SYMMETRIC, b, parameters={"w": float("nan")})
    with pytest.raises(UsageError, match="no solver 'jor'"):
        make_arm("jor")
    # w is held within [0.5, 1.99]: 2 would never converge.
    assert arm("sor").solve(SYMMETRIC, b, parameters={"w": 5.0}, cap=20_000).converged


def test_a_singular_matrix_is_said_to_be_one() -> None:
    A = csr_array(np.array([[1.0, 2.0], [2.0, 4.0]]))
    for name in ("direct", "cg", "ssor-cg"):
        solved = make_arm(name).solve(A, np.array([1.0, -1.0]), cap=50)
        assert not solved.converged
        assert solved.outcome in (Outcome.BROKEN, Outcome.DIVERGED, Outcome.CAPPED)


def test_indefinite_matrices_never_pass_for_solved() -> None:
    rng = np.random.default_rng(5)
    B = random_array((60, 60), density=0.1, rng=rng)
    A = csr_array(B + B.T + eye_array(60))
    b = rng.standard_normal(60)
    for name in ("cg", "ssor-cg", "sor"):
        solved = make_arm(name).solve(A, b, cap=500)
        assert solved.converged == (np.linalg.norm(b - A @ solved.x) <= 1.0001e-8 * np.linalg.norm(b))


def test_other_formats_and_values_changed_in_place() -> None:
    b = np.random.default_rng(6).standard_normal(180)
    solver, A = arm("ssor-cg"), SYMMETRIC.copy()
    first = solver.solve(A, b).x
    assert solver.solve(csc_array(A), b).x == pytest.approx(first, rel=1e-9)
    assert solver.solve(A.toarray(), b).x == pytest.approx(first, rel=1e-9)
    assert solver.solve(A.astype(np.float32), b).x == pytest.approx(first, rel=1e-5)
    A.data[:] *= 2.0
    assert solver.solve(A, b).x == pytest.approx(first / 2, rel=1e-6)


class Liar(Arm):
    """Says that it converged, whatever it returns."""

    name = "liar"
    defaults: ClassVar[dict] = {}

    def run(self, begin: Start, cap: int, parameters: object) -> Run:
        return Run(np.zeros(180), 3, Outcome.CONVERGED, 1.0)

    def work(self, n: int, nnz: int, iterations: int) -> float:
        return 1.0


def test_an_arm_is_not_taken_at_its_word() -> None:
    b = np.ones(180)
    assert Liar().solve(SYMMETRIC, b).outcome is Outcome.BROKEN
    assert Liar().solve(SYMMETRIC, b, cap=3).outcome is Outcome.CAPPED
    assert Liar().solve(SYMMETRIC, np.zeros(180)).converged


def test_matrices_are_split_once() -> None:
    matrices, A = Matrices(), SYMMETRIC.copy()
    split = matrices.split(A)
    assert matrices.split(A.copy()) is split
    A.data[0] += 1.0
    assert matrices.split(A) is not split


@pytest.mark.parametrize("name", ["amg", "ilu", "direct"])
def test_a_stale_preconditioner_is_kept_until_it_is_due(name: str) -> None:
    """A that moves slowly: few builds under the lazy rule, and every answer right."""
    b = np.random.default_rng(7).standard_normal(180)
    lazy, builds, works = arm(name), 0, 0.0
    for t in range(12):
        A = csr_array(SYMMETRIC + 0.02 * t * eye_array(180))
        before = getattr(lazy, "built", None)
        solved = lazy.solve(A, b, parameters={"refresh": "lazy"})
        assert solved.converged
        builds += lazy.built is not before
        works += solved.work
    assert 1 <= builds < 12
    eager = arm(name)
    each = {"refresh": "changed" if name == "direct" else "always"}
    total = sum(
        eager.solve(csr_array(SYMMETRIC + 0.02 * t * eye_array(180)), b, parameters=each).work for t in range(12)
    )
    assert works < total


def test_the_rule_of_the_lag() -> None:
    lag = Lag()
    assert lag.due
    lag.built(100.0)
    lag.solved(10.0)
    assert not lag.due  # 10 <= 110
    lag.solved(60.0)
    assert not lag.due  # 60 <= 170 / 2
    lag.solved(90.0)
    assert lag.due  # 90 > 260 / 3


def test_direct_factors_a_matrix_once() -> None:
    solver = arm("direct")
    b = np.ones(180)
    first, second = solver.solve(SYMMETRIC, b), solver.solve(SYMMETRIC.copy(), 2 * b)
    assert second.work < 0.2 * first.work
    assert second.x == pytest.approx(2 * first.x, rel=1e-10)


def test_ritz_values_and_the_gap() -> None:
    for alpha in (1.0, 40.0):
        A = csr_array(eye_array(400) + alpha * laplacian(20))
        exact = 1 - (4 * alpha / (1 + 4 * alpha)) * np.cos(np.pi / 21)
        solved = make_arm("cg").solve(A, np.random.default_rng(8).standard_normal(400))
        assert solved.ritz == pytest.approx(exact, rel=5e-3)
        assert exact * 0.9999 <= Gap().of(A) <= 1.02 * exact
    gap = Gap()
    gap.of(csr_array(eye_array(400) + laplacian(20)))
    spent = gap.iterations
    # The eigenvectors are shared, so that a product is all that the next matrix costs.
    assert exact * 0.9999 <= gap.of(A) <= 1.2 * exact
    assert gap.iterations == spent


@pytest.mark.parametrize("name", TUNED)
def test_work_grows_with_iterations(name: str) -> None:
    solver = arm(name)
    assert solver.work(100, 480, 20) > solver.work(100, 480, 10) > 0


def test_multigrid_without_pyamg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyamg", None)
    with pytest.raises(MissingPackage, match="pip install pyamg"):
        arm("amg").solve(SYMMETRIC, np.ones(180))


def test_numpys_global_generator_is_left_alone() -> None:
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.rand()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    arm("amg").solve(SYMMETRIC, np.ones(180), parameters={"kind": "sa"})
    assert np.random.rand() == expected  # noqa: NPY002
