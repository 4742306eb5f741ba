"""Second-order conditions, moves and multipliers, against the same by dense algebra and by sampling."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import ArpackNoConvergence

from solverkit.kinds.nonlinear import curvature as bends
from solverkit.kinds.nonlinear import degenerate, nonlinear
from solverkit.kinds.nonlinear import probe as probes
from solverkit.kinds.nonlinear.curvature import Active, Curvature, curvature
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import Measured, least_squares, measure


def local(f, x, rows=None, data=None, **box):
    x = np.asarray(x, float)
    return Local(nonlinear({"x": {"shape": len(x), **box}}, f, rows, data), x, 0)


def bent(at: Local, y=None, z=None) -> Curvature:
    m, n = at.problem.m, at.problem.n
    found = measure(at, np.zeros(m) if y is None else np.array(y, float), np.zeros(n) if z is None else z, "given")
    return curvature(at, found, 1e-4, 1e-6)


def positive(n: int, seed: int) -> np.ndarray:
    factor = np.random.default_rng(seed).standard_normal((n, n))
    return factor @ factor.T + np.eye(n)


class TestActive:
    def test_which_constraints_and_how_strongly(self):
        """Forces beside 1e-4 of the scale 1: the first row strongly active, the second weakly, the third not active."""
        rows = {"a": "2*x[0] <= 0", "b": "x[1] >= 0", "c": "x[2] <= 1", "d": "x[0] + x[1] == 0"}
        at = local("x[2]", [0, 0, 0], rows, lower=[-1, 0, 0], upper=[0, 0, 5])
        found = measure(at, np.array([1.0, -1e-5, 0, 1e-9]), np.array([0, 0, -1.0]), "")
        active = Active.of(at, found, 1e-4)
        assert active.rows.tolist() == [0, 1, 3]
        assert active.rows_weak.tolist() == [False, True, False]
        assert active.row_side.tolist() == [1, -1, 1]
        assert active.row_free.tolist() == [False, False, True]
        assert active.bounds.tolist() == [0, 1, 2]
        assert active.bounds_weak.tolist() == [True, False, False]
        assert active.bound_side.tolist() == [1, 1, -1]
        assert active.bound_free.tolist() == [False, True, False]
        assert active.gradients(at).tolist() == [[2, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
        weak = active.gradients(at, active.rows_weak, active.bounds_weak)
        assert weak.tolist() == [[0, 1, 0], [1, 0, 0]]
        assert bends._inward(at, active).tolist() == [[0, -1, 0], [1, 0, 0]]


class TestDense:
    @pytest.mark.parametrize("seed", range(3))
    def test_the_newton_step_and_the_inverse(self, seed):
        """On the plane sum x = 0: against the KKT system, and Z (Z'HZ)^-1 Z'."""
        rng = np.random.default_rng(seed)
        H, q, x = positive(4, seed), rng.standard_normal(4), rng.standard_normal(4)
        x -= x.mean()
        at = local("0.5*dot(x, H @ x) + dot(q, x)", x, {"r": "sum(x) == 0"}, {"H": H, "q": q})
        found = bent(at)
        one = np.ones((4, 1))
        kkt = np.block([[H, one], [one.T, np.zeros((1, 1))]])
        step = np.linalg.solve(kkt, np.r_[-(H @ x + q), 0])[:4]
        assert found.step == pytest.approx(step, rel=1e-6)
        assert found.descent == pytest.approx(step, rel=1e-6)
        Z = np.linalg.svd(one.T)[2][1:].T
        assert found.stiff @ found.stiff.T == pytest.approx(Z @ np.linalg.inv(Z.T @ H @ Z) @ Z.T, rel=1e-6, abs=1e-9)
        assert found.inverse @ found.stiff == pytest.approx(np.eye(3), abs=1e-9)
        assert (found.value, found.strict, len(found.degenerate)) == (0, True, 0)
        assert len(found.soft) == 0  # curvature is the same everywhere
        assert not found.walks

    @pytest.mark.parametrize(("row", "outside"), [("x[0] <= 0", 3), ("x[0] == 0", 0), ("1e3*x[0] == 0", 0)])
    def test_what_no_step_on_the_plane_changes(self, row, outside):
        """x_0 held, with the residual (3, 4): 3 is outside where no multiplier of either sign takes it."""
        at = local("3*x[0] + x[1]**2", [0, 2], {"r": row})
        found = bent(at)
        assert found.outside == pytest.approx(outside, abs=1e-12)
        if outside == 0:
            assert found.step == pytest.approx([0, -2])

    def test_rows_of_either_sign_take_their_own_part_alone(self):
        """(3, 3, 0) at the corner of x_0 <= 0 and x_0 = -x_1: along (1, 1, 0) / sqrt 2 all goes."""
        at = local("3*x[0] + 3*x[1] + x[2]**2", [0, 0, 0], {"a": "x[0] <= 0", "b": "x[0] + x[1] == 0"})
        assert bent(at).outside == pytest.approx(0, abs=1e-12)
        at = local("3*x[0] + x[2]**2", [0, 0, 0], {"a": "x[0] <= 0", "b": "x[0] + x[1] == 0"})
        assert bent(at).outside == pytest.approx(1.5)

    def test_where_everything_is_held(self):
        at = local("x[0] - x[1]**2", [0, 0], {"a": "x[0] == 0", "b": "x[1] == 0"})
        found = bent(at)
        assert (found.value, found.strict, found.outside) == (0, True, 0)
        assert found.step.tolist() == [0, 0]
        assert not found.walks

    @pytest.mark.parametrize(("x", "way"), [([1.0, -0.5], 1), ([-0.5, 1.0], 1), ([0.5, -1], -1), ([2.0, 1.0], -1)])
    def test_down_along_negative_curvature(self, x, way):
        """-x_0 x_1 falls along (1, 1), on the side that the residual names; as long as 1 + |x_j| allows."""
        at = local("-x[0]*x[1]", x)
        found = bent(at)
        assert found.value == pytest.approx(1)
        assert found.step is None
        slope = at.gradient @ found.descent
        assert slope < 0
        assert abs(found.descent[0] - found.descent[1]) < 1e-12
        assert np.abs(found.descent / at.size).max() == pytest.approx(1)

    def test_the_softest_directions(self):
        """Of x_0^4 + 10 x_1^2 - 1e-9: curvature is least along x_0, measured by 1 + |x|."""
        at = local("1e-2*x[0]**2 + 10*x[1]**2 + x[2]**2 + x[0]**4", [0, 0, 9])
        soft = bent(at).soft
        assert len(soft) == 3
        assert np.abs(soft[0]).argmax() == 0
        curved = [d @ np.diag([2e-2, 20, 2]) @ d / np.sum((d / at.size) ** 2) for d in soft]
        assert curved == sorted(curved)
        assert curved == pytest.approx([0.02, 20, 200])

    def test_a_hessian_that_is_not_finite_says_nothing(self):
        with np.errstate(all="ignore"):
            found = bent(local("x[0]**1.5 + x[1]**2", [0, 0]))
        assert np.isnan(found.value)
        assert "not finite" in found.how
        assert not found.walks

    def test_without_an_objective_there_is_nothing_to_bend(self):
        problem = nonlinear({"x": {"shape": 2}}, subject_to={"r": "x[0]**2 - x[1]**2 == 0"})
        found = bent(Local(problem, np.zeros(2), 0))
        assert (found.value, found.strict, found.walks) == (0, True, False)
        assert found.how == "no objective: every feasible point is an answer"

    def test_equilibration_keeps_signs_and_leaves_rounding(self):
        H = np.array([[4e8, 0, 0], [0, -1.0, 0.5], [0, 0.5, 1e-30]])
        scaled, unit = bends._equilibrated(H)
        assert scaled == pytest.approx(unit[:, None] * H * unit)
        assert unit[:2] == pytest.approx([0.5e-4, 1])
        assert np.abs(scaled).max() == 1
        tiny = bends._equilibrated(np.diag([1.0, 1e-13]))[1]
        assert tiny == pytest.approx([1, 1])  # a row below 1e-12 of the largest counts as rounding
        assert bends._equilibrated(np.diag([1.0, 1e-11]))[1] == pytest.approx([1, 1 / np.sqrt(1e-11)])


class TestCone:
    """d'Hd over the d with  weak d <= 0: eigenvectors of faces, against sampling."""

    @pytest.mark.parametrize("seed", range(8))
    def test_against_sampling(self, seed):
        rng = np.random.default_rng(seed)
        factor, weak = rng.standard_normal((3, 3)), rng.standard_normal((2, 3))
        H = factor + factor.T
        d = rng.standard_normal((100000, 3))
        d /= np.linalg.norm(d, axis=1, keepdims=True)
        d = d[np.all(d @ weak.T <= 0, axis=1)]
        least = max(0.0, -float(np.einsum("ij,jk,ik->i", d, H, d).min()))
        scale = float(np.abs(H).max())
        worst, how = bends._on_cone(H, np.eye(3), np.zeros((0, 3)), weak, 0.0, scale)
        assert worst * scale == pytest.approx(least, rel=0.02, abs=1e-3)
        assert how == "cone of critical directions"

    def test_many_faces_are_drawn(self):
        """x >= 0 in eight variables, f = -x_0^2: the face of x_0 alone shows it."""
        n = 8
        H = np.diag(np.r_[-1.0, np.ones(n - 1)])
        worst, how = bends._on_cone(H, np.eye(n), np.zeros((0, n)), -np.eye(n), 0.0, 1.0)
        assert worst == pytest.approx(1)
        assert how.startswith("8 weakly active constraints")
        worst, _ = bends._on_cone(np.eye(n), np.eye(n), np.zeros((0, n)), -np.eye(n), 0.0, 1.0)
        assert worst == 0
        at = local("sum(x**2) - 3*x[0]**2", np.zeros(n), lower=0)
        assert bent(at).value == pytest.approx(1)
        assert bent(local("dot(x, A @ x)", np.zeros(n), data={"A": np.ones((n, n))}, lower=0)).value <= 1e-9


class TestLarge:
    """Beyond DENSE variables."""

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch):
        monkeypatch.setattr(bends, "DENSE", 0)

    def test_dominant_and_factored(self, monkeypatch):
        at = local("sum(x**2) + x[0]*x[1]", np.zeros(3))
        assert bent(at).how == "Lagrangian convex at the point"
        at = local("sum(x**2) + 1.8*x[0]*x[1] + 1.8*x[1]*x[2]", np.zeros(3), {"r": "x[0] == 0"})
        assert np.linalg.eigvalsh([[2, 1.8, 0], [1.8, 2, 1.8], [0, 1.8, 2]])[0] < 0
        assert bent(at).how == "Lanczos"
        at = local("sum(x**2) + 1.3*x[0]*x[1] + 1.3*x[1]*x[2]", np.zeros(3))
        assert bent(at).how == "Lagrangian convex at the point"  # by its pivots
        monkeypatch.setattr(bends, "PIVOTS", 2)
        assert bent(at).how == "Lanczos"

    def test_lanczos_on_the_plane(self):
        """H = diag(-2, 2, 4, ..., 16): where x_0 is held only the others count; free, it is -2 over 16."""
        d = np.r_[-1.0, np.arange(1.0, 9)]
        assert bent(local("dot(d, x**2)", np.zeros(9), {"r": "x[0] == 0"}, {"d": d})).value < 1e-12
        assert bent(local("dot(d, x**2)", np.zeros(9), {"r": "sum(x) == 0"}, {"d": d})).value > 1e-2
        free = bent(local("dot(d, x**2)", np.zeros(9), {"r": "x[8] == 0"}, {"d": d}))
        assert free.value == pytest.approx(2 / 16, rel=1e-3)
        at = local("dot(d, x**2)", np.zeros(9), data={"d": d}, lower=[0] + 8 * [-1])
        assert bent(at).value < 1e-12  # at its bound

    def test_beyond_what_is_tried(self, monkeypatch):
        monkeypatch.setattr(bends, "LARGE", 2)
        found = bent(local("x[0]*x[1] + x[2]**2", np.zeros(3)))
        assert found.how == "not checked: more than 2 variables and rows"
        assert found.value == 0

    @pytest.mark.parametrize(
        ("error", "value", "how"),
        [
            (ArpackNoConvergence("slow", np.array([-0.5]), np.zeros((3, 1))), 0.5, "Lanczos, not converged"),
            (ArpackNoConvergence("slow", np.array([0.5]), np.zeros((3, 1))), 0.0, "Lanczos, not converged"),
            (ArpackNoConvergence("slow", np.zeros(0), np.zeros((3, 0))), np.nan, "Lanczos did not converge"),
            (RuntimeError("no factor"), np.nan, "Lanczos did not converge"),
        ],
    )
    def test_where_lanczos_ends_early(self, error, value, how, monkeypatch):
        def ends(*_, **__):
            raise error

        monkeypatch.setattr(bends, "eigsh", ends)
        found = bent(local("x[0]*x[1] + x[2]**2", np.zeros(3)))
        assert found.value == pytest.approx(value, nan_ok=True)
        assert found.how == how

    def test_products_alone(self, monkeypatch):
        """No Hessian can be formed: Lanczos, at once."""
        at = local("sum(x**2)", np.zeros(3))
        object.__setattr__(at.problem, "provides", at.problem.provides - {"hessian"})
        assert bent(at).how == "Lanczos"
        assert bends.dense_hessian(at, np.zeros(0)) == pytest.approx(2 * np.eye(3))


class TestDependent:
    """max over s of the least eigenvalue of P_0 + sum s_j P_j."""

    def least(self, parts, s):
        return float(np.linalg.eigvalsh(parts[0] + sum(c * part for c, part in zip(s, parts[1:], strict=True)))[0])

    def test_one_dimension(self):
        """-1 + s: s = 1 is enough; a force of 0.4 - s may not change its sign; no s beyond `reach`."""
        parts, N = [-np.eye(1), np.eye(1)], np.array([[-1.0]])
        force = np.array([0.4])
        free, held = np.array([True]), np.array([False])
        assert degenerate._maximize(parts, N, force, np.ones(1), free, 10.0)[0] >= 1
        assert degenerate._maximize(parts, N, force, np.ones(1), held, 10.0) == pytest.approx([0.4])
        assert degenerate._maximize(parts, N, -force, -np.ones(1), held, 10.0)[0] >= 1
        assert degenerate._maximize(parts, -N, -force, -np.ones(1), held, 10.0) == pytest.approx([0.4])
        assert degenerate._maximize(parts, N, force, np.ones(1), free, 0.2) == pytest.approx([0.2])
        assert degenerate._maximize([-p for p in parts], N, force, np.ones(1), free, 0.2) == pytest.approx([0])

    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize("below", [10, 1.5, 1])
    def test_against_a_grid(self, seed, below):
        rng = np.random.default_rng(seed)
        parts = [part + part.T for part in rng.standard_normal((3, 3, 3))]
        parts[0] -= below * np.eye(3)
        s = degenerate._maximize(parts, np.eye(2), np.zeros(2), np.ones(2), np.ones(2, bool), 2.0)
        side = np.linspace(-2, 2, 81)
        best = max(self.least(parts, (a, b)) for a in side for b in side)
        assert np.abs(s).max() <= 2 + 1e-9
        assert self.least(parts, s) >= min(best, 0) - 1e-6  # at 0 it is enough

    def test_where_there_is_no_choice(self):
        at = local("sum(x**2)", [0, 0], {"a": "x[0] <= 0"})
        found = least_squares(at, 1e-6)
        assert degenerate.better_multipliers(at, found, Active.of(at, found, 1e-6), bends.dense_hessian) is None
        at = local("sum(x**2)", [0, 0])
        found = least_squares(at, 1e-6)
        assert degenerate.better_multipliers(at, found, Active.of(at, found, 1e-6), bends.dense_hessian) is None

    def test_where_no_direction_is_left(self):
        at = local("x[0]", [0, 0], {"a": "x[0] == 0", "b": "x[1] == 0", "c": "x[0] + x[1] == 0"})
        found = least_squares(at, 1e-6)
        assert degenerate.better_multipliers(at, found, Active.of(at, found, 1e-6), bends.dense_hessian) is None

    def test_signs_stay(self):
        """f = -x_0^2 with x_0^2 <= x_1 twice, once bent more: only y = (0, 1) is enough, and it may be 1 at most."""
        rows = {"a": "x[1] + 0.1*x[0]**2 <= 0", "b": "2*x[1] + 4*x[0]**2 <= 0"}
        at = local("-x[0]**2 - 2*x[1]", [0, 0], rows)
        found = measure(at, np.array([2.0, 0]), np.zeros(2), "given")
        moved = degenerate.better_multipliers(at, found, Active.of(at, found, 1e-6), bends.dense_hessian)
        assert moved.y.min() >= 0
        assert moved.y[0] + 2 * moved.y[1] == pytest.approx(2)
        assert -2 + 0.2 * moved.y[0] + 8 * moved.y[1] >= 0
        assert moved.worst < 1e-9

    def test_from_those_given_where_the_least_ones_have_a_wrong_sign(self):
        """y_a + 3 y_b - y_c = 2: the least forces are (2, 2, -2) / 3. -2 + 4 y_c is the curvature, so y_c >= 1 / 2."""
        at = local("-2*x[0] - x[1]**2", [0, 0], {"a": "x[0] <= 0", "b": "3*x[0] <= 0", "c": "2*x[1]**2 - x[0] <= 0"})
        found = measure(at, np.array([2.0, 0, 0]), np.zeros(2), "given")
        moved = degenerate.better_multipliers(at, found, Active.of(at, found, 1e-6), bends.dense_hessian)
        y = moved.y
        assert y.min() >= -1e-9
        assert y[0] + 3 * y[1] - y[2] == pytest.approx(2)
        assert y[2] >= 0.5 - 1e-9
        assert curvature(at, found, 1e-6, 1e-6).value < 1e-9


class TestProbe:
    circle = local("x[0]", [0.6, 0.8], {"c": "x[0]**2 + x[1]**2 == 1"})

    def test_back_to_the_constraints(self):
        """From (2, 0) to (1, 0), the nearest point of the circle; into the box first."""
        there = probes.restored(self.circle, np.array([2.0, 0.0]), 1e-6)
        assert there.x == pytest.approx([1, 0])
        assert there.violation[0] <= 1e-9
        boxed = local("x[0]", [0.6, 0.8], {"c": "x[0] + x[1] == 1"}, lower=0, upper=1)
        assert probes.restored(boxed, np.array([7.0, -3.0]), 1e-6).x == pytest.approx([1, 0])
        line = local("x[0]", [0.0, 0.0], {"c": "3*x[0] + 4*x[1] == 5"})
        assert probes.restored(line, np.zeros(2), 1e-6).x == pytest.approx([0.6, 0.8])

    def test_no_way_back(self):
        none = local("x[0]", [0.0, 0.0], {"c": "x[0]**2 == -1"})
        assert probes.restored(none, np.array([1.0, 1.0]), 1e-6) is None
        ends = local("x[0]", [1.0, 0.0], {"c": "log(x[0]) <= 0"})
        assert probes.restored(ends, np.array([-1.0, 0.0]), 1e-6) is None

    def test_what_slack_could_give(self):
        """0.5 |1 - 3| + 3 |1 - 0| + 5 |1 - 0.5|; a bound that does not exist gives nothing."""
        rows = {"a": "x[0] <= 3", "b": "x[1] >= 0", "c": "x[1] <= 9"}
        at = local("x[0]", [1.0, 1.0], rows, lower=[0.5, -np.inf])
        y, z = np.array([0.5, -3.0, -7.0]), np.array([-5.0, -4.0])
        assert probes._slack(at, measure(at, y, z, "")) == pytest.approx(0.5 * 2 + 3 * 1 + 5 * 0.5)

    def test_directions(self):
        """Both senses, of length one in the largest entry, and six random sums of those that are degenerate."""
        flat, soft = np.array([[2.0, 0, 0], [0, 4.0, 0]]), np.array([[0, 0, 5.0], [0, 0, 0]])
        found = probes._directions(Curvature(0.0, "", degenerate=flat, soft=soft))
        assert len(found) == 2 * (2 + 1 + 6)
        assert all(np.abs(d).max() == 1 for d in found)
        assert [d.tolist() for d in found[:6]] == [[s * e for e in row] for row in np.eye(3).tolist() for s in (1, -1)]
        assert all(d[2] == 0 and d[0] * d[1] != 0 for d in found[6:])
        one = probes._directions(Curvature(0.0, "", degenerate=flat[:1]))
        assert [d.tolist() for d in one] == [[1, 0, 0], [-1, 0, 0]]

    def test_the_fall_within_a_newton_step(self):
        """(x - 1)^2 from 0.999 to 1: by 1e-6; from 0 only a hundredth of 1 + |x| is walked."""
        for x, fall in ((0.999, 1e-6), (0.0, 1 - 0.99**2), (1.0, 0.0)):
            at = local("(x[0] - 1)**2", [x])
            found = least_squares(at, 1e-6)
            assert probes.newton_fall(at, found, bent(at), 1e-6) == pytest.approx(fall, abs=1e-12)
        nowhere = local("log(x[0]) + x[0]**2", [0.5])
        step = Curvature(0.0, "", descent=np.array([-1e9]))
        assert probes.newton_fall(nowhere, least_squares(nowhere, 1e-6), step, 1e-6) > 0
        none = local("x[0]", [0.0, 0.0], {"c": "x[0]**2 == -1"})
        step = Curvature(0.0, "", descent=np.array([1.0, 0.0]))
        given: Measured = measure(none, np.zeros(1), np.zeros(2), "")
        assert probes.newton_fall(none, given, step, 1e-6) == 0

    def test_a_cube_falls_by_the_square_of_the_step(self):
        """x^3 at 0: (f(0) - f(-t)) / t = t^2 with t = 0.1."""
        at = local("x[0]**3", [0.0])
        fall, _, told = probes.probe(at, least_squares(at, 1e-6), bent(at), 1e-6)
        assert fall == pytest.approx(1e-2, rel=1e-3)
        assert told >= 4
        at = local("x[0]**4", [0.0])
        assert probes.probe(at, least_squares(at, 1e-6), bent(at), 1e-6)[0] == 0
