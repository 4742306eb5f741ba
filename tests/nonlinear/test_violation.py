"""The slope of the violation, and whether it is a minimum of it, on rows whose gradients are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import linprog

from solverkit.kinds.nonlinear import evidence, nonlinear
from solverkit.kinds.nonlinear.certificate import certify
from solverkit.kinds.nonlinear.local import Local


def local(x, rows, f="x[0]", **box):
    x = np.asarray(x, float)
    return Local(nonlinear({"x": {"shape": len(x), **box}}, f, rows), x, 0)


def slope(*given, **box):
    return evidence._violation_slope(local(*given, **box))


class TestSlope:
    @pytest.fixture(params=[True, False], ids=["exactly", "many rows"])
    def small(self, request, monkeypatch):
        """Beyond MAX_LP rows and variables the weights are the violations themselves."""
        if not request.param:
            monkeypatch.setattr(evidence, "MAX_LP", 0)
        return request.param

    def test_of_a_single_row(self, small):
        """A gradient of any length has length one."""
        for factor in (1e-3, 1.0, 1e3):
            found, weights = slope([1, 1], {"a": f"{factor}*(3*x[0] + 4*x[1]) <= 0"})
            assert found == pytest.approx(1)
            assert weights > 0 if small else weights is None

    def test_of_two_that_pull_apart(self, small):
        """x_0 <= -1 and x_0 >= 2 at 0: a third and two thirds by their violations, a half each at best."""
        found, weights = slope([0.0, 0.0], {"a": "x[0] <= -1", "b": "x[0] >= 2"})
        assert found == pytest.approx(0 if small else 1 / 3, abs=1e-9)
        assert weights == pytest.approx([0.5, -0.5]) if small else weights is None

    def test_bounds_that_hold(self, small):
        """x_0 + x_1 >= 9 at (2, 2): x_0 at its upper bound, x_1 free to grow."""
        row = {"a": "x[0] + x[1] >= 9"}
        assert slope([2, 2], row, upper=[2, 5])[0] == pytest.approx(1 / np.sqrt(2))
        assert slope([2, 2], row, upper=2)[0] == pytest.approx(0, abs=1e-9)
        assert slope([2, 2], row, lower=2)[0] == pytest.approx(1)  # they hold on the other side
        down = {"a": "x[0] + x[1] <= -9"}
        assert slope([2, 2], down, lower=2)[0] == pytest.approx(0, abs=1e-9)
        assert slope([2, 2], down, upper=2)[0] == pytest.approx(1)

    def test_bounds_alone(self, small):
        found, weights = slope([3.0, 0.0], {"a": "x[1] <= 1"}, upper=[2, 2])
        assert found == np.inf
        assert weights is None

    def test_an_active_row_holds(self):
        """x_0 >= 5 against the active x_0 <= 0."""
        found, weights = slope([0.0, 0.0], {"a": "x[0] >= 5", "b": "x[0] <= 0"})
        assert found == pytest.approx(0, abs=1e-9)
        assert weights == pytest.approx([-1, 1])
        assert slope([0.0, 0.0], {"a": "x[0] >= 5", "b": "x[0] >= 0"})[0] == pytest.approx(1)
        assert slope([0.0, 0.0], {"a": "x[0] >= 5", "b": "x[0] == 0"})[0] == pytest.approx(0, abs=1e-9)

    def test_a_fit_that_finds_nothing_is_no_sign(self, monkeypatch):
        fit = SimpleNamespace(u=np.zeros(1))
        monkeypatch.setattr(evidence, "signed_least_squares", lambda *_: fit)
        at = local([1.0, 1.0], {"a": "x[0] <= 0"})
        found, weights = evidence._violation_slope(at)
        assert (found, weights) == (np.inf, None)
        assert not evidence._stationary(at, found, weights)


class TestStationary:
    def test_close_to_a_slope_that_ends_the_violation_it_is_none(self):
        at = local([0.0, 0.0], {"a": "x[0]**2 + x[1]**2 <= -1"})
        found, weights = evidence._violation_slope(at)
        assert found == pytest.approx(0, abs=1e-9)
        assert evidence._stationary(at, found, weights)
        assert not evidence._stationary(at, 1.1e-4, weights)
        left = 1 / at.row_sizes[0]
        assert left == pytest.approx(1 / (0.2 * np.sqrt(2)))

    def test_what_is_left_is_the_distance_to_the_nearer_side(self):
        """cos x_0 = 1 against [-3, 1 - 5e-7], a violation of 5e-7: a slope of 1e-4 ends it within 0.1."""
        at = local([0.0], {"a": f"-3 <= cos(x[0]) <= {1 - 5e-7!r}"})
        left = 5e-7 / at.row_sizes[0]
        assert left < 1e-4 * 0.1
        assert not evidence._stationary(at, 9.9e-5, None)
        assert evidence._stationary(at, 0.0, None)

    def test_far_out_a_tenth_of_the_size_of_x_is_further(self):
        """At x = 200 pi a slope of 1e-5 ends what at 0 it would not."""
        for x, is_minimum in ((0.0, True), (200 * np.pi, False)):
            at = local([x], {"a": "cos(x[0]) <= 0.99995"})
            assert 1e-6 < 5e-5 / at.row_sizes[0] < 6e-4
            assert evidence._stationary(at, 1e-6, None)
            assert evidence._stationary(at, 1e-5, None) is is_minimum

    def test_maxima_and_saddles_are_none(self):
        """Of w'c with w = (1): up, down, and both."""
        for row, is_minimum in (
            ("x[0]**2 + x[1]**2 <= -1", True),
            ("x[0]**2 - x[1]**2 <= -1", False),
            ("1 - x[0]**2 - x[1]**2 <= 0", False),
            ("x[0]**2 + x[1]**4 <= -1", True),
        ):
            assert evidence._bent(local([0.0, 0.0], {"a": row}), np.ones(1)) is is_minimum

    def test_only_where_rows_and_bounds_let_x_move(self):
        row = {"a": "x[0]**2 - x[1]**2 <= -1"}
        assert evidence._bent(local([0.0, 0.0], row, lower=[-1, 0], upper=[1, 0]), np.ones(1))
        assert not evidence._bent(local([0.0, 0.0], row, lower=[0, -1], upper=[0, 1]), np.ones(1))
        assert evidence._bent(local([0.0, 0.0], row, lower=0, upper=0), np.ones(1))
        assert evidence._bent(local([0.0, 0.0], row | {"b": "x[1] == 0"}), np.array([1.0, 0.0]))

    @pytest.mark.parametrize("units", [1e-6, 1.0, 1e6])
    def test_units_of_rows_do_not_matter(self, units):
        """A saddle, bent upwards where the rows b and c hold x_1 and x_2: c is active, b broken as a is."""
        saddle = {"a": f"{units!r}*(x[0]**2 - x[1]**2 - x[2]**2) <= {-units!r}"}
        held = {"b": f"{1e3 * units!r}*x[1] >= {2e3 * units!r}", "c": f"{1e-2 * units!r}*x[2] >= 0"}
        assert not evidence._bent(local(np.zeros(3), saddle), np.ones(1) / units)
        weights = np.array([1.0, -1e-3, 0.0]) / units
        assert evidence._bent(local(np.zeros(3), saddle | held), weights)
        assert not evidence._bent(local(np.zeros(3), saddle | {"b": held["b"]}), weights[:2])

    @pytest.mark.parametrize("curvature", [1e-6, 1.0])
    def test_a_little_curvature_counts_as_much(self, curvature):
        at = local([0.0, 0.0], {"a": f"{curvature!r}*(x[0]**2 - x[1]**2) <= -1"})
        assert not evidence._bent(at, np.ones(1))
        at = local([0.0, 0.0], {"a": f"{curvature!r}*(x[0]**2 - x[1]**2) <= -1", "b": "x[1] >= 2"})
        assert evidence._bent(at, np.array([1.0, -1.0]))

    def test_where_nothing_is_known_it_is_let_pass(self, monkeypatch):
        at = local([0.0, 0.0], {"a": "x[0]**2 - x[1]**2 <= -1"})
        assert evidence._bent(at, None)
        monkeypatch.setattr(evidence, "DENSE", 1)
        assert evidence._bent(at, np.ones(1))


def test_rows_that_leave_a_single_point_are_no_proof():
    """3 <= x_0 <= 3 by two rows: the sum of the two says 0 <= 0, which rounding may not make 0 < 0."""
    rows = {"a": "x[0] + x[1] <= 3", "b": "x[0] + x[1] >= 3"}
    for x in ([3.0, 0.0], [1e3, -1e3], [0.1, 0.7]):
        assert evidence.margin_and_radius(local(x, rows), np.array([1.0, -1.0]))[0] <= 0
    apart = rows | {"b": "x[0] + x[1] >= 3.000001"}
    assert evidence.margin_and_radius(local([3.0, 0.0], apart), np.array([1.0, -1.0]))[0] > 0


@pytest.mark.parametrize("seed", range(10))
def test_proofs_are_found_wherever_the_box_is(seed):
    """Random A x <= b in a box about 50, against a linear program."""
    rng = np.random.default_rng(seed)
    A, centre = rng.normal(size=(6, 3)), rng.uniform(40, 60, 3)
    b = A @ centre + rng.normal(size=6) - 0.3
    low, high = centre - rng.uniform(0, 2, 3), centre + rng.uniform(0, 2, 3)
    box = {"shape": 3, "lower": low, "upper": high}
    problem = nonlinear({"x": box}, "sum(x**2)", {"r": "A @ x <= b"}, {"A": A, "b": b})
    empty = linprog(np.zeros(3), A, b, bounds=list(zip(low, high, strict=True))).status == 2
    worst = high + 5.0
    assert (certify(problem, {"x": worst}).facts.get("proven") == "infeasible") is empty


def test_a_ray_is_looked_for_where_f_is_quadratic_and_the_problem_is_small(monkeypatch):
    def told(f):
        return certify(nonlinear({"x": {"shape": 2}}, f), {"x": np.zeros(2)}).facts

    assert told("x[0]**2 + x[1]")["proven"] == "unbounded"
    assert "ray" not in told("x[0]**3 + x[1]")  # what its derivatives say at 0 is not so elsewhere
    monkeypatch.setattr(evidence, "MAX_LP", 1)
    assert not {"proven", "ray"} & set(told("x[0]**2 + x[1]"))


@pytest.mark.parametrize("box", [{"lower": [-np.inf, 0]}, {"upper": [np.inf, 0]}])
def test_a_ray_may_run_along_a_bound(box):
    problem = nonlinear({"x": {"shape": 2, **box}}, "x[0]")
    assert certify(problem, {"x": np.zeros(2), "ray": np.array([-1.0, 0.0])}).facts["proven"] == "unbounded"
