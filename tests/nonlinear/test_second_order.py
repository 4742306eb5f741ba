"""Curvature: what is small or large enough to take which way, in whatever units, and what is handed on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.nonlinear import curvature as bends
from solverkit.kinds.nonlinear import multipliers, nonlinear
from solverkit.kinds.nonlinear.curvature import curvature
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import least_squares, measure
from tests.nonlinear.test_consistency import Told

CONVEX = "Lagrangian convex at the point"
BT8 = {"a": "x[0] - 1 - x[3]**2 + x[1]**2 == 0", "b": "x[0]**2 + x[1]**2 - 1 - x[4]**2 == 0"}


def local(f, x, rows=None, data=None, **box):
    x = np.asarray(x, float)
    return Local(nonlinear({"x": {"shape": len(x), **box}}, f, rows, data), x, 0)


def bent(at, y=None):
    y = np.zeros(at.problem.m) if y is None else np.array(y, float)
    return curvature(at, measure(at, y, np.zeros(at.problem.n), "given"), 1e-4, 1e-6)


class TestWhichWay:
    """Dense up to DENSE variables; then by disks, by pivots up to PIVOTS, by Lanczos up to LARGE."""

    saddle = "x[0]*x[1] + x[2]**2"
    dominant = "sum(x**2) + x[0]*x[1]"
    pivots = "sum(x**2) + 1.3*x[0]*x[1] + 1.3*x[1]*x[2]"

    @pytest.mark.parametrize(
        ("f", "limits", "how"),
        [
            (dominant, {"DENSE": 3}, "reduced Hessian"),
            (dominant, {"DENSE": 2}, CONVEX),
            (pivots, {"DENSE": 2, "PIVOTS": 3}, CONVEX),
            (pivots, {"DENSE": 2, "PIVOTS": 2}, "Lanczos"),
            (saddle, {"DENSE": 2, "LARGE": 3}, "Lanczos"),
            (saddle, {"DENSE": 2, "LARGE": 2}, "not checked: more than 2 variables and rows"),
        ],
    )
    def test_by_size(self, f, limits, how, monkeypatch):
        for name, limit in limits.items():
            monkeypatch.setattr(bends, name, limit)
        found = bent(local(f, np.zeros(3)))
        assert found.how == how
        assert how == "Lanczos" or found.value == 0

    def test_rows_count_as_variables_do(self, monkeypatch):
        monkeypatch.setattr(bends, "DENSE", 2)
        at = local(self.saddle, np.zeros(3), {"r": "x[0] <= 9"})
        for most, how in ((4, "Lanczos"), (3, "not checked: more than 3 variables and rows")):
            monkeypatch.setattr(bends, "LARGE", most)
            assert bent(at).how == how

    def test_what_torch_would_make_of_products_is_not_formed(self, monkeypatch):
        monkeypatch.setattr(bends, "DENSE", 2)
        at = local(self.dominant, np.zeros(3))
        assert bends.sparse_hessian(at.problem)
        p = replace(at.problem, objective_function=Told(at.problem.objective_function, tensor=None))
        assert not bends.sparse_hessian(p)
        assert bent(Local(p, at.x, 0)).how == "Lanczos"

    def test_the_dense_one_by_whichever_oracle_there_is(self):
        p = local("sum(x**3) + x[0]*x[1]", np.zeros(3)).problem
        x, H = np.array([1.0, 2, 3]), np.array([[6.0, 1, 0], [1, 12, 0], [0, 0, 18]])
        for told in ({"products_only": True, "hessian": None}, {"hvp": None}):
            other = replace(p, objective_function=Told(p.objective_function, **told))
            assert bends.dense_hessian(Local(other, x, 0), np.zeros(0)) == pytest.approx(H)
            assert bends.dense_hessian(Local(other, x, 0), np.zeros(0), 2.0) == pytest.approx(2 * H)

    @pytest.mark.parametrize(
        ("H", "dominant"),
        [
            ([[2, -1], [-1, 2]], True),
            ([[1, 1], [1, 1]], True),
            ([[0, 0], [0, 0]], True),
            ([[1, 1.1], [1.1, 1]], False),
            ([[2, 1.1], [1.1, 1]], False),
            ([[-3, 1], [1, -3]], False),
            ([[-1, 0], [0, 5]], False),
        ],
    )
    def test_by_the_disks_of_gershgorin(self, H, dominant):
        for factor in (1e-9, 1.0, 1e9):
            assert bends._diagonally_dominant(factor * np.array(H, float)) is dominant
            assert bends._diagonally_dominant(csr_array(factor * np.array(H, float))) is dominant


class TestUnits:
    @pytest.mark.parametrize("factor", [1e-30, 1e-8, 1e8])
    def test_equilibration_does_not_see_them(self, factor):
        H = np.array([[4, 1e-3, 0], [1e-3, -1e-5, 0], [0, 0, 1e-13]])
        scaled, unit = bends._equilibrated(H)
        again, other = bends._equilibrated(factor * H)
        assert again == pytest.approx(scaled, rel=1e-9)
        assert other == pytest.approx(unit / np.sqrt(factor), rel=1e-9)
        assert not bends._equilibrated(np.zeros((2, 2)))[0].any()

    @pytest.mark.parametrize("f", [1e-9, 1.0, 1e9])
    @pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
    @pytest.mark.parametrize("row", [1e-6, 1.0, 1e6])
    def test_neither_do_curvature_and_step(self, f, unit, row):
        """x_1 in a unit u of its own, on the line x_0 = u x_1: (2 - 6) / (2 + 6) downwards, or a step of 1 / 4."""
        rows = {"line": f"{row!r}*(x[0] - {unit!r}*x[1]) == 0"}
        u = f"({unit!r}*x[1])"
        assert bent(local(f"{f!r}*(x[0]**2 - 3*{u}**2)", [0, 0], rows)).value == pytest.approx(0.5, rel=1e-6)
        at = local(f"{f!r}*(x[0]**2 - 3*{u}**2)", [0, 0], rows, lower=[-np.inf, 0])  # x_1 may go up, as the line does
        assert bent(at).value == pytest.approx(0.5, rel=1e-6)
        found = bent(local(f"{f!r}*(-x[0]**2 + 3*{u}**2 - x[0])", [0, 0], rows))
        assert (found.value, found.strict) == (0, True)
        assert found.step == pytest.approx([0.25, 0.25 / unit], rel=1e-6)
        assert found.descent == pytest.approx([0.25, 0.25 / unit], rel=1e-6)

    @pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
    def test_nor_does_the_degenerate_direction(self, unit):
        found = bent(local(f"(x[0] - {unit!r}*x[1])**2", [0, 0]))
        assert len(found.degenerate) == 1
        assert found.degenerate[0][0] / found.degenerate[0][1] == pytest.approx(unit, rel=1e-6)
        assert found.strict is False

    def test_a_variable_of_a_tiny_unit_has_a_newton_step_all_the_same(self):
        """1e-20 (x_1 - 1)^2 beside x_0^2 is rounding to the step, but not to the descent."""
        found = bent(local("x[0]**2 + 1e-20*(x[1] - 1)**2", [0, 0]))
        assert found.step is None
        assert found.descent == pytest.approx([0, 1])
        at = local("x[2]**2 + 1e-20*(x[0]**2 - 2*x[0] + x[1]**2/1e8)", [0, 0, 0], {"line": "x[1] == 1e3*x[0]"})
        assert bent(at).descent == pytest.approx([1 / 1.01, 1e3 / 1.01, 0])

    @pytest.mark.parametrize("u", [1e-4, 1.0, 1e4])
    def test_the_way_down_from_a_saddle_in_any_unit(self, u):
        """-2 x_0^2 + 1.5 x_0 u x_1 + u^2 x_1^2: the curvature of the eigenvector, and downhill."""
        H = np.array([[-4, 1.5 * u], [1.5 * u, 2 * u * u]])
        at = local("0.5*dot(x, H @ x)", [0.1, 0.2 / u], data={"H": H})
        d, unit = bent(at).descent, 1 / np.sqrt(np.abs(H).max(axis=1))
        vector = np.linalg.eigh(unit[:, None] * H * unit)[1][:, 0]
        assert d[1] / d[0] == pytest.approx((unit * vector)[1] / (unit * vector)[0], rel=1e-6)
        assert at.gradient @ d < 0

    def test_a_row_whose_gradient_vanishes_holds_nothing(self, monkeypatch):
        found = bent(local("sum(x**2)", [0, 0], {"r": "x[0]**2 - x[1]**2 == 0"}))
        assert (found.value, found.strict, found.stiff.shape) == (0, True, (2, 2))
        monkeypatch.setattr(bends, "DENSE", 1)
        found = bent(local("x[0]**2 - x[1]**2", [0, 0], {"r": "x[0]**2 - x[1]**2 == 0", "s": "1e9*x[1] == 0"}))
        assert (found.how, found.value) == ("Lanczos", pytest.approx(0, abs=1e-9))

    def test_without_curvature_there_is_neither(self):
        found = bent(local("x[0]**2 + x[1]", [0, 0]))
        assert found.step is None
        assert found.descent is None


class TestFlat:
    """Relative eigenvalues up to 1e-6."""

    @pytest.mark.parametrize(("least", "flat"), [(5e-7, 1), (2e-6, 0)])
    @pytest.mark.parametrize("factor", [1e-9, 1.0, 1e9])
    def test_what_counts_as_flat(self, least, flat, factor):
        H = factor * np.array([[1, 1 - least], [1 - least, 1]])
        found = bent(local("0.5*dot(x, H @ x)", [0, 0], data={"H": H}))
        assert (len(found.degenerate), found.strict) == (flat, flat == 0)
        assert found.stiff.shape == (2, 2 - flat)
        if not flat:
            assert found.stiff @ found.stiff.T == pytest.approx(np.linalg.inv(H), rel=1e-6)

    def test_only_some_are_handed_on(self, monkeypatch):
        monkeypatch.setattr(bends, "PROBED", 2)
        assert len(bent(local("x[0]**2 + sum(x**4)", np.zeros(5))).degenerate) == 2

    def test_the_four_softest(self):
        assert len(bent(local("sum(cosh(x))", np.zeros(6))).soft) == 4
        assert len(bent(local("sum(cosh(x))", np.zeros(6), {"r": "x[0] + x[1] == 0", "s": "sum(x) == 0"})).soft) == 4
        assert len(bent(local("sum(x**2)", np.zeros(6), {"r": "sum(x**2) <= 9"})).soft) == 4
        assert len(bent(local("sum(x**2)", np.zeros(6), {"r": "sum(x) <= 9"})).soft) == 0


class TestWeaklyActive:
    @pytest.mark.parametrize(
        ("f", "value", "how", "strict"),
        [
            ("x[0]**2 + x[1]**2", 0, "reduced Hessian", True),
            ("x[1]**2 - x[0]**2", 1, "cone of critical directions", False),
            ("x[1]**2 + x[0]**3", 0, "reduced Hessian", False),  # flat along x_0
            ("x[1]**2 + x[0]", 0, "reduced Hessian", True),  # strongly active
            ("x[1]**2 + x[0] - x[0]**2", 0, "reduced Hessian", True),
        ],
    )
    def test_bounds(self, f, value, how, strict):
        at = local(f, [0, 0], lower=0)
        found = curvature(at, least_squares(at, 1e-6), 1e-4, 1e-6)
        assert found.value == pytest.approx(value)
        assert (found.how, found.strict) == (how, strict)

    @pytest.mark.parametrize("units", [1e-6, 1.0, 1e6])
    def test_a_force_is_weak_beside_the_scale_of_f(self, units):
        for force, value in ((1e-6, 1), (1e-2, 0)):
            at = local(f"{units!r}*(x[1]**2 - x[0]**2 + {force!r}*x[0] + x[2])", [0, 0, 0], lower=0)
            assert curvature(at, least_squares(at, 1e-6), 1e-4, 1e-6).value == pytest.approx(value)

    @pytest.mark.parametrize(("k", "how"), [(6, "cone of critical directions"), (7, "7 weakly active constraints: ")])
    def test_all_faces_of_a_few(self, k, how):
        """-x_0 x_1 falls where both are let go, whatever else is."""
        H = np.eye(k)
        H[0, 1] = H[1, 0] = -2.0
        worst, said = bends._on_cone(H, np.eye(k), np.zeros((0, k)), -np.eye(k), 0.0, 2.0)
        assert worst == pytest.approx(0.5)
        assert said.startswith(how)
        H[0, 1] = H[1, 0] = 2.0  # falls along (1, -1) alone, which leaves the cone
        assert bends._on_cone(H, np.eye(k), np.zeros((0, k)), -np.eye(k), 0.0, 2.0)[0] == 0


class TestMoved:
    """BT8: least squares gives a Lagrangian that bends downwards, and other multipliers one that does not."""

    def test_they_are_taken_where_they_are_better(self):
        at = local("x[0]**2 + x[1]**2 + x[2]**2", [1, 0, 0, 0, 0], BT8)
        found = curvature(at, least_squares(at, 1e-6), 1e-4, 1e-6)
        assert found.value < 1e-9
        assert found.moved is not None
        assert found.moved.worst < 1e-9
        at = local("x[0]**2 + x[1]**2 + x[2]**2 - 9*x[3]**2", [1, 0, 0, 0, 0], BT8)
        assert curvature(at, least_squares(at, 1e-6), 1e-4, 1e-6).value > 1e-3

    def test_those_that_are_worse_to_first_order_are_not(self, monkeypatch):
        at = local("x[0]**2 + x[1]**2 + x[2]**2", [1, 0, 0, 0, 0], BT8)
        given = least_squares(at, 1e-6)
        wrong = measure(at, np.array([0.0, -1.0 + 1e-3]), np.zeros(5), "wrong")
        monkeypatch.setattr(bends, "better_multipliers", lambda *_: wrong)
        found = curvature(at, given, 1e-4, 1e-6)
        assert found.moved is None
        assert found.value > 1e-3

    @pytest.mark.parametrize("units", [1e-6, 1.0, 1e6])
    def test_those_that_are_right_to_tol_are_in_any_units(self, units, monkeypatch):
        at = local(f"{units!r}*(x[0]**2 + x[1]**2 + x[2]**2)", [1, 0, 0, 0, 0], BT8)
        near = measure(at, units * np.array([0.0, -1.0 + 1e-8]), np.zeros(5), "near")
        monkeypatch.setattr(bends, "better_multipliers", lambda *_: near)
        assert curvature(at, least_squares(at, 1e-6), 1e-4, 1e-6).moved is near

    def test_affine_rows_have_nothing_to_choose(self, monkeypatch):
        monkeypatch.setattr(bends, "better_multipliers", lambda *_: pytest.fail("looked for"))
        assert bent(local("x[1]**2 - x[2]**2", np.zeros(3), {"a": "x[0] == 0", "b": "2*x[0] == 0"})).value > 0.5
        assert bent(local("sum(x**2)", np.zeros(2), {"a": "x[0]**2 + x[1] == 0"})).value == 0


class TestLeastSquares:
    def test_signs_are_kept_exactly_up_to_a_size(self, monkeypatch):
        """Variables and active rows together; the third row is not active."""
        at = local("x[0] - x[1]", [0, 0], {"a": "x[0] <= 0", "b": "x[1] <= 0", "c": "x[0] <= 9"})
        monkeypatch.setattr(multipliers, "_by_rounds", lambda *_: (np.full(3, 7.0), np.zeros(2)))
        for most, y in ((4, [0, 1, 0]), (3, [7, 7, 7])):
            monkeypatch.setattr(multipliers, "SIGNED", most)
            assert least_squares(at, 1e-6).y == pytest.approx(y)

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("signed", [5000, 0])
    def test_rows_and_bounds_in_any_units(self, seed, signed, monkeypatch):
        """grad f + J'y + z = 0 with y, z >= 0 at upper bounds: found, whatever the rows are multiplied by."""
        monkeypatch.setattr(multipliers, "SIGNED", signed)
        rng = np.random.default_rng(seed)
        A = rng.standard_normal((3, 6)) * np.array([1e-5, 1.0, 1e5])[:, None]
        x, y, z = rng.standard_normal(6), rng.uniform(1, 2, 3), np.r_[rng.uniform(1, 2, 2), np.zeros(4)]
        y /= np.linalg.norm(A, axis=1)
        upper = np.where(z > 0, x, np.inf)
        data = {"A": A, "b": A @ x, "q": -A.T @ y - z}
        at = local("dot(q, x)", x, {"r": "A @ x <= b"}, data, upper=upper)
        found = least_squares(at, 1e-6)
        assert found.y == pytest.approx(y, rel=1e-6)
        assert found.z == pytest.approx(z, rel=1e-6, abs=1e-8)

    def test_dense_rows_of_which_some_are_not_active(self, monkeypatch):
        monkeypatch.setattr("solverkit.kinds.nonlinear.affine.DENSE_SIZE", 1)
        rng = np.random.default_rng(0)
        A, x, y = rng.standard_normal((4, 6)), rng.standard_normal(6), np.array([1.0, 0, 2, 0])
        data = {"A": A, "b": A @ x + np.array([0, 1.0, 0, 1]), "q": -A.T @ y}
        at = local("dot(q, x)", x, {"r": "A @ x <= b"}, data)
        assert isinstance(at.jacobian, np.ndarray)
        assert least_squares(at, 1e-6).y == pytest.approx(y, abs=1e-8)

    def test_dependent_rows_share_the_force(self, monkeypatch):
        """The same row three times, in three units: forces of 1 each, of least length."""
        rows = {"a": "x[0] == 0", "b": "10*x[0] == 0", "c": "0.1*x[0] == 0"}
        for signed in (5000, 0):
            monkeypatch.setattr(multipliers, "SIGNED", signed)
            found = least_squares(local("-3*x[0] + x[1]**2", [0, 0], rows), 1e-6)
            assert found.y == pytest.approx([1, 0.1, 10], rel=1e-6)
