"""Proofs of infeasibility and of unboundedness are checked, found, and never believed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from solverkit.engine.status import Termination, exit_code, proven
from solverkit.kinds.base import PointStatus
from solverkit.kinds.nonlinear import nonlinear
from solverkit.kinds.nonlinear.certificate import certify
from solverkit.kinds.nonlinear.evidence import margin_and_radius
from solverkit.kinds.nonlinear.local import Local


def facts(p, x, **blocks):
    certificate = certify(p, {"x": np.asarray(x, float), **{k: np.asarray(v, float) for k, v in blocks.items()}})
    return certificate, certificate.facts


def apart(n=2):
    """x + y >= 3 and x + y <= 1."""
    return nonlinear({"x": {"shape": n}}, "sum(x**2)", {"above": "sum(x) >= 3", "below": "sum(x) <= 1"})


class TestFarkas:
    def test_a_given_proof(self):
        certificate, found = facts(apart(), [1, 1], farkas=[-1, 1])
        assert found["proven"] == "infeasible"
        assert proven(Termination.INFEASIBLE, certificate)
        assert exit_code(Termination.INFEASIBLE, certificate.status, True) == 4

    def test_none_given(self):
        assert facts(apart(), [1, 1])[1]["proven"] == "infeasible"

    @pytest.mark.parametrize("w", [[1, -1], [-1, 0.5], [0, 0], [1, 1]])
    def test_wrong_ones(self, w):
        local = Local(apart(), np.ones(2), 0)
        assert margin_and_radius(local, np.array([-1.0, 1.0])) == (pytest.approx(2 / 2**0.5), np.inf)
        margin, radius = margin_and_radius(local, np.array(w, float))
        assert not (margin > 0 and radius >= 1e3)

    def test_bounds_take_part(self):
        p = nonlinear({"x": {"shape": 2, "lower": 0, "upper": 1}}, "x[0]", {"r": "x[0] + 2*x[1] >= 4"})
        assert facts(p, [1, 1], farkas=[-1])[1]["proven"] == "infeasible"

    def test_bounds_that_leave_room(self):
        p = nonlinear({"x": {"shape": 2, "lower": 0, "upper": 1}}, "x[0]", {"r": "x[0] + 2*x[1] >= 2"})
        assert "proven" not in facts(p, [0, 0], farkas=[-1])[1]
        p = nonlinear({"x": {"shape": 2, "lower": 0, "upper": 1}}, "x[0]", {"r": "x[0] + 2*x[1] <= 1"})
        assert "proven" not in facts(p, [1, 1], farkas=[1])[1]

    def test_a_feasible_problem_has_none(self):
        p = nonlinear({"x": {"shape": 2}}, "x[0]", {"r": "x[0] + 2*x[1] >= 4"})
        assert "proven" not in facts(p, [0, 0], farkas=[-1])[1]
        assert "proven" not in facts(p, [0, 0])[1]

    @pytest.mark.parametrize("seed", range(12))
    def test_found_exactly_where_a_linear_program_is_infeasible(self, seed):
        rng = np.random.default_rng(seed)
        A, b = rng.normal(size=(6, 3)), rng.normal(size=6) - 0.3
        low, high = rng.uniform(-2, 0, 3), rng.uniform(0, 2, 3)
        box = {"lower": low, "upper": high} if seed % 2 else {}
        p = nonlinear({"x": {"shape": 3, **box}}, "sum(x**2)", {"r": "A @ x <= b"}, {"A": A, "b": b})
        bounds = list(zip(low, high, strict=True)) if box else [(None, None)] * 3
        empty = linprog(np.zeros(3), A, b, bounds=bounds).status == 2
        point = np.full(3, 5.0)
        assert certify(p, {"x": point}).status is PointStatus.INFEASIBLE
        assert (facts(p, point)[1].get("proven") == "infeasible") is empty


class TestLocally:
    p = nonlinear({"x": {"shape": 2}}, "x[0]", {"c": "x[0]**2 + x[1]**2 + x[0]**4 <= -1"})

    def test_stationary(self):
        certificate, found = facts(self.p, [0, 0])
        assert found["infeasible_stationary"] is True
        assert not proven(Termination.INFEASIBLE, certificate)

    @pytest.mark.parametrize("x", [[1e-2, 0], [1, 1], [100, 0]])
    def test_not_stationary(self, x):
        assert facts(self.p, x)[1]["infeasible_stationary"] is False

    def test_bounds_hold_it_back(self):
        p = nonlinear({"x": {"shape": 1, "lower": 0, "upper": 2}}, "x[0]", {"c": "x[0]**2 >= 9"})
        assert facts(p, [2])[1]["infeasible_stationary"] is True
        assert facts(p, [1])[1]["infeasible_stationary"] is False

    @pytest.mark.parametrize("x", [1.5, 2.0, 3.0])
    def test_between_two_discs(self, x):
        """Any point of the segment between them minimizes some weighted sum of the violations."""
        rows = {"left": "x[0]**2 + x[1]**2 <= 1", "right": "(x[0] - 5)**2 + x[1]**2 <= 1"}
        p = nonlinear({"x": {"shape": 2}}, "x[1]", rows)
        assert facts(p, [x, 0])[1]["proven"] == "infeasible"  # the discs are convex
        assert facts(p, [x, 0.1])[1]["infeasible_stationary"] is False
        rows["left"] = "x[0]**2 + x[1]**2 + 0.1*cos(x[1]) <= 1.1"
        assert facts(nonlinear({"x": {"shape": 2}}, "x[1]", rows), [x, 0])[1]["infeasible_stationary"] is True

    def test_outside_of_a_disc_is_not_convex(self):
        rows = {"out": "x[0]**2 + x[1]**2 >= 4", "right": "x[0] >= 1"}
        p = nonlinear({"x": {"shape": 2}}, "x[1]", rows)
        assert facts(p, [0.5, 0.5])[1]["infeasible_stationary"] is False
        p = nonlinear({"x": {"shape": 2, "lower": -1, "upper": 1}}, "x[1]", {"out": rows["out"]})
        certificate, found = facts(p, [1, 1])
        assert found["infeasible_stationary"] is True
        assert not proven(Termination.INFEASIBLE, certificate)


class TestRay:
    linear = nonlinear({"x": {"shape": 2, "lower": [0, -np.inf]}}, "x[0] - x[1]", {"r": "x[1] - 2*x[0] <= 1"})

    def test_a_linear_fall(self):
        certificate, found = facts(self.linear, [0, 0], ray=[1, 2])
        assert found["proven"] == "unbounded"
        assert proven(Termination.UNBOUNDED, certificate)
        assert not proven(Termination.INFEASIBLE, certificate)

    @pytest.mark.parametrize("ray", [[0, 1], [-1, -2], [1, 1], [1, 2.1]])
    def test_wrong_ones(self, ray):
        assert "proven" not in facts(self.linear, [0, 0], ray=ray)[1]

    def test_none_given(self):
        assert facts(self.linear, [0, 0])[1]["proven"] == "unbounded"
        p = nonlinear({"x": {"shape": 3}}, "(x[0] - x[1])**2 + x[2]", {"r": "x[0] + x[2] >= 0"})
        assert facts(p, [0, 0, 0])[1]["proven"] == "unbounded"
        p = nonlinear({"x": {"shape": 3}}, "(x[0] - x[1])**2 + x[2]", {"r": "x[0] + x[2] >= 0", "s": "x[1] <= 5"})
        assert "proven" not in facts(p, [0, 0, 0])[1]

    def test_from_an_infeasible_point(self):
        assert "proven" not in facts(self.linear, [0, 9], ray=[1, 2])[1]

    def test_curvature(self):
        p = nonlinear({"x": {"shape": 2}}, "x[0]**2 - x[1]**2 + 5*x[1]")
        assert facts(p, [0, 0], ray=[0, 1])[1]["proven"] == "unbounded"
        assert "proven" not in facts(p, [0, 0], ray=[1, 0])[1]

    def test_a_convex_quadratic_has_none(self):
        p = nonlinear({"x": {"shape": 2}}, "1e-6*sum(x**2) - x[0]")
        assert "proven" not in facts(p, [0, 0], ray=[1, 0])[1]

    def test_a_fall_that_ends(self):
        """Flat to second order at 0, and falling there: no proof, because f is no quadratic."""
        p = nonlinear({"x": {"shape": 1}}, "x[0]**4 - x[0]")
        assert "proven" not in facts(p, [0], ray=[1])[1]

    def test_what_cannot_be_proven_is_said(self):
        p = nonlinear({"x": {"shape": 1}}, "exp(-x[0])")
        assert facts(p, [0], ray=[1])[1]["ray"].startswith("f")


class TestViolationsThatDerivativesHide:
    """Rows whose gradient vanishes at the point."""

    saddle = nonlinear({"x": {"shape": 2}}, "x[0]", {"c": "x[0]**2 - x[1]**2 + 1 == 0"})

    @pytest.mark.parametrize("x", [[0, 0], [1e-8, 0]])
    def test_a_saddle_of_a_row_is_broken_by_a_finite_amount_and_not_stuck(self, x):
        certificate, found = facts(self.saddle, x)
        assert 0.5 < certificate["feasibility"].value < 10
        assert found["infeasible_stationary"] is False

    def test_a_maximum_of_the_violation_is_no_sign(self):
        rows = {"first": "x[0]**2 + x[1]**2 + 0.1*cos(x[1]) == 1.1", "second": "(x[0] - 4)**2 + x[1]**2 == 1"}
        assert facts(nonlinear({"x": {"shape": 2}}, "x[1]", rows), [0, 0])[1]["infeasible_stationary"] is False

    def test_beside_a_root_of_high_order(self):
        rows = {"first": "2*x[0]**3*x[1] - x[1]**3 == 0", "second": "6*x[0] - x[1]**2 + x[1] == 0"}
        p = nonlinear({"x": {"shape": 2}}, subject_to=rows)
        certificate, found = facts(p, [-3.49573025e-06, 2.09747115e-05])
        assert certificate.status is PointStatus.INFEASIBLE
        assert found["infeasible_stationary"] is False

    def test_a_constant_row_is_broken_by_one(self):
        certificate, found = facts(nonlinear({"x": {"shape": 2}}, "x[0]", {"c": "0*x[0] + 1 == 0"}), [0, 0])
        assert certificate["feasibility"].value == 1
        assert found["proven"] == "infeasible"

    def test_no_objective_has_the_scale_one(self):
        certificate, _ = facts(nonlinear({"x": {"shape": 2}}, subject_to={"a": "sum(x) == 1"}), [1, 0])
        assert certificate.status is PointStatus.CERTIFIED
        assert (certificate["stationarity"].value, certificate["stationarity"].scaling) == (0, 1)
