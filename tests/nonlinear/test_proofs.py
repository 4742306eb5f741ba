"""Margins and radii of proofs in closed form, the programs that look for them, and rays in every unit."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from solverkit.kinds.nonlinear import evidence, nonlinear
from solverkit.kinds.nonlinear.certificate import certify
from solverkit.kinds.nonlinear.evidence import margin_and_radius
from solverkit.kinds.nonlinear.local import Local
from tests.nonlinear.test_consistency import Told


def problem(f="x[0]", n=2, rows=None, data=None, **box):
    return nonlinear({"x": {"shape": n, **box}}, f, rows, data)


def local(x, rows, data=None, **box):
    return Local(problem("sum(x**2)", len(x), rows, data, **box), np.asarray(x, float), 0)


def facts(p, x, **blocks):
    return certify(p, {"x": np.asarray(x, float), **{k: np.asarray(v, float) for k, v in blocks.items()}}).facts


APART = {"above": "sum(x) >= 3", "below": "sum(x) <= 1"}
DISC = {"disc": "x[0]**2 + x[1]**2 <= -1"}


class TestMargin:
    @pytest.mark.parametrize("seed", range(5))
    def test_is_the_least_sum_over_the_box_minus_the_bounds(self, seed):
        """min w'Ax over the corners, minus what the rows allow, over the largest |w_i| ||A_i||; wherever x is."""
        rng = np.random.default_rng(seed)
        A, w, centre = rng.standard_normal((3, 3)), rng.standard_normal(3), rng.standard_normal(3)
        lower, upper = A @ centre - rng.uniform(0, 3, 3), A @ centre + rng.uniform(0, 3, 3)
        low, high = centre - rng.uniform(0, 2, 3), centre + rng.uniform(0, 2, 3)
        rows = {f"r{i}": f"{lower[i]!r} <= dot(a{i}, x) <= {upper[i]!r}".replace("np.float64", "") for i in range(3)}
        corners = [np.array(corner) for corner in product(*zip(low, high, strict=True))]
        allowed = sum(w[i] * (upper[i] if w[i] > 0 else lower[i]) for i in range(3))
        unit = max(abs(w) * np.linalg.norm(A, axis=1))
        expected = (min(w @ A @ corner for corner in corners) - allowed) / unit
        for x in (centre, high + 5, rng.standard_normal(3)):
            at = local(x, rows, {f"a{i}": A[i] for i in range(3)}, lower=low, upper=high)
            for factor in (1.0, 1e-9, 1e9):
                margin, radius = margin_and_radius(at, factor * w)
                assert margin == pytest.approx(expected, abs=1e-9)
                assert radius == np.inf

    def test_what_a_row_does_not_bound_does_not_count(self):
        at = local([1, 1], {**APART, "open": "x[0] - x[1] >= 0"})
        assert margin_and_radius(at, np.array([-1.0, 1, 7])) == (pytest.approx(2 / 2**0.5), np.inf)
        assert margin_and_radius(at, np.array([0.0, 0, 7])) == (-1, 0)
        assert margin_and_radius(at, np.array([1.0, -1, 0])) == (-1, 0)
        assert margin_and_radius(at, np.zeros(3)) == (-1, 0)

    def test_an_open_side_that_is_asked_for_leaves_no_radius(self):
        row = {"r": "x[0] + x[1] >= 4"}
        at = local([0, 0], row, lower=0, upper=[1, np.inf])
        assert margin_and_radius(at, np.array([-1.0]))[1] == 0
        at = local([0, 0], row, lower=[0, -np.inf], upper=1)  # the other side is open: all the same
        assert margin_and_radius(at, np.array([-1.0])) == (pytest.approx(2 / 2**0.5), np.inf)

    @pytest.mark.parametrize("box", [{}, {"lower": 0}, {"upper": 0}])
    def test_weights_are_moved_to_where_open_sides_are_not_asked_for(self, box):
        for w in ([-1 - 1e-8, 1.0], [-1.0, 1 + 1e-8]):
            margin, radius = margin_and_radius(local([0, 0], APART, **box), np.array(w))
            assert margin == pytest.approx(2 / 2**0.5, rel=1e-6)
            assert radius == np.inf

    @pytest.mark.parametrize(("gap", "proof"), [(5e-7, False), (4e-6, True)])
    @pytest.mark.parametrize("box", [{}, {"lower": -1e6}])
    def test_what_rounding_may_be_is_taken_off(self, gap, proof, box):
        """1e-12 of the sums that enter, about 1e6 each."""
        if box:
            at, w = local([0, 0], {"r": f"x[0] <= {-1e6 - gap!r}"}, **box), [1.0]
        else:
            rows = {"below": "x[0] + x[1] <= 1e6", "above": f"x[0] + x[1] >= {1e6 + gap!r}"}
            at, w = local([5e5, 5e5], rows), [1.0, -1.0]
        assert (margin_and_radius(at, np.array(w))[0] > 0) is proof

    @pytest.mark.parametrize(("gap", "proof"), [(5e-7, False), (4e-6, True)])
    def test_so_is_that_of_the_point(self, gap, proof):
        """x_0 <= -gap against x_0 >= 0, from 1e6."""
        at = local([1e6, 0], {"r": f"x[0] <= {-gap!r}"}, lower=0)
        assert (margin_and_radius(at, np.ones(1))[0] > 0) is proof

    def test_it_is_the_same_from_far_away(self):
        found = [facts(problem(rows=APART), x)["farkas_margin"] for x in ([1, 1], [1e9, 1e9], [-1e9, 5])]
        assert found == pytest.approx([2 / 2**0.5] * 3)


class TestCurvedRows:
    """x_0^2 + x_1^2 <= -1 by its linearization."""

    def test_at_the_centre(self):
        assert margin_and_radius(local([0, 0], DISC), np.ones(1)) == (pytest.approx(1), np.inf)

    def test_beside_the_centre(self):
        """0.2 x_0 - 0.01 > -1 for x_0 > -4.95; over the gradient's length 0.2."""
        assert margin_and_radius(local([0.1, 0], DISC), np.ones(1)) == pytest.approx((0.99 / 0.2, 4.95))
        at = local([0.1, 0], DISC, lower=-1, upper=1)
        assert margin_and_radius(at, np.ones(1)) == (pytest.approx(0.79 / 0.2), np.inf)
        assert margin_and_radius(local([1, 0], DISC), np.ones(1))[0] <= 0

    @pytest.mark.parametrize(("bend", "proven"), [(1e-8, False), (2e-12, False), (4e-13, True), (1e-14, True)])
    def test_a_little_downwards(self, bend, proven):
        """x_0^2 - bend x_1^2 is above -1 for |x_1| < 1 / sqrt(bend), and 1e6 is asked for."""
        p = problem("x[1]", rows={"r": f"x[0]**2 - {bend!r}*x[1]**2 <= -1"})
        assert margin_and_radius(Local(p, np.zeros(2), 0), np.ones(1)) == pytest.approx((1, bend**-0.5))
        found = facts(p, [0, 0])
        assert ("proven" in found) is proven
        if proven:
            assert found["farkas_radius"] == pytest.approx(bend**-0.5)
            assert found["farkas_margin"] == pytest.approx(1)

    def test_weights_of_the_wrong_sign_are_not_convex(self):
        at = local([0, 0], {"out": "x[0]**2 + x[1]**2 >= 1"})
        margin, radius = margin_and_radius(at, -np.ones(1))
        assert margin == pytest.approx(1)
        assert radius == pytest.approx(1)  # to the circle

    def test_other_rows_are_no_proof(self, monkeypatch):
        assert margin_and_radius(local([0, 0], {"r": "x[0]**4 + x[1]**2 <= -1"}), np.ones(1)) == (-1, 0)
        assert margin_and_radius(local([0, 0], {"r": "x[0]**2*x[1] <= -1"}), np.ones(1)) == (-1, 0)
        monkeypatch.setattr(evidence, "DENSE", 2)
        assert margin_and_radius(local([0, 0], DISC), np.ones(1)) == (pytest.approx(1), np.inf)
        monkeypatch.setattr(evidence, "DENSE", 1)
        assert margin_and_radius(local([0, 0], DISC), np.ones(1)) == (-1, 0)


class TestLeastViolation:
    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("side", ["upper", "lower"])
    def test_against_a_linear_program(self, seed, side):
        """sum of what rows are broken by, over the lengths of their gradients; a row may be written as -A x >= -b."""
        rng = np.random.default_rng(seed)
        A, x = rng.standard_normal((4, 2)), rng.standard_normal(2)
        b = A @ x - rng.uniform(0, 2, 4)
        low, high = x - 0.5, x + rng.uniform(0, 1, 2)
        row = "A @ x <= b" if side == "upper" else "-(A @ x) >= -b"
        at = Local(problem(n=2, rows={"r": row}, data={"A": A, "b": b}, lower=low, upper=high), x + 3, 0)
        norms = np.linalg.norm(A, axis=1)
        best = linprog(
            np.r_[np.zeros(2), np.ones(4)],
            np.hstack([A / norms[:, None], -np.eye(4)]),
            b / norms,
            bounds=[*zip(low, high, strict=True), *[(0, None)] * 4],
        )
        least = evidence._phase_one(at)
        assert np.maximum((A @ least.v[:2] - b) / norms, 0).sum() == pytest.approx(best.fun, abs=1e-6)
        w = evidence._weights(at, least)
        sign = -1 if side == "upper" else 1
        assert w == pytest.approx(sign * best.ineqlin.marginals / norms, abs=1e-6)

    def test_where_it_is_looked_for(self, monkeypatch):
        """Affine rows, and up to MAX_LP variables and rows together."""
        assert evidence._phase_one(local([0, 0], None)) is None
        assert evidence._phase_one(local([0, 0], {"r": "x[0]**2 <= 1"})) is None
        assert evidence._weights(local([0, 0], None), None) is None
        for most, tried in ((4, True), (3, False)):
            monkeypatch.setattr(evidence, "MAX_LP", most)
            assert (evidence._phase_one(local([0, 0], APART)) is not None) is tried

    def test_a_given_proof_needs_no_program(self, monkeypatch):
        monkeypatch.setattr(evidence, "MAX_LP", 0)
        assert "proven" not in facts(problem(rows=APART), [1, 1])
        assert facts(problem(rows=APART), [1, 1], farkas=[-1, 1])["proven"] == "infeasible"
        for wrong in ([np.nan, 1], [-1], [[-1, 1]], 1.0):
            assert "proven" not in facts(problem(rows=APART), [1, 1], farkas=wrong)


class TestRays:
    def test_what_is_told_of_a_ray(self):
        """Slope and curvature along d, the largest entry 1, at the point next to 0."""
        found = facts(problem("x[0] - x[1]", lower=[0, -np.inf]), [5, 0], ray=[1, 2])
        assert (found["proven"], found["ray_slope"], found["ray_curvature"]) == ("unbounded", -0.5, 0)
        found = facts(problem("x[0]**2 - x[1]**2 + 5*x[1]"), [0, 7], ray=[0, -3])
        assert (found["proven"], found["ray_slope"], found["ray_curvature"]) == ("unbounded", -5, -2)

    @pytest.mark.parametrize("units", [1e-8, 1.0, 1e8])
    @pytest.mark.parametrize("row", [1e-6, 1e6])
    def test_they_are_found_in_any_units(self, units, row):
        f = f"{units!r}*((x[0] - x[1])**2 + x[2])"
        rows = {"r": f"{row!r}*(x[0] + x[2]) >= 0"}
        assert facts(problem(f, 3, rows), [0, 0, 0])["proven"] == "unbounded"
        rows["s"] = f"{row!r}*x[1] <= {5 * row!r}"
        assert not {"proven", "ray"} & set(facts(problem(f, 3, rows), [0, 0, 0]))

    @pytest.mark.parametrize(("less", "proven"), [(1e-10, False), (1e-8, True)])
    def test_a_slope_within_rounding_of_its_terms_is_none(self, less, proven):
        p = problem(f"x[0] - {1 + less!r}*x[1]")
        assert ("proven" in facts(p, [0, 0], ray=[1, 1])) is proven

    @pytest.mark.parametrize(("less", "proven"), [(1e-11, False), (1e-8, True)])
    def test_a_curvature_within_rounding_of_the_largest_is_none(self, less, proven):
        p = problem(f"x[0]**2 - {less!r}*x[1]**2 + x[0]")
        assert ("proven" in facts(p, [0, 0], ray=[0, 1])) is proven

    @pytest.mark.parametrize(
        "sides",
        [
            {"upper": 5},
            {"upper": [5, np.inf], "lower": 0},
            {"rows": {"r": "x[0] <= 5"}},
            {"rows": {"r": "-x[0] >= -5"}},
        ],
    )
    def test_a_fall_that_a_bound_ends_has_no_ray(self, sides):
        p = problem("-x[0] + x[1]**2", **sides)
        assert not {"proven", "ray"} & set(facts(p, [0, 0]))
        assert facts(p, [0, 0], ray=[1, 0])["ray"] == "leaves the constraints"

    @pytest.mark.parametrize("units", [1e-8, 1.0, 1e8])
    def test_one_that_nearly_keeps_f_flat_is_moved(self, units):
        p = problem(f"{units!r}*((x[0] - 3*x[1])**2 + x[2])", 3)
        assert facts(p, [0, 0, 0], ray=[3, 1 + 1e-8, -1])["proven"] == "unbounded"
        assert facts(p, [0, 0, 0], ray=[3, 1 + 1e-2, -1])["ray"].startswith("f")

    @pytest.mark.parametrize("row", [1e-6, 1.0, 1e6])
    @pytest.mark.parametrize("ray", [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1.001]])
    def test_rows_and_bounds_hold_for_ever(self, ray, row):
        """x_0 = x_1 with x_0 >= 0 can be kept along (1, 1) alone."""
        p = problem("-x[0]", rows={"r": f"{row!r}*(x[0] - x[1]) == 0"}, lower=[0, -np.inf])
        assert facts(p, [1, 1], ray=ray)["ray"] == "leaves the constraints"
        assert facts(p, [1, 1], ray=[1, 1])["proven"] == "unbounded"
        assert facts(p, [1, 1], ray=[1, 1 + 1e-8])["proven"] == "unbounded"  # moved to where it does

    def test_from_where_no_row_holds_there_is_none(self):
        p = problem("-x[0]", rows={"r": "x[1] <= 1"})
        assert "proven" not in facts(p, [0, 2], ray=[1, 0])

    @pytest.mark.parametrize(
        ("f", "falls"),
        [
            ("-(1 + x[0]**2)**0.5", True),
            ("x[0]**4 - x[0]", False),
            ("1e-26*x[0]**4 - x[0]", True),  # turns at 3e8
            ("1e-23*x[0]**4 - x[0]", False),  # turns at 3e7
            ("1e4*exp(-((x[0] - 1000)/100)**2) - x[0]", False),  # higher at 1e3
        ],
    )
    def test_of_other_functions_it_is_said_whether_they_fall(self, f, falls):
        found = facts(problem(f + " + 0*x[1]", rows={"r": "x[1]**2 <= 1"}), [0.5, 0], ray=[1, 0])
        assert "proven" not in found
        assert found["ray"] == ("f falls along it as far as 1e8" if falls else "f does not fall along it")

    def test_products_alone_are_enough_for_a_given_ray(self):
        for f, ray in (("x[0]**2 - x[1]**2 + x[0]", [0, 1]), ("x[0]**2 - x[1]", [0, 1])):
            p = problem(f)
            p = replace(p, objective_function=Told(p.objective_function, products_only=True))
            assert facts(p, [0, 0], ray=ray)["proven"] == "unbounded"
            assert "proven" not in facts(p, [0, 0], ray=[1, 0])
            assert not {"proven", "ray"} & set(facts(p, [0, 0]))


class TestPointsKnownBeyondRounding:
    """A ray is a proof where some point is feasible; at 1e18 rounding makes any point so."""

    some = problem("-x[0]", rows={"r": "x[0] + x[1] >= 3"})
    none = problem("-x[0]", rows=APART)
    FAR = (1e18, -1e18)

    def test_a_point_of_least_violation_is_looked_for(self):
        assert facts(self.some, [3, 0], ray=[1, -1])["proven"] == "unbounded"
        assert facts(self.some, self.FAR, ray=[1, -1])["proven"] == "unbounded"
        assert facts(self.none, self.FAR, ray=[1, -1])["proven"] == "infeasible"

    def test_where_there_are_too_many_rows_the_point_itself_must_do(self, monkeypatch):
        monkeypatch.setattr(evidence, "MAX_LP", 0)
        for row in (1e-6, 1.0, 1e6):
            p = problem("-x[0]", rows={"r": f"{row!r}*(x[0] + x[1]) >= {3 * row!r}"})
            assert facts(p, [3, 0], ray=[1, -1])["proven"] == "unbounded"
        for p in (self.some, self.none):
            found = facts(p, self.FAR, ray=[1, -1])
            assert found["ray"] == "no point that satisfies the constraints is known beyond rounding"
            assert "proven" not in found

    def test_without_rows_or_with_rows_that_hold_at_0_nothing_is_looked_for(self, monkeypatch):
        monkeypatch.setattr(evidence, "_phase_one", lambda _: pytest.fail("looked for"))
        assert evidence._searched(Local(problem("-x[0]"), np.ones(2), 0)) == ({}, True)
        at = Local(problem("-x[0]", rows={"r": "x[0] + x[1] <= 3"}), np.ones(2), 0)
        assert evidence._searched(at) == ({}, True)
