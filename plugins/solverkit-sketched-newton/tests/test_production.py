"""Whole runs: the 41 equality problems, inequalities, and every way in which a run can end."""

from __future__ import annotations

import numpy as np
import pytest
from nonlinear_cases import INEQUALITIES, TABLE, run, shipped, small, solve

import solverkit as sk
from solverkit.kinds.nonlinear.build import nonlinear
from solverkit.kinds.nonlinear.problem import BOUND_MULTIPLIERS, MULTIPLIERS
from solverkit.plugin import PointStatus, Termination

SEVERAL_MINIMA = {"bt4", "bt7", "hs61"}


@pytest.fixture(scope="module")
def reports():
    """The reports of all runs on the table, by name."""
    return {name: run(shipped(name), 100)[1] for name in TABLE}


def test_the_table_is_solved(reports):
    """41 of 41 to a scaled KKT error of 1e-8, in a median of at most IPOPT's 9 iterations."""
    assert all(found[-1]["merit"] <= 1e-8 for found in reports.values())
    assert np.median([len(found) - 1 for found in reports.values()]) <= 9


def test_expected_objectives(reports):
    """The known minima, except where a problem has several."""
    for name in set(TABLE) - SEVERAL_MINIMA:
        expect = shipped(name).expect
        size = max(1.0, abs(expect["objective"]))
        assert reports[name][-1]["objective"] == pytest.approx(expect["objective"], abs=1e-5 * size), name


def test_the_local_rate_is_superlinear(reports):
    """The last ratio of KKT errors is below a tenth on at least 35 of the problems that take more than two steps."""
    errors = {name: [one["merit"] for one in found] for name, found in reports.items()}
    fast = sum(values[-1] <= 0.1 * values[-2] for values in errors.values())
    assert fast >= 35


@pytest.mark.parametrize("name", ["bt3", "hs7", "hs40", "hs61", "hs78", "byrdsphr", "mwright"])
def test_equality_answers_are_certified(name):
    assert solve(shipped(name)).point_status is PointStatus.CERTIFIED


@pytest.mark.parametrize("name", INEQUALITIES)
def test_inequalities_are_certified(name):
    problem = shipped(name)
    result = solve(problem)
    assert result.point_status is PointStatus.CERTIFIED
    expected = problem.expect["objective"]
    assert result.fun == pytest.approx(expected, abs=1e-5 * max(1.0, abs(expected)))


def test_multipliers_have_the_signs_of_the_kind():
    """y >= 0 at an upper bound, <= 0 at a lower one, z likewise; a fixed variable and scaled rows included."""
    problem = nonlinear(
        {"x": {"shape": 3, "start": [1, 1, 2], "lower": [-1e30, 3, 2], "upper": [1e30, 9, 2]}},
        "(x[0] - 5)**2 + x[1]**2 + x[2]*x[0]",
        {"up": "1000*x[0] <= 2000", "low": "x[0] + x[1] >= -10"},
    )
    result = solve(problem)
    # x = (2, 3, 2): grad f = (-4, 6, 2), so 1000 y_0 = 4, y_1 = 0, z_1 = -6
    np.testing.assert_allclose(result.x, [2, 3, 2], atol=1e-7)
    np.testing.assert_allclose(result.point[MULTIPLIERS], [0.004, 0], atol=1e-7)
    np.testing.assert_allclose(result.point[BOUND_MULTIPLIERS], [0, -6, -2], atol=1e-6)
    assert result.certificate.facts["multipliers"] == "the point's"
    assert result.point_status is PointStatus.CERTIFIED


def test_known_multipliers_of_an_equality():
    """min x + y on the unit circle: y = 1/sqrt(2)."""
    result = solve(small(2, "sum(x)", [-1, 0.5], circle="normsq(x) == 1"))
    assert result.point[MULTIPLIERS][0] == pytest.approx(np.sqrt(0.5), abs=1e-8)


# -- the ends of a run


def test_infeasible_problems_end_with_evidence():
    """Affine rows: proven. Curved rows: a local minimum of the violation, and the message says where."""
    result = solve(small(2, "normsq(x)", a="sum(x) >= 3", b="sum(x) <= 1"))
    assert (result.termination, result.status) == (Termination.INFEASIBLE, 4)
    result = solve(small(2, "x[0]", [1, 2], disc="normsq(x) + 1 <= 0"))
    assert (result.termination, result.success) == (Termination.INFEASIBLE, False)
    assert "disc" in result.message
    np.testing.assert_allclose(result.x, 0, atol=1e-3)
    result = solve(shipped("infeasible-circles"))
    assert result.termination is Termination.INFEASIBLE


def test_unbounded_problems_end_with_a_ray():
    for problem in (
        small(2, "x[0] - x[1]", [1, 2]),
        small(2, "x[1] - x[0]**2", [1, 2], lower=0, a="x[0] - x[1] == 1"),
        shipped("unbounded-line"),
    ):
        result = solve(problem)
        assert (result.termination, result.status) == (Termination.UNBOUNDED, 4)


def test_saddle_points_are_left():
    """Both start at a KKT point that is no minimizer."""
    result = solve(small(2, "-x[0]*x[1]", disc="normsq(x) <= 1"))
    assert result.fun == pytest.approx(-0.5, abs=1e-7)
    result = solve(small(3, "x[0]**2 - x[1]**2 + x[1]**4 + x[2]", plane="x[2] + x[0] == 0"))
    assert result.point_status is PointStatus.CERTIFIED
    assert result.fun == pytest.approx(-0.5, abs=1e-6)


def test_a_minimizer_whose_hessian_is_singular_is_no_saddle():
    """An LP vertex and a quartic need shifts, and are claimed all the same."""
    result = solve(small(2, "(x[0] - x[1])**4 + x[0] + x[1]", 3.0, lower=0), tol=1e-6)
    assert result.termination is Termination.CONVERGED
    result = solve(small(2, "-3*x[0] - 5*x[1]", 1.0, lower=0, a="x[0] <= 4", b="3*x[0] + 2*x[1] <= 18", c="x[1] <= 6"))
    assert result.fun == pytest.approx(-36, abs=1e-6)
    assert result.success


def test_points_where_f_is_not_defined_are_stepped_around():
    """log and 1/x: trial points outside give NaN or Inf, and steps shrink."""
    result = solve(small(2, "10*x[0] - log(x[0]) + 1/x[1] + 0.01*x[1]", [5.0, 0.5]))
    np.testing.assert_allclose(result.x, [0.1, 10], rtol=1e-5)


def test_a_start_where_f_is_not_finite_is_named():
    result = solve(small(1, "log(x[0])", -1.0))
    assert result.termination is Termination.NOT_FINITE
    assert "value" in result.message


# -- degenerate problems


def test_nothing_to_do():
    """No objective, no rows, all variables fixed, a start that is the answer."""
    assert solve(small(1, "0")).success
    assert solve(small(1, "(x[0] - 2)**2")).success
    fixed = nonlinear({"x": {"shape": 2, "start": 1, "lower": 1, "upper": 1}}, "normsq(x)", {"a": "sum(x) == 2"})
    result = solve(fixed)
    assert result.success
    np.testing.assert_array_equal(result.x, [1, 1])
    broken = nonlinear({"x": {"shape": 2, "start": 1, "lower": 1, "upper": 1}}, "normsq(x)", {"a": "sum(x) == 3"})
    assert solve(broken).termination is Termination.INFEASIBLE


def test_systems_of_equations():
    """Square, overdetermined but consistent, and underdetermined ones."""
    square = solve(small(2, "0", [0.1, 2], a="normsq(x) == 4", b="x[0]*x[1] == 1"))
    assert square.success
    over = solve(small(2, "0", [0.1, 2], a="sum(x) == 3", b="x[0]*x[1] == 2", c="x[0] - x[1] == 1"))
    np.testing.assert_allclose(over.x, [2, 1], atol=1e-7)
    under = solve(small(3, "0", 1.0, a="x[0]*x[1] == 3"))
    assert under.x[0] * under.x[1] == pytest.approx(3)


def test_dependent_rows():
    """The same row three times."""
    result = solve(
        small(
            3, "sum((x - 1)**4) + x[0]", [1, 2, 3], a="x[0] + x[1] == 3", b="x[0] + x[1] == 3", c="2*x[0] + 2*x[1] == 6"
        )
    )
    assert result.success
    single = solve(small(3, "sum((x - 1)**4) + x[0]", [1, 2, 3], a="x[0] + x[1] == 3"))
    assert result.fun == pytest.approx(single.fun, abs=1e-8)


def test_two_inequalities_that_make_an_equality():
    result = solve(
        small(3, "normsq(x - 1)", [1, 2, 3], a="x[0] + x[1] <= 3", b="x[0] + x[1] >= 3", c="x[2] >= 2"), tol=1e-6
    )
    np.testing.assert_allclose(result.x, [1.5, 1.5, 2], atol=1e-6)
    assert result.success


def test_minimizers_without_multipliers_end():
    """hs13 and a complementarity constraint: any true status will do, a hang or a false certificate will not."""
    for name in ("hs13", "complementarity"):
        result = solve(shipped(name), max_iter=1000)
        assert result.termination is not Termination.MAX_ITER
        if result.success:
            assert result.fun == pytest.approx(1.0, abs=1e-2)


# -- inner solvers and options


@pytest.mark.parametrize("name", ["hs71", "hs113", "orthrdm2"])
def test_sparse_and_dense_agree(name):
    dense, sparse = (solve(shipped(name), inner=inner) for inner in ("dense", "sparse"))
    assert dense.success
    assert sparse.success
    assert abs(dense.nit - sparse.nit) <= 2
    np.testing.assert_allclose(dense.x, sparse.x, atol=1e-5)


def test_one_evaluation_of_each_oracle_a_point():
    """A quadratic under affine rows takes one step: two points, one Jacobian; curved rows are asked again."""
    result = solve(shipped("hs51"))
    assert result.nit == 1
    assert result.counts == {"nfev": 2, "njev": 3, "ncev": 2, "nhev": 1, "nhvp": 0}
    result = solve(shipped("hs40"))
    assert result.counts == {"nfev": 4, "njev": 8, "ncev": 4, "nhev": 3, "nhvp": 0}


def test_units_do_not_matter_much():
    """f times 1e4 and rows times 1e-3 and 1e3."""
    result = solve(shipped("hs42-units"))
    assert result.success


def test_multipliers_of_the_start_are_used():
    """From the solution with its multipliers there is nothing left to do."""
    problem = shipped("hs78")
    first = solve(problem)
    again = sk.solve(problem, method="sketched-newton", tol=1e-8, start=first.point)
    assert again.nit == 0
    assert again.success


def test_many_bounds_at_once_leave_their_row_whole():
    """Bounds are widened for the steps; what the answer gives back by moving into them is seen by sum(x) == 1."""
    rng = np.random.default_rng(0)
    problem = nonlinear(
        variables={"x": {"shape": 200, "lower": 0, "start": 1}},
        minimize="-sum(log(a + x))",
        subject_to={"power": "sum(x) == 1"},
        data={"a": rng.uniform(0.1, 2, 200)},
    )
    result = sk.solve(problem, "sketched-newton")
    assert result.success, result
    assert (result.point["x"] < 1e-6).sum() > 150
    assert result.certificate["feasibility"].value < 1e-8
