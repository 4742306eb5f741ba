"""Descent along ways that are no lines: the least f in a shell, against closed forms and against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.base import PointStatus
from solverkit.kinds.nonlinear import nonlinear, probe, shell
from solverkit.kinds.nonlinear.certificate import certify
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.shell import least_in_shell

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


class TestLeast:
    """(x_0 - 3)^2 + (x_1 - 2)^2 about 0, along the first axis: x_0 in [t / 2, t], x_1 in [-t, t]."""

    F = "(x[0] - 3)**2 + (x[1] - 2)**2"

    def least(self, rows=None, d=(1.0, 0.0), t=0.1, x=(0.0, 0.0), f=F, **box):
        at = Local(problem(f, rows, box), np.array(x), 0)
        return least_in_shell(at, at.x + t * np.array(d), np.array(d), t)

    def test_it_is_a_corner_of_the_shell(self):
        assert self.least() == pytest.approx([0.1, 0.1])
        assert self.least(d=(-1.0, 0.0)) == pytest.approx([-0.05, 0.1])
        assert self.least(d=(0.3, -1.0)) == pytest.approx([0.1, -0.05])
        assert self.least(x=(9.0, 0.0), t=1.0) == pytest.approx([9.5, 1.0])

    def test_bounds_and_rows_of_each_side_hold(self):
        assert self.least(upper=[0.07, 0.02]) == pytest.approx([0.07, 0.02])
        assert self.least(f="x[0] + x[1]", lower=[0.06, -0.01]) == pytest.approx([0.06, -0.01])
        assert self.least({"above": "1e6*x[0] + 1e6*x[1] <= 1.2e5"}) == pytest.approx([0.1, 0.02])
        assert self.least({"below": "x[0] + 10*x[1] >= 0.5"}, f="x[0] + x[1]") == pytest.approx([0.05, 0.045])
        assert self.least({"on": "x[1] == x[0]**2"}) == pytest.approx([0.1, 0.01])

    def test_where_bounds_leave_nothing_there_is_none(self):
        assert self.least(upper=[0.04, 1.0]) is None

    @pytest.mark.parametrize(("most", "looked"), [(1, False), (2, True)])
    def test_large_problems_are_left(self, most, looked, monkeypatch):
        monkeypatch.setattr(shell, "LARGEST", most)
        assert (self.least() is not None) is looked
        assert self.least({"a": "x[0] <= 9", "b": "x[1] <= 9", "c": "x[1] <= 8"}) is None

    def test_units_of_f_and_of_rows_do_not_matter(self):
        for unit in (1e-12, 1e12):
            rows = {"r": f"{unit}*(x[1] - x[0]**2) <= 0"}
            assert self.least(rows, f=f"{unit}*(x[0] - x[1])") == pytest.approx([0.05, 0.0025], rel=1e-4)


def test_strict_minima_need_no_shell(monkeypatch):
    """Where the second-order conditions suffice none is looked at."""
    monkeypatch.setattr(probe, "least_in_shell", lambda *_: pytest.fail("it was looked at"))
    assert certify(problem("x[0]**2 + x[1]**2 + x[0]**3", {}, {}), {"x": np.zeros(2)}).status is PointStatus.CERTIFIED
