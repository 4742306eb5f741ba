"""Walks along soft directions: how far, what counts as a fall, where they end; each fall in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.base import PointStatus
from solverkit.kinds.nonlinear import nonlinear, probe
from solverkit.kinds.nonlinear.certificate import certify
from solverkit.kinds.nonlinear.curvature import Curvature, curvature
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import measure
from solverkit.kinds.ways import Ways

FIRST = Curvature(0.0, "", degenerate=np.array([[1.0, 0.0]]))
"""x_0 is walked, both ways."""


@pytest.fixture(autouse=True)
def lines_alone(monkeypatch):
    """Without the search for curves, which test_curves.py asks for."""
    monkeypatch.setattr(probe, "curves", lambda *_: Ways(0.0, 0.0, 0))


def local(f, x, rows=None, data=None, **box):
    x = np.asarray(x, float)
    return Local(nonlinear({"x": {"shape": len(x), **box}}, f, rows, data), x, 0)


def measured(at, y=(), z=None):
    return measure(at, np.array(y, float), np.zeros(len(at.x)) if z is None else np.array(z, float), "given")


def walked(at, bend=FIRST, y=(), z=None):
    """(fastest fall, moves that told something)"""
    fall, _, told = probe.probe(at, measured(at, y, z), bend, 1e-6)
    return fall, told


def sudden(at, bend=FIRST, y=()):
    """What f falls by ever faster."""
    return probe.probe(at, measured(at, y), bend, 1e-6)[1]


class TestWalks:
    @pytest.mark.parametrize("step", [1e-3, 1e-2, 1e-1])
    @pytest.mark.parametrize("away", [0.0, 9.0, -9.0])
    def test_a_thousandth_a_hundredth_and_a_tenth_of_the_size_of_x(self, step, away):
        """t^2 (|t| - 2 step) falls fastest of the three at |t| = step, by step^2 t: in units of 1 + |x|."""
        size = 1 + abs(away)
        t = f"((x[0] - {away})/{size})"
        at = local(f"{t}**2*(abs({t}) - {2 * step!r})", [away, 0.0])
        assert walked(at)[0] == pytest.approx(step**2 / size, rel=1e-2)

    def test_the_walk_ends_where_f_has_risen(self):
        """t^2 (0.05 - t) rises up to 0.05 and falls beyond: behind the barrier is another minimum."""
        fall, told = walked(local("x[0]**2*(0.05 - x[0])", [0.0, 0.0]))
        assert fall == 0
        assert told == 2  # one move each way

    def test_every_move_that_goes_down_is_told(self):
        for f in ("-x[0]", "x[0]"):  # to the one side, and to the other
            assert walked(local(f, [0.0, 0.0])) == (pytest.approx(1), 3 + 1)
        assert walked(local("0*x[0]**2 + x[1]**2", [0.0, 0.0])) == (0, 3 + 3)  # level all along

    def test_a_walk_goes_on_where_the_newton_step_finds_a_fall(self):
        """Peano's: 3 t^4 along x_0, and -t^4 at (t, 2 t^2), which is t^3 per distance at t = 0.1."""
        at = local("(x[1] - x[0]**2)*(x[1] - 3*x[0]**2)", [0.0, 0.0])
        assert walked(at, curvature(at, measured(at), 1e-4, 1e-6))[0] == pytest.approx(1e-3, rel=1e-3)

    def test_what_is_not_defined_tells_nothing(self):
        """The logarithm ends before the first move to the left; to the right f rises."""
        with np.errstate(all="ignore"):
            fall, told = walked(local("log(x[0] + 5e-4)", [0.0, 0.0]))
        assert (fall, told) == (0, 1)

    @pytest.mark.parametrize(("factor", "counts"), [(0.005, False), (0.02, True), (9.0, True), (11.0, False)])
    @pytest.mark.parametrize("away", [0.0, 9.0])
    def test_moves_that_corrections_carry_back_or_far_away_tell_nothing(self, factor, counts, away, monkeypatch):
        at = local("-x[0]", [away, 0.0])
        monkeypatch.setattr(probe, "restored", lambda _, x, tol: Local(at.problem, at.x + factor * (x - at.x), at.seed))
        assert walked(at) == ((pytest.approx(1), 4) if counts else (0, 0))

    def test_a_row_across_the_direction_takes_the_move_back(self):
        """To the nearest point of x_1 = k x_0 from (t, 0): (t, k t) / (1 + k^2)."""
        for slope, told in ((20.0, 3 + 1), (200.0, 0)):
            at = local("-x[0]", [0.0, 0.0], {"line": f"x[1] == {slope}*x[0]"})
            assert walked(at, y=[0.0])[1] == told

    def test_where_there_is_no_way_back_nothing_is_told(self):
        at = local("-x[0]", [0.0, 0.0], {"point": "x[0]**2 + x[1]**2 <= 0"})
        for stiff in (np.zeros((2, 0)), np.eye(2)):  # nor is a Newton step tried from nowhere
            bend = Curvature(0.0, "", degenerate=FIRST.degenerate, stiff=stiff, inverse=stiff.T)
            assert walked(at, bend, y=[0.0]) == (0, 0)


class TestSuddenFalls:
    """f falls more than three times as fast per distance as it changed a step before."""

    @pytest.mark.parametrize("power", [4, 6, 8, 10])
    @pytest.mark.parametrize("size", [1.0, 10.0])
    def test_high_powers(self, power, size):
        at = local(f"-((x[0] - {size - 1})/{size})**{power}", [size - 1, 0.0])
        assert sudden(at) == pytest.approx(0.1**power, rel=1e-3)

    def test_rounding_may_hide_it(self):
        """f = 1 may change by 1e-13 of itself: 1e-14 does not count, 1e-10 does."""
        assert sudden(local("1 - x[0]**14", [0.0, 0.0])) == 0
        assert sudden(local("1 - x[0]**10", [0.0, 0.0])) == pytest.approx(1e-10, rel=1e-3)

    @pytest.mark.parametrize("f", ["-x[0]", "0*x[0]", "(x[0] - 0.02)**2", "(x[0] - 0.2)**6", "exp(-x[0])", "x[0]**4"])
    def test_a_straight_fall_and_one_that_slows_down_are_none(self, f):
        assert sudden(local(f, [0.0, 0.0])) == 0

    @pytest.mark.parametrize(("power", "found"), [(1.4, False), (1.6, True)])
    def test_three_times_as_fast(self, power, found):
        """Ten times as far, 10^(power - 1) times as fast: 2.5 and 4."""
        at = local(f"-(x[0]**2)**({power}/2)", [0.0, 0.0])
        assert (sudden(at) > 0) is found

    def test_behind_a_barrier_is_another_minimum(self):
        assert sudden(local("x[0]**2 - 100*x[0]**4", [0.0, 0.0])) == 0

    def test_the_faster_of_both_moves_is_what_was_known(self, monkeypatch):
        """f = -x_0 + 0.9 x_1: 1 per distance to (t, 0), and 0.1 to (t, t), where Newton's step is said to end."""
        at = local("-x[0] + 0.9*x[1]", [0.0, 0.0])
        monkeypatch.setattr(probe, "_relaxed", lambda there, *_: Local(at.problem, there.x[[0, 0]], at.seed))
        assert sudden(at) == 0

    def test_what_a_move_is_below_its_row_by_is_no_fall(self, monkeypatch):
        """f = 1000 x_1 with x_1 >= 0: corrections end 1e-9 below it at the last step, within their tolerance."""
        at = local("1000*x[1]", [0.0, 0.0], {"floor": "x[1] >= 0"})
        below = iter([0.0, 0.0, 1e-9] * 2)
        monkeypatch.setattr(
            probe, "restored", lambda _, x, tol: Local(at.problem, np.array([x[0], -next(below)]), at.seed)
        )
        assert sudden(at, y=[-1000.0]) == 0

    def test_multipliers_beyond_all_measure_excuse_nothing(self, monkeypatch):
        """-x_0^6 falls by 1e-6, whatever the multiplier of a row broken by 1e-9: where none exists they grow."""
        at = local("-x[0]**6", [0.0, 0.0], {"floor": "x[1] - x[1]**2 >= 0"})
        monkeypatch.setattr(probe, "restored", lambda _, x, tol: Local(at.problem, np.array([x[0], -1e-9]), at.seed))
        assert sudden(at, y=[-1e9]) == pytest.approx(1e-6, rel=1e-2)

    def test_around_a_rise_by_a_newton_step(self):
        """3 t^8 along x_0, and -t^8 at (t, 2 t^4)."""
        at = local("(x[1] - x[0]**4)*(x[1] - 3*x[0]**4)", [0.0, 0.0])
        assert sudden(at, curvature(at, measured(at), 1e-4, 1e-6)) == pytest.approx(1e-8, rel=1e-3)

    def test_an_oracle_that_trembles_falls_by_no_more_than_it_did_before(self):
        """1e-7 up and down, whatever the distance."""
        assert sudden(local("1e-7*sin(1e5*x[0])", [0.0, 0.0])) == 0

    def test_what_does_not_last_where_rows_are_met_closely_is_none(self, monkeypatch):
        """-x_0^6 falls by 1e-6; where no point near meets the rows, or one that is no lower, that tells nothing."""
        at = local("-x[0]**6", [0.0, 0.0])
        assert sudden(at) == pytest.approx(1e-6, rel=1e-3)
        for near in (None, Local(at.problem, np.array([0.0, 0.1]), 0)):
            monkeypatch.setattr(probe, "restored_closely", lambda *_, near=near: near)
            assert sudden(at) == 0

    def test_the_length_of_the_move_counts_and_not_of_the_step(self, monkeypatch):
        """A move that corrections make 450 times longer than the one before: a straight fall is one all the same."""
        at = local("-x[0]", [0.0, 0.0])
        lengths = iter([0.02, 9.0, 0.02] * 2)
        monkeypatch.setattr(
            probe, "restored", lambda _, x, tol: Local(at.problem, at.x + next(lengths) * (x - at.x), at.seed)
        )
        assert sudden(at) == 0


class TestWhatIsNoFall:
    """f = -x_0 falls by 1 per distance, at most 0.1 away."""

    def test_rounding_of_f(self):
        """1e-13 |f| = 0.01 over 0.1."""
        assert walked(local("1e11 - x[0]", [0.0, 0.0]))[0] == pytest.approx(0.9, abs=1e-3)
        assert walked(local("-1e11 - x[0]", [0.0, 0.0]))[0] == pytest.approx(0.9, abs=1e-3)
        assert walked(local("1e13 - x[0]", [0.0, 0.0]))[0] == 0

    def test_slack_of_an_active_row(self):
        """1 times the gap of 0.02, over 0.1."""
        at = local("-x[0]", [0.0, 0.0], {"r": "x[1] <= 0.02"})
        assert walked(at, y=[1.0])[0] == pytest.approx(0.8)
        assert walked(at, y=[3.0])[0] == pytest.approx(0.4)
        assert walked(at, y=[6.0])[0] == 0

    def test_a_rise_within_the_slack_does_not_end_the_walk(self):
        """It rises by up to 2e-5, and falls by 5e-3 at 0.1."""
        for gap, fall in ((1e-3, (5e-3 - 1e-3) / 0.1), (0.0, 0.0)):
            at = local("x[0]**2*(0.05 - x[0])*10", [0.0, 0.0], {"r": f"x[1] <= {gap}"})
            assert walked(at, y=[1.0])[0] == pytest.approx(fall)

    def test_slack_within_a_newton_step(self):
        """(x_0 - 1)^2 falls by 1e-4 from 0.99; what the row may give is taken off."""
        for gap, fall in ((0.0, 1e-4), (4e-5, 6e-5), (1.0, 0.0)):
            at = local("(x[0] - 1)**2", [0.99, 0.0], {"r": f"x[1] <= {gap}"})
            step = Curvature(0.0, "", descent=np.array([0.01, 0.0]))
            assert probe.newton_fall(at, measured(at, [1.0]), step, 1e-6) == pytest.approx(fall, abs=1e-12)

    @pytest.mark.parametrize("x", [9.0, -9.0, 99.0])
    def test_a_newton_step_is_cut_at_a_hundredth_of_the_size_of_x(self, x):
        at = local("(x[0] - 1)**2", [x, 0.0])
        near = x - np.sign(x - 1) * 0.01 * (1 + abs(x))
        step = Curvature(0.0, "", descent=np.array([1.0 - x, 0.0]))
        fall = probe.newton_fall(at, measured(at), step, 1e-6)
        assert fall == pytest.approx((x - 1) ** 2 - (near - 1) ** 2)

    def test_a_newton_step_to_where_f_is_not_defined_is_no_fall(self):
        at = local("x[1] + x[0]**0.5", [0.5, 0.0])
        with np.errstate(all="ignore"):
            step = Curvature(0.0, "", descent=np.array([-1e9, 0.0]))
            assert probe.newton_fall(at, measured(at), step, 1e-6) > 0  # a hundredth is walked
            at = local("x[1] + x[0]**0.5", [1e-3, 0.0])
            assert probe.newton_fall(at, measured(at), step, 1e-6) == 0


class TestRelaxed:
    """After a move t d the Newton step on the Lagrangian in all directions that are H-conjugate to d:

    min g'v + v'Hv / 2   s.t.   v'Hd = 0
    """

    @pytest.mark.parametrize("seed", range(4))
    def test_it_is_the_newton_step_beside_the_direction(self, seed):
        rng = np.random.default_rng(seed)
        factor = rng.standard_normal((3, 3))
        H, d, t = factor @ factor.T + np.eye(3), rng.uniform(-1, 1, 3), 0.1
        d /= np.abs(d).max()
        f, rows = "0.5*dot(x, H @ x) + sum(x**3)", {"far": "x[0]**2 + 2*x[1] <= 1e6"}
        at = local(f, np.zeros(3), rows, {"H": H})
        y, moved = np.array([0.3]), Local(at.problem, t * d, 0)
        own = H + np.diag([2 * y[0], 0, 0])  # of the Lagrangian at 0
        gradient = H @ moved.x + 3 * moved.x**2 + y[0] * np.array([2 * moved.x[0], 2, 0])
        K = np.block([[own, (own @ d)[:, None]], [(own @ d)[None, :], np.zeros((1, 1))]])
        step = np.linalg.solve(K, np.append(-gradient, 0))[:3]
        bend = curvature(at, measured(at, y), 1e-4, 1e-6)
        found = probe._relaxed(moved, y, d, bend, 1e-6)
        assert found.x - moved.x == pytest.approx(step, rel=1e-6, abs=1e-9)

    def test_along_a_direction_without_curvature_it_is_the_whole_step(self):
        """10 (x_1 - x_0^2)^2: from (t, 0) to (t, t^2)."""
        at = local("10*(x[1] - x[0]**2)**2", [0.0, 0.0])
        bend = curvature(at, measured(at), 1e-4, 1e-6)
        d = np.array([1.0, 0.0])
        found = probe._relaxed(Local(at.problem, 0.1 * d, 0), np.zeros(0), d, bend, 1e-6)
        assert found.x == pytest.approx([0.1, 0.01])

    def test_where_nothing_bends_upwards_there_is_none(self):
        at = local("x[0]**4 + x[1]**4", [0.0, 0.0])
        bend = curvature(at, measured(at), 1e-4, 1e-6)
        assert probe._relaxed(at, np.zeros(0), np.array([1.0, 0.0]), bend, 1e-6) is None
        assert probe._relaxed(at, np.zeros(0), np.array([1.0, 0.0]), FIRST, 1e-6) is None


class TestRestored:
    def test_rows_that_hold_are_not_held(self):
        """From (2, 2) to x_0 + x_1 <= 2 straight, although x_0 <= 5 holds; a row broken by 1 counts as any other."""
        for excess in (0.5, 1.0, 2.0):
            at = local("x[0]", [0.0, 0.0], {"sum": "x[0] + x[1] <= 2", "holds": "x[0] <= 5"})
            start = np.full(2, 1 + excess / 2)
            assert probe.restored(at, start, 1e-6).x == pytest.approx([1, 1])

    def test_a_point_that_breaks_nothing_stays_whatever_tol(self):
        at = local("x[0]", [0.0, 0.0], {"sum": "x[0] + x[1] <= 2"})
        assert probe.restored(at, np.array([0.5, 0.25]), 0.0).x.tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("costs", "rows", "lower", "x"),
    [
        (
            [3.0, 300, 0, -0.6, -0.5],
            [[0.2, -10, -0.1, -0.03, -0.02], [100, 1e4, 0, -20, -30], [400, -2e4, -200, -60, -40]],
            [-0.6, 100, -1200],
            [2, 0.03, 0, 20, 0],
        ),
        (
            [-1.2e4, -40, -800, -3e-3, -20],
            [
                [1e4, 200, -2e3, -0.01, 0],
                [20, 0.3, -1, 1e-5, 0.2],
                [-0.3, -1e-3, -0.02, -1e-7, -1e-3],
                [2e3, 40, -400, -2e-3, 0],
            ],
            [-40, 0.02, -8e-4, -8],
            [1e-3, 0.1, 0.02, 0, 0],
        ),
        (
            [-0.3, 0, -0.09],
            [
                [1e-5, 1e-4, 3e-6],
                [-1e-5, -1e-4, 2e-6],
                [3e-5, 0, 1e-6],
                [-3e3, 0, -300],
                [-1e-3, 0, -3e-4],
                [200, 2e3, 60],
            ],
            [7e-4, -4e-4, 1e-3, -1.2e5, -0.06, 1.4e4],
            [30, 2, 100],
        ),
    ],
)
def test_a_linear_program_in_uneven_units_falls_nowhere(costs, rows, lower, x):
    problem = nonlinear(
        {"x": {"shape": len(x), "lower": 0}},
        "dot(c, x)",
        {"rows": "A @ x >= b"},
        {"A": np.array(rows), "b": np.array(lower, float), "c": np.array(costs)},
    )
    verdict = certify(problem, {"x": np.array(x, float)})
    assert verdict.status is PointStatus.CERTIFIED, verdict
