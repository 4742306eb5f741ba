"""Scales, distances and multipliers of small problems, worked out by hand or by loops."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.nonlinear import multipliers, nonlinear
from solverkit.kinds.nonlinear.certificate import certify
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import active_sides, least_squares, measure, of_point
from solverkit.kinds.nonlinear.problem import BOUND_MULTIPLIERS, MULTIPLIERS


def local(f, x, rows=None, data=None, seed=0, **box):
    x = np.asarray(x, float)
    return Local(nonlinear({"x": {"shape": len(x), **box}}, f, rows, data), x, seed)


class TestScales:
    """S = |grad f| + min(1, C) + 1e-6 C_0, with |d| between half of 1 + |x| and all of it."""

    def test_of_a_quadratic(self):
        """Hess f = 4e6: C = C_0 is between 4e6 and 8e6 at x = 1, where grad f is 4e6."""
        for seed in range(10):
            at = local("2e6*x[0]**2", [1.0], seed=seed)
            change, exact = at.change
            assert 4e6 <= exact <= 8e6
            assert change == pytest.approx(exact, rel=1e-9)
            assert at.scale == pytest.approx(4e6 + 1 + 1e-6 * exact, rel=1e-12)
            assert at.relative_scale == pytest.approx(8e6 + 1 + 1e-6 * exact, rel=1e-12)

    def test_of_a_small_quadratic(self):
        at = local("1e-3*x[0]**2", [1.0])
        assert 2e-3 <= at.change[0] <= 4e-3
        assert at.scale == pytest.approx(2e-3 + at.change[0] + 1e-6 * at.change[1])

    def test_of_a_cube_at_zero(self):
        """Hess f d = 0 there; 10 grad f(d / 10) is 0.3 d^2."""
        for seed in range(10):
            change, exact = local("x[0]**3", [0.0], seed=seed).change
            assert exact == 0
            assert 0.075 <= change <= 0.3
            at = local("1e-2*x[0]**3", [0.0], seed=seed)
            assert at.scale == at.relative_scale == pytest.approx(1e-2 * change)

    def test_growth_far_away_does_not_count(self):
        """2e-7 (z^2 - 1)^2 at a well, whose slope at 2 d is far above that of 1.6e-6 d^2 / 2."""
        at = local("2e-7*(x[0]**2 - 1)**2", [1.0])
        assert at.change[1] <= at.scale <= 1.5 * at.change[1]

    def test_of_a_gradient_that_waves(self):
        """1 - cos 10 x at 0: its change over a tenth of the size of x is (1 - cos d) / 0.1, with d of 0.5 at least."""
        for seed in range(10):
            change, exact = local("x[0] - sin(10*x[0])/10", [0.0], seed=seed).change
            assert exact == pytest.approx(0)
            assert change >= (1 - np.cos(0.5)) / 0.1

    def test_of_differences_that_cancel(self):
        """(x_1 - x_2)^2 changes along every d that is drawn: lengths are random, not signs alone."""
        assert all(local("(x[0] - x[1])**2", [0.0, 0.0], seed=seed).change[1] > 1e-3 for seed in range(50))

    def test_of_a_constant(self):
        problem = nonlinear({"x": {"shape": 1}}, subject_to={"r": "x[0] <= 1"})
        assert Local(problem, np.array([5.0]), 0).scale == 1
        assert local("0.25*x[0]", [5.0]).scale == 0.25
        assert local("0.25*x[0]", [5.0]).relative_scale == 0.25 * 6
        assert local("0.25*x[0]", [0.0]).relative_scale == 0.25

    def test_what_is_not_finite_far_out_is_left_out(self):
        at = local("x[0] - log(x[0])", [0.05])
        assert np.isfinite(at.scale)
        assert at.scale > 19


class TestRooms:
    """3 x_0 + 4 x_1: its gradient has length 5."""

    def room(self, x, **sides):
        lower, upper = sides.get("lower", -np.inf), sides.get("upper", np.inf)
        text = "3*x[0] + 4*x[1]"
        text = text if lower == -np.inf else f"{lower} <= {text}"
        at = local("x[0]", x, {"r": text if upper == np.inf else f"{text} <= {upper}"})
        below, above = at.row_room
        return float(below[0]), float(above[0])

    def test_over_the_gradient_and_the_bound(self):
        assert self.room([1, 1], lower=5, upper=10) == (pytest.approx(2 / (5 + 5)), pytest.approx(3 / (5 + 10)))
        assert self.room([1, 1], lower=-5, upper=10)[0] == pytest.approx(12 / (5 + 5))

    def test_where_x_is_small_the_gradient_counts_less(self):
        """|3 x_0| + |4 x_1| = 0.7, beside a bound that is not 0."""
        assert self.room([0.1, 0.1], lower=0, upper=10) == (pytest.approx(0.7 / 5), pytest.approx(9.3 / 10.7))
        assert self.room([-0.1, 0.1], lower=-2, upper=10)[0] == pytest.approx(2.1 / 2.7)

    def test_open_sides(self):
        assert self.room([1, 1], upper=10)[0] == np.inf
        assert self.room([1, 1], lower=5)[1] == np.inf

    def test_a_violation_within_rounding_is_none(self):
        at = local("x[0]", [0.1 + 0.2, 0.3 + 1e-12], lower=0, upper=0.3)
        below, above = at.bound_room
        assert above[0] == 0
        assert above[1] == pytest.approx(-1e-12 / 1.3, rel=1e-2)
        assert below == pytest.approx([0.3, 0.3])
        assert at.violation == (pytest.approx(1e-12 / 1.3, rel=1e-2), "bound of x[1]")

    def test_a_row_broken_within_rounding_of_its_terms_is_not(self):
        assert 0.1 + 0.2 > 0.3
        assert local("x[0]", [0.1, 0.2], {"r": "x[0] + x[1] <= 0.3"}).violation == (0.0, "")
        assert local("x[0]", [0.1, -0.3], {"r": "x[0] + x[1] + 0.2 <= 0"}).violation == (0.0, "")
        assert local("x[0]", [np.nextafter(1e9, 2e9)], upper=1e9).violation == (0.0, "")
        assert local("x[0]", [1e9 + 1e-3], upper=1e9).violation[0] > 0

    def test_gradients_near_by_are_a_tenth_of_the_size_of_x_away(self):
        for x in (0.0, 9.0, -99.0):
            at = local("x[0]", [x], {"r": f"(x[0] - {x!r})**2 <= -1"})
            assert at.row_sizes == pytest.approx([2 * 0.1 * (1 + abs(x))])

    def test_a_row_of_another_sign_than_its_bound(self):
        """5 cos x = -1 at 0, where its gradient vanishes: by 6, over 1 and the gradient near by, 5 sin 0.1."""
        for row, bound in (("5*cos(x[0]) == -1", 1.0), ("-1 <= 5*cos(x[0]) <= -0.5", 0.5)):
            at = local("x[0]", [0.0], {"r": row})
            assert at.row_sizes == pytest.approx([5 * np.sin(0.1)])
            assert at.violation[0] == pytest.approx((5 + bound) / (bound + 5 * np.sin(0.1)))
        at = local("x[0]", [0.0], {"r": "-5*cos(x[0]) >= 1"})
        assert at.violation[0] == pytest.approx(6 / (1 + 5 * np.sin(0.1)))

    def test_a_gradient_near_by_that_is_not_finite_is_left_out(self):
        at = local("x[0]", [0.05], {"r": "log(x[0]) <= 0"})
        assert at.row_sizes == pytest.approx([1 / 0.05])

    def test_the_worst_is_named(self):
        rows = {"first": "x[0] <= 1", "second": "2*x[1] <= 2"}
        for x, value, name in (([2, 1], 0.5, "first"), ([1, 3], 4 / 4, "second"), ([2, 1.5], 0.5, "first")):
            found, where = local("x[0]", x, rows).violation
            assert (round(found, 9), where) == (value, name)
        assert local("x[0]", [0, 0], rows).violation == (0.0, "")
        assert local("x[0]", [0, -3], rows, lower=[-9, -1]).violation == (pytest.approx(2 / 2), "bound of x[1]")

    def test_bounds_are_named_by_block_and_index(self):
        p = nonlinear({"x": {"shape": 2}, "y": {"upper": 1}, "Z": {"shape": [2, 3], "upper": 0}}, "x[0]")
        for index, name in ((2, "bound of y"), (3, "bound of Z[0,0]"), (7, "bound of Z[1,1]"), (8, "bound of Z[1,2]")):
            x = np.zeros(9)
            x[index] = 4.0
            assert Local(p, x, 0).violation[1] == name

    def test_what_is_no_number_is_no_violation_but_named(self):
        found, name = local("x[1]", [-1.0, 0.0], {"fine": "x[1] <= 1", "log": "log(x[0]) <= 0"}).violation
        assert np.isnan(found)
        assert name == "log"

    @pytest.mark.parametrize("dense", [False, True])
    def test_sums_of_many_rows(self, dense, monkeypatch):
        """150 rows, taken 64 at a time where they are dense."""
        monkeypatch.setattr("solverkit.kinds.nonlinear.affine.DENSE_SIZE", 1 if dense else 10**9)
        rng = np.random.default_rng(0)
        A, x, y = rng.standard_normal((150, 3)), rng.standard_normal(3), rng.standard_normal(150)
        at = local("x[0]", x, {"r": "A @ x <= b"}, {"A": A, "b": A @ x})
        assert isinstance(at.jacobian, np.ndarray) is dense
        assert at.lengths == pytest.approx([sum(abs(a * v) for a, v in zip(row, x, strict=True)) for row in A])
        assert at.norms == pytest.approx([np.sqrt(sum(a * a for a in row)) for row in A])
        pulled = max(sum(abs(y[i] * A[i, j]) for i in range(150)) for j in range(3))
        for factor in (1e-9, 1.0):
            assert at.pulled_size(factor * y) == pytest.approx(factor * pulled)


class TestMeasured:
    """min 3 x_0 + 4 x_1 with x_0 + 2 x_1 <= 5 and x_0 >= 0, at (1, 1)."""

    at = local("3*x[0] + 4*x[1]", [1, 1], {"r": "x[0] + 2*x[1] <= 5"}, lower=[0, -np.inf])

    def test_residuals(self):
        """(3, 4) + 2 (1, 2) + (-1, 0) = (4, 8); forces 2 sqrt 5 and 1, at 2 / (sqrt 5 + 5) and 1 from their bounds."""
        found = measure(self.at, np.array([2.0]), np.array([-1.0, 0.0]), "mine")
        assert found.residual == pytest.approx([4, 8])
        assert found.stationarity == pytest.approx(8)
        assert found.complementarity == pytest.approx(2 * np.sqrt(5) * 2 / (np.sqrt(5) + 5))
        assert found.signs == 0
        assert found.worst == pytest.approx(8)
        found = measure(self.at, np.array([0.1]), np.array([-3.0, 0.0]), "mine")
        assert found.complementarity == pytest.approx(3)

    def test_signs(self):
        assert measure(self.at, np.array([-2.0]), np.zeros(2), "").signs == pytest.approx(2 * np.sqrt(5))
        assert measure(self.at, np.zeros(1), np.array([7.0, 0]), "").signs == 7
        assert measure(self.at, np.zeros(1), np.array([0, -6.0]), "").signs == 6
        assert measure(self.at, np.zeros(1), np.array([0, 6.0]), "").signs == 6

    def test_far_out_a_residual_counts_by_what_f_changes_by(self):
        """f = x_0 at 1e6, residual (0, 1e-3) at x_1 = 1e6: 1e3 over the relative scale 1e6, over 100, of S = 1."""
        at = local("x[0]", [1e6, 1e6])
        found = measure(at, np.zeros(0), np.array([-1.0, 1e-3]), "")
        assert found.stationarity == pytest.approx(1e-3)
        at = local("x[0]", [0, 1e6])
        found = measure(at, np.zeros(0), np.array([-1.0, 1e-3]), "")
        assert found.stationarity == pytest.approx((1e6 + 1) * 1e-3 / 100)

    def test_rounding_that_huge_multipliers_hide(self):
        """8 eps |y| is added to the residual, of y = 2^60 and -2^60 that cancel."""
        at = local("0*x[0]**2 + x[1]", [0, 0], {"a": "x[0] == 0", "b": "x[0] == 0"})
        size = 2.0**60
        found = measure(at, np.array([size, -size]), np.array([0, -1.0]), "")
        assert found.residual == pytest.approx([0, 0])
        assert found.stationarity == pytest.approx(8 * np.finfo(float).eps * (2 * size + 1))

    def test_those_of_a_point(self):
        x = self.at.problem.blocks(self.at.x)
        assert of_point(self.at, x) is None
        found = of_point(self.at, {**x, MULTIPLIERS: np.array([-2.0])})
        assert found.z == pytest.approx([-1, 0])  # cancels 3 - 2 at the bound; x_1 has none
        found = of_point(self.at, {**x, MULTIPLIERS: np.array([-4.0])})
        assert found.z == pytest.approx([0, 0])  # 3 - 4 would want an upper bound
        given = {**x, MULTIPLIERS: np.array([-2.0]), BOUND_MULTIPLIERS: np.array([0.0, 5.0])}
        assert of_point(self.at, given).z == pytest.approx([0, 5])
        for wrong in (np.array([np.nan]), np.array([1.0, 2.0]), np.array(1.0)):
            assert of_point(self.at, {**x, MULTIPLIERS: wrong}) is None

    def test_those_of_bounds_alone(self):
        at = local("x[0] - x[1]", [0, 1], lower=[0, -np.inf], upper=[np.inf, 1])
        x = at.problem.blocks(at.x)
        assert of_point(at, x) is None
        assert of_point(at, {**x, BOUND_MULTIPLIERS: np.array([-1.0, 1.0])}).worst < 1e-12
        assert of_point(at, {**x, MULTIPLIERS: np.zeros(0)}).z == pytest.approx([-1, 1])

    def test_which_sides_are_active(self):
        below, above = np.array([0.0, 5, 0.2, 0.1, -1, 1]), np.array([0.0, 0.1, 9, 0.3, 2, 1])
        index, sign, free = active_sides((below, above), 0.2)
        assert index.tolist() == [0, 1, 2, 3, 4]
        assert sign.tolist() == [1, 1, -1, -1, -1]
        assert free.tolist() == [True, False, False, False, False]


class TestByRounds:
    """What large problems use, against the exact one, and each way that it may end."""

    def case(self, monkeypatch, seed, dense=False):
        monkeypatch.setattr("solverkit.kinds.nonlinear.affine.DENSE_SIZE", 1 if dense else 10**9)
        rng = np.random.default_rng(seed)
        A, x = rng.normal(size=(5, 12)), np.r_[np.zeros(3), rng.uniform(0.5, 1, 9)]
        y, z = rng.uniform(1, 2, 5), np.r_[rng.uniform(1, 2, 3), np.zeros(9)]
        data = {"A": A, "b": A @ x, "q": z - A.T @ y}
        return local("dot(q, x)", x, {"r": "A @ x <= b"}, data, lower=0), y, -z

    @pytest.mark.parametrize("dense", [False, True])
    @pytest.mark.parametrize("seed", range(3))
    def test_exact_and_by_rounds(self, seed, dense, monkeypatch):
        at, y, z = self.case(monkeypatch, seed, dense)
        monkeypatch.setattr(multipliers, "SIGNED", 0)
        found = least_squares(at, 1e-6)
        assert found.y == pytest.approx(y, abs=1e-8)
        assert found.z == pytest.approx(z, abs=1e-8)
        assert found.worst < 1e-8

    def test_by_steps_without_a_factor(self, monkeypatch):
        at, y, z = self.case(monkeypatch, 0)
        monkeypatch.setattr(multipliers, "SIGNED", 0)
        monkeypatch.setattr(multipliers, "FACTORED", 0)
        found = least_squares(at, 1e-6)
        assert found.y == pytest.approx(y, abs=1e-6)
        assert found.z == pytest.approx(z, abs=1e-6)

    def test_a_single_proximal_step_is_near_already(self, monkeypatch):
        at, y, _ = self.case(monkeypatch, 0)
        monkeypatch.setattr(multipliers, "SIGNED", 0)
        monkeypatch.setattr(multipliers, "PROXIMAL", 1)
        assert least_squares(at, 1e-6).y == pytest.approx(y, abs=1e-6)

    def test_what_cannot_be_factored_leaves_no_multipliers(self, monkeypatch):
        def singular(*_, **__):
            raise RuntimeError("Factor is exactly singular")

        at, _, _ = self.case(monkeypatch, 0)
        monkeypatch.setattr(multipliers, "SIGNED", 0)
        monkeypatch.setattr(multipliers, "splu", singular)
        found = least_squares(at, 1e-6)
        assert not found.y.any()
        assert found.stationarity > 1e-3

    def test_a_last_round_that_still_leaves_rows_out(self, monkeypatch):
        """With one round the row of wrong sign is at 0, and the others are as they were with it."""
        monkeypatch.setattr(multipliers, "SIGNED", 0)
        monkeypatch.setattr(multipliers, "ROUNDS", 1)
        at = local("x[0] - x[1]", [0, 0], {"a": "x[0] <= 0", "b": "x[1] <= 0"})
        found = least_squares(at, 1e-6)
        assert found.y == pytest.approx([0, 1])
        assert found.residual == pytest.approx([1, 0])

    def test_bounds_alone(self, monkeypatch):
        monkeypatch.setattr(multipliers, "SIGNED", 0)
        at = local("x[0] - x[1] + 2*x[2]", [0, 0, 1], lower=[0, 0, 1], upper=[1, 1, 1])
        found = least_squares(at, 1e-6)
        assert found.z == pytest.approx([-1, 0, -2])
        assert found.residual == pytest.approx([0, -1, 0])


def test_a_point_where_a_row_is_no_number_is_no_answer():
    p = nonlinear({"x": {"shape": 2}}, "x[1]**2", {"log": "log(x[0]) <= 0"})
    certificate = certify(p, {"x": np.array([-1.0, 0.0])})
    assert certificate.status.value != "certified"
