"""Each term of the certificate on its own: its tolerance, where it breaks, and what it does in other units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solverkit.kinds.base import PointStatus
from solverkit.kinds.nonlinear import certificate as module
from solverkit.kinds.nonlinear import nonlinear, scipy_problem
from solverkit.kinds.nonlinear.certificate import certify
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import measure

CERTIFIED, FEASIBLE, INFEASIBLE = PointStatus.CERTIFIED, PointStatus.FEASIBLE, PointStatus.INFEASIBLE


def problem(f, n=2, rows=None, data=None, **box):
    return nonlinear({"x": {"shape": n, **box}}, f, rows, data)


def checked(p, x, tol=1e-6, **blocks):
    return certify(p, {"x": np.asarray(x, float), **{k: np.asarray(v, float) for k, v in blocks.items()}}, tol)


def failed(certificate):
    return [term.name for term in certificate.terms if not term.ok]


class TestTolerances:
    @pytest.mark.parametrize(
        ("tol", "curvature", "probe"),
        [(1e-10, 1e-6, 1e-5), (1e-7, 1e-5, 1e-5), (1e-6, 1e-4, 1e-4), (1e-3, 1e-3, 1e-2), (0.1, 0.1, 0.1)],
    )
    def test_of_every_term(self, tol, curvature, probe):
        """Curvature: 100 tol within 1e-6 and 1e-4; the probe: 100 tol, from 1e-5 on, up to 1e-2; neither below tol."""
        certificate = checked(problem("x[0]**4 + x[1]**2", rows={"r": "x[0] + x[1] <= 1"}), [0, 0], tol)
        tolerances = {term.name: term.tolerance for term in certificate.terms}
        plain = dict.fromkeys(("feasibility", "stationarity", "complementarity", "multiplier_signs"), tol)
        assert tolerances == pytest.approx(plain | {"curvature": curvature, "probe": probe, "oracles": 1e-4})

    def test_a_point_that_breaks_nothing_is_feasible_at_any_tol(self):
        p = problem("sum(x**2)", rows={"r": "x[0] <= 1"})
        certificate = checked(p, [0, 0], 0.0)
        assert certificate["feasibility"].ok
        assert certificate["feasibility"].note == ""
        certificate = checked(p, [2, 0])
        assert certificate["feasibility"].note == "worst: r"

    @pytest.mark.parametrize(("distance", "active"), [(5e-4, True), (5e-3, False)])
    def test_a_bound_is_active_within_a_thousandth_at_most(self, distance, active):
        """At tol 1e-4. x_1 between two close bounds: f may bend downwards there; its slope needs a bound."""
        p = problem("x[0]**2 - x[1]**2", lower=-distance, upper=distance)
        assert checked(p, [0, 0], 1e-4)["curvature"].ok is active
        p = problem("x[0]**2 - x[1]", upper=distance)
        assert checked(p, [0, 0], 1e-4)["stationarity"].ok is active


class TestNotes:
    def test_of_blocks_that_are_no_point(self):
        p = problem("sum(x**2)")
        assert certify(p, {"y": np.zeros(2)}).unverified == "block 'x' is missing"
        assert "shape (3,)" in certify(p, {"x": np.zeros(3)}).unverified
        assert certify(p, {"x": np.array([np.inf, 0])}).unverified == "the point is not finite"

    def test_of_degenerate_directions(self):
        note = checked(problem("x[0]**4 + x[1]**4 + x[2]**2", 3), np.zeros(3))["probe"].note
        assert note == "2 degenerate directions: necessary conditions hold, sufficient ones do not"
        certificate = checked(problem("sum(cosh(x))"), [0, 0])
        assert certificate["probe"].note == ""
        assert certificate.facts["strict"] is True
        assert certificate.facts["probes"] > 0

    def test_of_differences(self):
        x = np.zeros(2)
        p = scipy_problem(lambda x: np.sum(x**2), x)
        assert certify(p, p.blocks(x)).facts["differences"] == ", ".join(p.differences)
        assert "differences" not in checked(problem("sum(x**2)"), [0, 0]).facts


class TestFinestDifferences:
    class Rough:
        """A function with finer differences."""

        def __init__(self, function):
            self.function = function

        def __getattr__(self, name):
            return getattr(self.function, name)

        def refined(self):
            return self.function

    def test_of_f_of_the_rows_and_of_both(self):
        p = problem("sum(x**2)", rows={"r": "x[0]*x[1] <= 1"})
        f, c = p.objective_function, p.constraint_function
        assert module._refined(p) is p
        for rough in (
            {"objective_function": self.Rough(f)},
            {"constraint_function": self.Rough(c)},
            {"objective_function": self.Rough(f), "constraint_function": self.Rough(c)},
        ):
            found = module._refined(replace(p, **rough))
            assert found.objective_function is f
            assert found.constraint_function is c


class TestMultipliersThatAreTaken:
    @pytest.mark.parametrize("units", [1e-6, 1.0, 1e6])
    def test_those_of_the_point_where_they_are_right_to_tol_in_any_units(self, units):
        p = problem(f"{units!r}*sum((x - 3)**2)", rows={"r": "sum(x) <= 2"})
        given = checked(p, [1, 1], multipliers=[4 * units * (1 + 1e-8)])
        assert given.facts["multipliers"] == "the point's"
        given = checked(p, [1, 1], multipliers=[4 * units * (1 + 1e-4)])
        assert given.facts["multipliers"] == "least squares"


class TestRaysOfLinearPrograms:
    """A slope in a small unit beside one in a large unit."""

    def lp(self, **box):
        """1e8 x_0 - x_1: the slope of x_1 is 1e-8 of S."""
        return problem("1e8*x[0] - x[1]", lower=0, **box)

    def test_a_ray_breaks_stationarity(self):
        certificate = checked(self.lp(), [0, 0])
        assert failed(certificate) == ["stationarity"]
        assert certificate["stationarity"].value == pytest.approx(1)
        assert certificate["stationarity"].note == "of one coordinate: f has no bound along a ray"
        assert certificate.facts["proven"] == "unbounded"
        assert certificate.facts["objective"] == 0  # what was known before is kept
        assert [term.name for term in certificate.terms][:3] == ["feasibility", "stationarity", "complementarity"]

    def test_so_it_does_where_f_is_quadratic_and_not_strictly_convex(self):
        for f in ("1e8*x[0] - x[1] + x[2]**2", "1e8*x[0] - x[1] + (x[1] - x[2])**2"):
            certificate = checked(problem(f, 3, lower=[0, 0, -np.inf]), [0, 0, 0])
            assert failed(certificate) == ["stationarity"]
            assert certificate.facts["proven"] == "unbounded"

    @pytest.mark.parametrize("rows", [None, {"r": "x[1] >= -5"}])
    def test_multipliers_of_what_is_not_active_carry_no_slope(self, rows):
        """x_1 >= -5, a bound or a row, is not met at 0."""
        p = problem("1e8*x[0] - x[1]", rows=rows, lower=[0, -np.inf if rows else -5])
        given = {"multipliers": [1.0] if rows else [], "bound_multipliers": [-1e8, 0.0 if rows else 1.0]}
        certificate = checked(p, [0, 0], **given)
        assert certificate.facts["multipliers"] == "the point's"
        assert failed(certificate) == ["stationarity"]

    def test_without_a_ray_the_slope_is_within_tol(self):
        certificate = checked(self.lp(upper=5), [0, 0])
        assert certificate.status is CERTIFIED
        assert "proven" not in certificate.facts

    @pytest.mark.parametrize(
        ("tol", "share", "broken"), [(1e-6, 0.8e-2, False), (1e-6, 1.2e-2, True), (1e-3, 0.6, True)]
    )
    def test_a_slope_that_is_small_beside_its_terms_is_none(self, tol, share, broken):
        """Along (0, 1, 1) f falls by e, and r = (e/2, e/2) beside terms of 2 + e/2 and more: 1e-2 at tol 1e-6."""
        e = 4 * share / (1 - share)
        p = problem(f"1e8*x[0] + x[1] - {1 + e!r}*x[2]", 3, {"equal": "x[1] == x[2]"}, lower=[0, -np.inf, -np.inf])
        certificate = checked(p, [0, 0, 0], tol)
        assert failed(certificate) == (["stationarity"] if broken else [])
        assert certificate.facts.get("proven") == ("unbounded" if broken else None)

    def test_nowhere_else_is_a_ray_looked_for(self, monkeypatch):
        """Elsewhere r_j is all that is left of grad_j f at any answer."""

        def none(*_):
            raise AssertionError("a ray was looked for")

        monkeypatch.setattr(module, "unboundedness", none)
        for p in (
            problem("1e8*x[0] + 0.5*(x[1] - 1e-3)**2", lower=0),
            problem("1e8*x[0] - 1e-3*x[1]", rows={"r": "x[0] >= x[1]**2"}, lower=0),
        ):
            certificate = checked(p, [0, 0])
            assert certificate.unverified == ""
            assert certificate["stationarity"].ok

    def test_the_share_of_a_residual_in_its_terms(self):
        """|r_j| / (|grad_j f| + sum_i |J_ij y_i| + 1e-4 ||J_j|| max |y|), by loops."""
        rng = np.random.default_rng(0)
        A, q, y = rng.standard_normal((3, 4)), rng.standard_normal(4), np.array([0.0, 2.0, -3.0])
        A[1:, 0], q[0] = 0.0, 0.0  # of x_0 only the row without a multiplier is left
        p = problem("dot(q, x)", 4, {"r": "A @ x <= b"}, {"A": A, "q": q, "b": np.zeros(3)})
        at = Local(p, np.zeros(4), 0)
        for z in (np.zeros(4), np.array([1e-4, 0, 0, 0]), -q - A.T @ y):
            found = measure(at, y, z, "")
            shares = []
            for j in range(4):
                size = abs(q[j]) + sum(abs(A[i, j] * y[i]) for i in range(3))
                size += 1e-4 * np.sqrt(sum(A[i, j] ** 2 for i in range(3))) * 3
                left = q[j] + sum(A[i, j] * y[i] for i in range(3)) + z[j]
                shares.append(abs(left) / size)
            assert module._alone(at, found) == pytest.approx(max(shares), abs=1e-12)

    def test_small_multipliers_count_as_they_are(self):
        """1e-3 y with y = 0.5 is left over 0.5 + 1e-4: no other size enters."""
        at = Local(problem("0*x[0]**2 + x[1]", rows={"r": "x[0] <= 0"}), np.zeros(2), 0)
        found = measure(at, np.array([0.5]), np.array([-0.5 + 5e-4, -1.0]), "")
        assert module._alone(at, found) == pytest.approx(5e-4 / (0.5 + 0.5e-4))

    def test_a_variable_that_nothing_depends_on_has_no_share(self):
        p = problem("x[0]", rows={"r": "x[0] >= 0"})
        at = Local(p, np.zeros(2), 0)
        assert module._alone(at, measure(at, np.array([-1.0]), np.zeros(2), "")) == 0


class TestComplementarity:
    """Beside a force of 1e8 one of 1e3 and less looks small, times its distance; what f falls by does not."""

    @pytest.mark.parametrize("side", ["lower", "upper"])
    @pytest.mark.parametrize(
        ("slope", "bound", "distance", "more", "broken"),
        [
            (1e3, 0.0, 5e-5, 0.0, True),
            (1e3, 0.0, 5e-8, 0.0, False),
            (1e3, 0.0, 2e-4, 0.0, False),  # not at the bound
            (1.0, 1e3, 5e-2, 0.0, True),  # within 1e-4 of the size of x
            (0.5, 1e3, 5e-2, 0.0, True),
            (1.0, 1e3, 1.5e-4, 0.0, True),  # by 1e-4 (1 + |f|)
            (1.0, 1e3, 0.8e-4, 0.0, False),
            (1.0, 1e3, 5e-4, 10.0, False),
            (1.0, 1e3, 5e-4, -10.0, False),
            (1.0, 1e3, 2e-3, 10.0, True),
        ],
    )
    def test_a_fall_on_the_way_to_the_bound(self, slope, bound, distance, more, side, broken):
        sign = 1.0 if side == "lower" else -1.0
        x = np.array([0.0, bound + sign * distance])
        f = f"{sign * 1e8!r}*x[0] + {sign * slope!r}*(x[1] - {bound!r}) + {more!r}"
        p = problem(f, **{side: [0.0, bound]})
        term = checked(p, x, multipliers=[], bound_multipliers=[-sign * 1e8, -sign * slope])["complementarity"]
        assert term.ok is not broken
        if broken:
            assert term.value == pytest.approx(slope * distance, rel=1e-6)
            assert term.note == "f falls by so much on the way to an active bound"
        else:
            assert term.note == ""

    def test_a_product_that_is_large_is_shown_itself(self):
        p = problem("x[0] + 1e3*x[1]", lower=0)
        term = checked(p, [0, 1e-2], multipliers=[], bound_multipliers=[-1, -1e3])["complementarity"]
        assert not term.ok
        assert term.value == pytest.approx(1e3 * 1e-2 / (1 + 0))
        assert term.note == ""


class TestStationarity:
    def test_the_distance_to_the_minimizer_in_any_units_of_f(self):
        """1e11 (x_0 - 0.1)^2, 1e-7 beside its minimum, where f is 1e-3 above it: a residual of 0.1 S."""
        p = problem("1e11*(x[0] - 0.1)**2 + x[1]**2")
        term = checked(p, [0.1 + 1e-7, 0])["stationarity"]
        assert term.ok
        assert term.value == pytest.approx(1e-7 / 1.1, rel=1e-3)
        assert term.note == "relative Newton step on the active constraints"
        assert not checked(p, [0.1 + 1e-5, 0])["stationarity"].ok

    @pytest.mark.parametrize(("x", "off", "ok"), [(1e3, 5e-4, True), (1e3, 5e-3, False), (0.0, 5e-4, False)])
    def test_that_distance_is_relative(self, x, off, ok):
        p = problem(f"1e11*(x[0] - {x!r})**2 + x[1]**2")
        assert checked(p, [x + off, 0])["stationarity"].ok is ok

    def test_a_force_out_of_a_bound_is_no_distance(self):
        """f falls into x_1 >= 0, which the Newton step on the active bounds does not see."""
        p = problem("1e12*(x[0] - 0.1)**2 - 1e9*x[1]", lower=[-9, 0])
        assert not checked(p, [0.1 + 1e-8, 0])["stationarity"].ok
        p = problem("1e12*(x[0] - 0.1)**2 + 1e9*x[1]", lower=[-9, 0])
        assert checked(p, [0.1 + 1e-8, 0])["stationarity"].ok

    @pytest.mark.parametrize(
        ("fall", "more", "broken"),
        [(1.5e-4, 0.0, True), (0.8e-4, 0.0, False), (5e-4, 10.0, False), (5e-4, -10.0, False), (2e-3, 10.0, True)],
    )
    def test_a_fall_within_a_newton_step(self, fall, more, broken):
        """Beside a force of 1e8 every slope of x_1 is small. From 1.01 to 1 f falls, by 1e-4 (1 + |f|) or not."""
        p = problem(f"1e8*x[0] + {1e4 * fall!r}*(x[1] - 1)**2 + {more!r}", lower=[0, -np.inf])
        certificate = checked(p, [0, 1.01])
        term = certificate["stationarity"]
        assert term.ok is not broken
        if broken:
            assert term.value == pytest.approx(fall, rel=1e-3)
            assert term.note == "f falls by so much within a Newton step"
