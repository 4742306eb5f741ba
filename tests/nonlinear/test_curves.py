"""Descent along ways that are no lines, against brute force and in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.base import PointStatus
from solverkit.kinds.nonlinear import curves, nonlinear, shell
from solverkit.kinds.nonlinear.certificate import certify
from solverkit.kinds.nonlinear.curvature import Curvature
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import measure
from solverkit.kinds.nonlinear.restore import restored, restored_closely

BOX = {"lower": [0, -1], "upper": [2, 1]}
FALLS = [  # at 0 to first and second order a minimum, as far as there are multipliers, and none
    ("2*x[0]**4 - x[0]*x[1]**3", {}, {}),  # between the axes
    ("2*x[0]*x[1]**2 - 2*x[0]**3*x[1]", {}, {"lower": 0}),  # x_1 = x_0^2 / 2
    ("3*x[0]**2*x[1]", {"r": "x[0]*x[1]**2 + 3*x[0]**3*x[1] + 3*x[1]**2 <= 0"}, BOX),
    ("x[1]**3 - 2*x[0]**3*x[1] - 2*x[0]*x[1]**3", {"r": "-x[1]**3 - 2*x[1]**4 <= 0"}, {}),
    ("x[0]**3 - x[0]**4 - x[0]*x[1]**3", {"r": "3*x[0]**4 - 2*x[1]**4 <= 0"}, {"lower": 0}),
    ("2*x[0]**3*x[1] - x[1]**3", {"r": "x[1]**3 + x[0]**3*x[1] + x[0]**2*x[1]**2 <= 0", "s": "x[1]**3 <= 0"}, BOX),
    (
        "-2*x[0]*x[1] + 2*x[1]**4 + 2*x[0]**3*x[1]",
        {"r": "x[0]**4 - x[1]**2 + x[0]*x[1] <= 0", "s": "-x[1]**2 + 3*x[0] + x[0]*x[1]**2 <= 0"},
        BOX,
    ),
    ("x[0]**2 + 2*x[1]**3 - 2*x[0]**2*x[1] + 2*x[0]**4", {"r": "x[1]**4 - 2*x[0]**3 - 2*x[0]**2 <= 0"}, BOX),
]
STAYS = [  # the only feasible point near, or one on a line of them, of rows whose gradients vanish there
    ("x[0]**3*x[1]", {"r": "3*x[1]**2 + x[0]**2*x[1]**2 <= 0"}, {}),
    ("-x[0]**3*x[1]", {"r": "-2*x[0]*x[1]**3 <= 0", "s": "3*x[0]**2*x[1]**2 <= 0"}, {}),
    ("2*x[0]**3*x[1] + x[0]**2*x[1]", {"r": "2*x[1]**2 <= 0"}, BOX),
    ("3*x[0]**2 - 2*x[0]*x[1]**2 + 3*x[0]**4", {"r": "3*x[0]*x[1]**2 + 2*x[0]**2*x[1]**2 <= 0"}, {}),
    ("x[0]**4 + x[1]**4 - x[0]**2*x[1]**2", {}, {}),
    ("x[0]**6 + x[0]*x[1]**3 + x[1]**2", {}, {}),
    ("1e4*x[0]**2*(x[0] - 0.06)**2 - 1e-3*x[0]**2 + 0*x[1]", {}, {}),  # a lower well 0.06 away, and level along x_1
    (
        "x[0]**4 + x[1]**4 + 0*log(x[1] + 0.05)",
        {"r": "x[0]**2 + 0*x[1] + 0*sqrt(x[0] + 0.05) <= 1"},
        {},
    ),  # not defined to the left
]


def problem(f, rows, box, n=2):
    return nonlinear({"x": {"shape": n, **box}}, f, rows or None)


@pytest.mark.parametrize(("f", "rows", "box"), FALLS)
def test_what_falls_along_no_line_is_not_certified(f, rows, box):
    found = certify(problem(f, rows, box), {"x": np.zeros(2)})
    assert found.status is PointStatus.FEASIBLE
    assert not found["probe"].ok


@pytest.mark.parametrize(("f", "rows", "box"), STAYS)
def test_what_falls_nowhere_is(f, rows, box):
    found = certify(problem(f, rows, box), {"x": np.zeros(2)})
    assert found.status is PointStatus.CERTIFIED, found


def powers(r):
    """Points (+-r, c r^k) and (c r^k, +-r), (m, 2)."""
    k, c = np.meshgrid([1, 1.5, 2, 3, 4], np.linspace(-4, 4, 161))
    off = (c * r**k).ravel()
    sides = [np.column_stack([np.full_like(off, side), off]) for side in (r, -r)]
    return np.vstack([*sides, *(side[:, ::-1] for side in sides)])


def polynomial(rng, lowest, terms):
    powers = [(i, j) for i in range(5) for j in range(5) if lowest <= i + j <= 4]
    chosen = rng.choice(len(powers), terms, replace=False)
    return [(int(rng.choice([-2, -1, 1, 2, 3])), *powers[k]) for k in chosen]


def written(terms):
    return " + ".join(f"({c})*x[0]**{i}*x[1]**{j}" for c, i, j in terms)


def value(terms, points):
    return sum(c * points[:, 0] ** i * points[:, 1] ** j for c, i, j in terms)


@pytest.mark.parametrize("seed", range(40))
def test_against_brute_force(seed):
    """Small polynomials at 0: none that falls at every distance, along a power of it, is certified."""
    rng = np.random.default_rng(seed)
    f, rows = polynomial(rng, 2, rng.integers(1, 4)), [polynomial(rng, 2, 2) for _ in range(rng.integers(0, 3))]
    lower = float(rng.choice([-1, 0]))
    falls = []
    for r in (1e-1, 3e-2, 1e-2, 3e-3):
        points = powers(r)
        inside = np.all(points >= lower, axis=1)
        for row in rows:
            inside &= value(row, points) <= 0
        falls.append(value(f, points[inside]).min(initial=0.0) < -1e-3 * r**6)
    found = certify(
        problem(written(f), {f"r{k}": f"{written(row)} <= 0" for k, row in enumerate(rows)}, {"lower": lower}),
        {"x": np.zeros(2)},
    )
    if all(falls):
        assert found.status is PointStatus.FEASIBLE


def test_strict_minima_need_no_shell(monkeypatch):
    """Where the second-order conditions suffice none is looked at."""
    monkeypatch.setattr(curves, "least_in_shell", lambda *_: pytest.fail("it was looked at"))
    assert certify(problem("x[0]**2 + x[1]**2 + x[0]**3", {}, {}), {"x": np.zeros(2)}).status is PointStatus.CERTIFIED


class TestCurves:
    """What counts of a way, at 0 with every direction open."""

    OPEN = Curvature(0.0, "", degenerate=np.eye(2))

    def found(self, f, rows=None, x=(0.0, 0.0), bend=OPEN, noise=1e-13, sudden=3.0, y=None, **box):
        at = Local(problem(f, rows, box), np.array(x), 0)
        multipliers = np.zeros(at.problem.m) if y is None else np.array(y)
        ways = curves.curves(at, measure(at, multipliers, np.zeros(2), "given"), bend, noise, sudden, 1e-6)
        return ways.fastest, ways.sudden, ways.told

    def test_the_fall_per_distance_of_the_widest_shell(self):
        """-x_0^3 falls by t^2 per distance at t = 0.1 (1 + |x|), ten times ten as fast as in the shell within."""
        for x in (0.0, 9.0, -9.0):
            size = 1 + abs(x)
            fastest, largest, told = self.found(f"-((x[0] - {x})/{size})**3", x=(x, 0.0))
            assert fastest == pytest.approx(1e-2 / size, rel=1e-3)
            assert largest == pytest.approx(1e-3, rel=1e-3)
            assert told > 10

    @pytest.mark.parametrize(("sudden", "largest"), [(9.0, 1e-2), (11.0, 0.0)])
    def test_ever_faster_is_so_many_times_as_fast(self, sudden, largest):
        """-x_0^2: ten times as fast ten times as far away."""
        assert self.found("-x[0]**2", sudden=sudden)[1] == pytest.approx(largest, rel=1e-3)

    @pytest.mark.parametrize(("noise", "counts"), [(1e-7, True), (2e-6, False)])
    def test_what_f_may_change_by_for_nothing(self, noise, counts):
        """1e-6 at last, in the shell a tenth away."""
        fastest, largest, told = self.found("-x[0]**6", noise=noise)
        assert (told > 0) is counts
        assert fastest == pytest.approx((1e-6 - noise) / 0.1 if counts else 0.0, rel=1e-2)
        assert largest == pytest.approx(1e-6 if counts and noise < 1e-6 / 30 else largest, rel=1e-2)

    def test_a_straight_fall_is_not_sudden(self):
        fastest, largest, _ = self.found("-x[0]")
        assert fastest == pytest.approx(1.0)
        assert largest == 0

    def test_behind_a_barrier_is_another_minimum(self):
        """x_0^2 - 1000 x_0^4 is 0 at 0.03: higher within, lower without."""
        assert self.found("x[0]**2 - 1000*x[0]**4") == (0, 0, 0)

    def test_a_level_f_tells_nothing(self):
        assert self.found("0*x[0] + x[1]**2") == (0, 0, 0)

    def test_without_open_directions_nothing_is_looked_for(self):
        assert self.found("-x[0]", bend=Curvature(0.0, "")) == (0, 0, 0)

    def test_large_problems_are_left(self, monkeypatch):
        monkeypatch.setattr(shell, "LARGEST", 1)
        assert self.found("-x[0]") == (0, 0, 0)

    def test_what_a_row_is_worth_beyond_it_is_no_fall(self, monkeypatch):
        """f = 1000 x_1 on x_1 >= 0, 1e-9 below it everywhere."""
        at = np.array([0.0, -1e-9])
        monkeypatch.setattr(
            curves, "restored_closely", lambda local, x, tol: Local(local.problem, np.array([x[0], at[1]]), 0)
        )
        assert self.found("1000*x[1]", {"floor": "x[1] >= 0"}, y=[-1000.0]) == (0, 0, 0)
        assert self.found("1000*x[1]", {"floor": "x[1] >= 0"}, y=[-900.0])[2] > 0

    @pytest.mark.parametrize(("factor", "counts"), [(0.2, False), (3.0, True), (5.0, False)])
    def test_what_rows_take_back_or_far_away_tells_nothing(self, factor, counts, monkeypatch):
        monkeypatch.setattr(curves, "restored_closely", lambda local, x, tol: Local(local.problem, factor * x, 0))
        assert (self.found("-x[0]**3")[2] > 0) is counts

    def test_a_way_that_is_lost_within_tells_nothing(self, monkeypatch):
        """No point that meets the rows in the innermost shell."""
        true = curves.restored_closely
        monkeypatch.setattr(
            curves, "restored_closely", lambda local, x, tol: None if np.abs(x).max() < 2e-3 else true(local, x, tol)
        )
        assert self.found("-x[0]**3") == (0, 0, 0)

    def test_starts_go_inwards_of_active_bounds(self):
        at = Local(problem("x[0]", {}, {"lower": [0, -5], "upper": [5, 0]}), np.zeros(2), 0)
        starts = np.array(curves._starts(at, np.eye(2)))
        assert np.all(starts[:, 0] > 0)
        assert np.all(starts[:, 1] < 0)
        assert np.abs(starts).max(axis=1) == pytest.approx(1)


class TestRestoredClosely:
    def test_rows_whose_gradient_vanishes_on_them(self):
        """x_1^4 = 0 scaled by its gradient is x_1 / 4: met within 1e-7 tol."""
        at = Local(problem("x[0]", {"r": "x[1]**4 == 0"}, {}), np.zeros(2), 0)
        there = restored_closely(at, np.array([0.3, 0.1]), 1e-6)
        assert there.x[0] == 0.3
        assert abs(there.x[1]) <= 4e-13
        assert restored(at, np.array([0.3, 0.1]), 1e-6) is None

    def test_a_tolerance_hides_nothing(self):
        """restored() leaves 1e-9 of the row's scale."""
        at = Local(problem("x[0]", {"r": "x[1] <= 0"}, {}), np.zeros(2), 0)
        assert restored(at, np.array([0.0, 5e-10]), 1e-6).x[1] == 5e-10
        assert restored_closely(at, np.array([0.0, 5e-10]), 1e-6).x[1] == 0
