"""Certificates against known multipliers, wrong points, wrong multipliers, and scalings."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.base import PointStatus
from solverkit.kinds.nonlinear import nonlinear
from solverkit.kinds.nonlinear.certificate import certify
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import least_squares

CERTIFIED, FEASIBLE, INFEASIBLE = PointStatus.CERTIFIED, PointStatus.FEASIBLE, PointStatus.INFEASIBLE


def problem(f, n=2, rows=None, data=None, **box):
    return nonlinear({"x": {"shape": n, **box}}, f, rows, data)


def status(p, x, tol=1e-6, **blocks):
    return certify(p, {"x": np.asarray(x, float), **blocks}, tol).status


def hs71(f=1.0, product=1.0, sphere=1.0):
    """Hock and Schittkowski's problem 71, with objective and rows multiplied by factors."""
    return problem(
        f"{f!r}*(x[0]*x[3]*(x[0] + x[1] + x[2]) + x[2])",
        4,
        {
            "product": f"{product!r}*x[0]*x[1]*x[2]*x[3] >= {25 * product!r}",
            "sphere": f"{sphere!r}*sum(x**2) == {40 * sphere!r}",
        },
        lower=1,
        upper=5,
    )


HS71 = np.array([1, 4.742999643601108, 3.821149982896107, 1.379408291726414])


class TestKnownMultipliers:
    """y >= 0 at an upper bound, <= 0 at a lower one: from the conditions worked out by hand."""

    def test_of_a_row_at_its_upper_bound(self):
        # min (x-2)^2 + (y-1)^2, x + y <= 2: x = (1.5, 0.5), 2(x - 2) + y = 0
        p = problem("(x[0]-2)**2 + (x[1]-1)**2", rows={"r": "x[0] + x[1] <= 2"})
        found = least_squares(Local(p, np.array([1.5, 0.5]), 0), 1e-6)
        assert found.y == pytest.approx([1.0])
        assert found.z == pytest.approx([0.0, 0.0])

    def test_of_a_row_at_its_lower_bound_and_of_bounds(self):
        # min x0^2 + x1, x0 >= 1 as a row, x1 >= 3 as a bound
        p = problem("x[0]**2 + x[1]", rows={"r": "2*x[0] >= 2"}, lower=[-np.inf, 3])
        found = least_squares(Local(p, np.array([1.0, 3.0]), 0), 1e-6)
        assert found.y == pytest.approx([-1.0])
        assert found.z == pytest.approx([0.0, -1.0])

    def test_of_hs71(self):
        # the published multipliers: 0.5523 of the product, 0.1615 of the sphere, 1.0879 of x0 >= 1
        found = least_squares(Local(hs71(), HS71, 0), 1e-6)
        assert found.y == pytest.approx([-0.552293, 0.161469], abs=1e-5)
        assert found.z == pytest.approx([-1.087871, 0, 0, 0], abs=1e-5)

    @pytest.mark.parametrize("dense", [False, True])
    def test_rounds_agree_with_signs(self, dense, monkeypatch):
        """What large problems use, on a small one with rows that must be left out."""
        rng = np.random.default_rng(1)
        A, x = rng.normal(size=(8, 30)), rng.normal(size=30)
        y = np.maximum(rng.normal(size=8), 0)
        data = {"A": A, "b": A @ x, "q": -A.T @ y}
        p = problem("dot(q, x)", 30, {"r": "A @ x <= b"}, data)
        monkeypatch.setattr("solverkit.kinds.nonlinear.multipliers.SIGNED", 0)
        monkeypatch.setattr("solverkit.kinds.nonlinear.affine.DENSE_SIZE", 1 if dense else 10**9)
        p = problem("dot(q, x)", 30, {"r": "A @ x <= b"}, data)
        local = Local(p, x, 0)
        assert isinstance(local.jacobian, np.ndarray) is dense
        assert least_squares(local, 1e-6).y == pytest.approx(y, abs=1e-9)


class TestPoints:
    def test_hs71(self):
        assert status(hs71(), HS71, 1e-8) is CERTIFIED

    @pytest.mark.parametrize("seed", range(5))
    def test_near_optima_are_refused(self, seed):
        shift = 1e-3 * np.random.default_rng(seed).normal(size=4)
        assert status(hs71(), np.clip(HS71 + shift, 1, 5)) is INFEASIBLE

    def test_feasible_but_not_optimal(self):
        p = problem("sum((x - 3)**2)", rows={"r": "sum(x) <= 2"}, lower=0)
        assert status(p, [1, 1]) is CERTIFIED
        assert status(p, [1.001, 0.999]) is FEASIBLE
        assert status(p, [0.999, 0.999]) is FEASIBLE
        assert status(p, [2, 0]) is FEASIBLE

    @pytest.mark.parametrize(
        ("f", "x"),
        [
            ("-sum(x**2)", [0, 0]),  # a maximum
            ("x[0]**2 - x[1]**2", [0, 0]),  # a saddle
            ("1e8*x[0]**2 - x[1]**2", [0, 0]),  # a saddle whose curvature is lost beside 1e8
            ("1e8*(x[0] + x[1])**2 - x[1]**2", [0, 0]),  # the same, and not along an axis
            ("x[0]**3 + x[1]**2", [0, 0]),  # flat to second order
            ("x[0]**2 - x[1]**6", [0, 0]),  # to fifth order
            ("x[0]**2 - x[1]**10 + 1", [0, 0]),
            ("(x[1] - x[0]**2)*(x[1] - 3*x[0]**2)", [0, 0]),  # Peano: a minimum along every line
            ("1e8*x[0]**2 + x[1]", [0, 0]),  # a slope lost beside 1e8
        ],
    )
    def test_what_is_no_minimum(self, f, x):
        assert status(problem(f), x) is FEASIBLE

    def test_small_curvature_beside_large(self):
        for f in ("1e8*x[0]**2 - x[1]**2", "x[0]**2 - 1e-8*x[1]**2"):
            assert certify(problem(f), {"x": np.zeros(2)})["curvature"].value == pytest.approx(1)

    @pytest.mark.parametrize("f", ["x[0]**4 + x[1]**2", "x[0]**2*x[1]**2", "(x[0] - x[1])**2"])
    def test_degenerate_minima_pass_and_say_so(self, f):
        certificate = certify(problem(f), {"x": np.zeros(2)}, 1e-6)
        assert certificate.status is CERTIFIED
        assert certificate.facts["strict"] is False
        assert "degenerate" in certificate["probe"].note

    @pytest.mark.parametrize(("power", "expected"), [(3, FEASIBLE), (4, CERTIFIED)])
    def test_degenerate_on_a_curve(self, power, expected):
        """f is x0^power on the parabola, and falls off it: only what comes back to it counts."""
        p = problem(f"x[1] - x[0]**2 + x[0]**{power}", rows={"parabola": "x[1] - x[0]**2 == 0"})
        assert status(p, [0, 0]) is expected

    def test_weakly_active_bounds(self):
        """x >= 0 with a zero multiplier: the cone decides, not the plane."""
        assert status(problem("x[1]**2 - x[0]**2", lower=0), [0, 0]) is FEASIBLE
        assert status(problem("x[0]*x[1]", lower=0), [0, 0]) is CERTIFIED
        assert status(problem("-x[0]*x[1]", lower=0), [0, 0]) is FEASIBLE

    def test_circle(self):
        p = problem("sum(x)", rows={"c": "sum(x**2) == 2"})
        assert status(p, [-1, -1]) is CERTIFIED
        assert status(p, [1, 1]) is FEASIBLE  # the maximum

    def test_systems_of_equations(self):
        p = nonlinear({"x": {"shape": 2}}, subject_to={"a": "x[0] + x[1] == 1", "b": "x[0]*x[1] == -6"})
        assert status(p, [3, -2]) is CERTIFIED
        assert status(p, [3, -2.001]) is INFEASIBLE

    def test_dependent_rows(self):
        p = problem("sum(x**2)", rows={"a": "sum(x) == 2", "b": "2*sum(x) == 4"})
        assert status(p, [1, 1], multipliers=np.array([8.0, -5.0])) is CERTIFIED
        assert status(p, [1, 1]) is CERTIFIED
        assert status(p, [1.1, 0.9]) is FEASIBLE

    @pytest.mark.parametrize("blocks", [{}, {"multipliers": np.array([3.9e7, -1.95e7 - 1])}])
    def test_dependent_rows_with_many_multipliers(self, blocks):
        """BT8 of Boggs and Tolle: only y = (0, -1) shows the minimum, and least squares gives (-0.4, -0.8)."""
        rows = {"a": "x[0] - 1 - x[3]**2 + x[1]**2 == 0", "b": "x[0]**2 + x[1]**2 - 1 - x[4]**2 == 0"}
        p = problem("x[0]**2 + x[1]**2 + x[2]**2", 5, rows)
        assert status(p, [1, 0, 0, 0, 0], **blocks) is CERTIFIED
        p = problem("x[0]**2 - 2*x[1]**2 + x[2]**2", 5, rows)
        assert status(p, [1, 0, 0, 0, 0], **blocks) is FEASIBLE

    def test_far_away(self):
        """f = -t on y = t^2 has no bound; at t = 1e10 the multiplier is 1e-10, and looks like zero."""
        p = problem("-x[0]", rows={"r": "x[1] == x[0]**2"})
        for t in (1e2, 1e5, 1e10):
            assert status(p, [t, t * t]) is FEASIBLE

    def test_where_f_is_not_finite(self):
        assert status(problem("log(x[0]) + x[1]**2"), [0, 0]) is PointStatus.UNVERIFIED
        assert status(problem("x[0]"), [np.nan, 0]) is PointStatus.UNVERIFIED
        assert certify(problem("x[0]"), {"y": np.zeros(2)}).status is PointStatus.UNVERIFIED


class TestMultipliersOfThePoint:
    p = problem("sum((x - 3)**2)", rows={"r": "sum(x) <= 2"}, lower=0)

    def origin(self, y, x=(1, 1), p=None):
        certificate = certify(p or self.p, {"x": np.array(x, float), "multipliers": np.array(y, float)}, 1e-6)
        return certificate.status, certificate.facts["multipliers"]

    def test_right_ones_are_taken(self):
        assert self.origin([4.0]) == (CERTIFIED, "the point's")

    @pytest.mark.parametrize("y", [[-4.0], [3.9], [0.0], [np.inf], [1e20], [4.0, 1.0]])
    def test_wrong_ones_do_no_harm(self, y):
        assert self.origin(y) == (CERTIFIED, "least squares")

    @pytest.mark.parametrize("y", [4.0, 1e3, 1e9, 1e17, -1e17])
    def test_none_make_a_wrong_point_right(self, y):
        assert self.origin([y], (0.9, 0.9))[0] is FEASIBLE
        assert self.origin([y], (1.2, 0.8))[0] is FEASIBLE

    @pytest.mark.parametrize("size", [1e6, 1e12, 1e18])
    def test_cancelling_ones_do_not_either(self, size):
        """Dependent rows: huge multipliers whose sum vanishes, and hide what is left."""
        p = problem("sum(x**2)", rows={"a": "sum(x) == 2", "b": "3*sum(x) == 6"})
        assert self.origin([3 * size, -size], (1.3, 0.7), p)[0] is FEASIBLE

    def test_those_too_large_to_be_checked_are_not_taken(self):
        """x = (1, 1) has y_a + 3 y_b = -2; rounding in J'y could hide what such multipliers leave."""
        p = problem("sum(x**2)", rows={"a": "sum(x) == 2", "b": "3*sum(x) == 6"})
        assert self.origin([-2 - 3 * 2.0**10, 2.0**10], (1, 1), p) == (CERTIFIED, "the point's")
        assert self.origin([-2 - 3 * 2.0**50, 2.0**50], (1, 1), p) == (CERTIFIED, "least squares")

    def test_wrong_signs_are_named(self):
        p = problem("-sum(x)", rows={"r": "sum(x) >= 2"}, upper=10)
        certificate = certify(p, {"x": np.ones(2), "multipliers": np.ones(1), "bound_multipliers": np.zeros(2)}, 1e-6)
        assert certificate.status is FEASIBLE

    def test_both_blocks(self):
        point = {"x": HS71, "multipliers": np.array([-0.55229366, 0.16146857])}
        point["bound_multipliers"] = np.array([-1.08787121, 0, 0, 0])
        assert certify(hs71(), point, 1e-6).facts["multipliers"] == "the point's"


class TestScaling:
    @pytest.mark.parametrize("factor", [1e-8, 1e-6, 1e6, 1e8])
    def test_of_everything(self, factor):
        for scaled in ({"f": factor}, {"product": factor}, {"sphere": factor}):
            p = hs71(**scaled)
            assert status(p, HS71) is CERTIFIED
            assert status(p, np.clip(HS71 + np.array([0, 1e-3, -1e-3, 0]), 1, 5)) is INFEASIBLE

    @pytest.mark.parametrize("factor", [1e-8, 1e-4, 1.0, 1e4, 1e8])
    def test_of_an_unconstrained_objective(self, factor):
        p = problem(f"{factor!r}*((x[0] - 1)**2 + 3*(x[1] - 2)**2)")
        assert status(p, [1 + 1e-8, 2 - 1e-8]) is CERTIFIED
        assert status(p, [1 + 1e-4, 2]) is FEASIBLE

    def test_where_a_gradient_cannot_be_computed_to_tol(self, monkeypatch):
        """Rounding of x alone leaves 1e-4 of a gradient whose parts are 1e12."""
        monkeypatch.setattr("solverkit.kinds.nonlinear.curvature.DENSE", 0)
        p = problem("1e12*sum((x - 0.1)**2)")
        assert status(p, [np.nextafter(0.1, 1)] * 2) is CERTIFIED
        assert status(p, [0.1 + 1e-9] * 2) is FEASIBLE

    @pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
    def test_of_an_active_row(self, factor):
        p = problem("sum((x - 3)**2)", rows={"r": f"{factor!r}*sum(x) <= {2 * factor!r}"})
        assert status(p, [1, 1]) is CERTIFIED
        assert status(p, [1 + 1e-8, 1 - 1e-8]) is CERTIFIED
        assert status(p, [1.001, 0.999]) is FEASIBLE
        assert status(p, [1.001, 1.001]) is INFEASIBLE


def test_large_problems_are_seen_by_lanczos(monkeypatch):
    """A saddle in many variables: the smallest curvature of the Lagrangian on the plane."""
    monkeypatch.setattr("solverkit.kinds.nonlinear.curvature.DENSE", 10)
    d = np.linspace(1, 3, 60)
    rows = {"r": "sum(x) == 0", "fix": "x[0] == 0"}
    for first, expected in ((-5.0, CERTIFIED), (1.0, CERTIFIED)):  # x0 is held: its curvature does not matter
        d[0] = first
        p = problem("dot(d, x**2) + 0.1*x[1]*x[2]", 60, rows, {"d": d})
        assert status(p, np.zeros(60)) is expected
    d[7] = -0.5
    p = problem("dot(d, x**2) + 0.1*x[1]*x[2]", 60, rows, {"d": d})
    certificate = certify(p, {"x": np.zeros(60)}, 1e-6)
    assert certificate.status is FEASIBLE
    assert not certificate["curvature"].ok
    assert certificate["curvature"].note.startswith("Lanczos")


class TestBesideInflections:
    """Close to a point that is flat to second order, curvature is positive, and f falls all the same."""

    @pytest.mark.parametrize("off", [1e-6, 1e-4, 5.7e-4])
    def test_a_cube(self, off):
        certificate = certify(problem("x[0]**3 + x[1]**2"), {"x": np.array([off, 0.0])})
        assert certificate.status is FEASIBLE
        assert [term.name for term in certificate.terms if not term.ok] == ["probe"]

    def test_hs47(self):
        """The published optimum, all ones, is none: with x_2 - x_3 = 2t along the curve left, f falls by t^3."""
        f = "(x[0] - x[1])**2 + (x[1] - x[2])**3 + (x[2] - x[3])**4 + (x[3] - x[4])**4"
        rows = {"a": "x[0] + x[1]**2 + x[2]**3 == 3", "b": "x[1] - x[2]**2 + x[3] == 1", "c": "x[0]*x[4] == 1"}
        assert status(problem(f, 5, rows), np.ones(5)) is FEASIBLE

    @pytest.mark.parametrize("f", ["x[0]*x[1]**2", "x[0]*x[1]*x[2]", "x[0]**2*x[1] - x[2]**4"])
    def test_zero_along_every_axis(self, f):
        assert status(problem(f, 3), np.zeros(3)) is FEASIBLE

    @pytest.mark.parametrize(
        "f", ["1e-3*x[0]**2 + x[0]**4 + x[1]**2", "exp(x[0]) - x[0] + x[1]**4", "-cos(20*x[0]) - 0.1*x[0]"]
    )
    def test_minima_pass(self, f):
        """The last has a lower minimum next door, behind a barrier."""
        x = [np.arcsin(0.1 / 20) / 20 if "cos" in f else 0.0, 0.0]
        assert status(problem(f), x) is CERTIFIED


@pytest.mark.parametrize("excess", [1e-2, 1e-4, 1e-5])
def test_a_broken_row_is_seen_in_any_units_of_its_variables(excess):
    """u'u = 2 with u = (1e6 x_0, 1e-6 x_1): broken by 2 excess, over sum |J_j x_j| + bound = 4 + 2."""
    p = problem("-1e6*x[0] - 1e-6*x[1]", rows={"circle": "(1e6*x[0])**2 + (1e-6*x[1])**2 == 2"})
    assert status(p, [1e-6, 1e6]) is PointStatus.CERTIFIED
    for u in ([1 + excess, 1.0], [1.0, 1 - excess]):
        local = Local(p, np.array([1e-6 * u[0], 1e6 * u[1]]), 0)
        assert local.violation[0] == pytest.approx(excess / 3, rel=0.02)
        assert status(p, local.x) is PointStatus.INFEASIBLE
