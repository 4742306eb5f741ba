"""Ways down of the upper level that are no lines in x, y(x) solved at every x."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel import curvature, curves
from solverkit.kinds.bilevel.build import bilevel as problem
from solverkit.kinds.bilevel.certificate import certify
from solverkit.kinds.ways import Place

FIRST, SECOND = "(y[0] - x[0])**2", "(y[0] - x[1])**2"


def verdict(F, f, **x):
    shape = {"shape": 2, **x}
    both = problem({"variables": {"x": shape}, "minimize": F}, {"variables": {"y": {"shape": 1}}, "minimize": f})
    return certify(both, {"x": np.zeros(2), "y": np.zeros(1)})


@pytest.mark.parametrize(
    ("F", "f", "box"),
    [
        ("(x[1] - y[0]**2)*(x[1] - 3*y[0]**2)", FIRST, {}),  # Peano's: between two parabolas
        ("2*y[0]**4 - y[0]*x[1]**3", FIRST, {}),  # between the axes
        ("2*x[0]*y[0]**2 - 2*x[0]**3*y[0]", SECOND, {"lower": 0}),  # y = x_0^2 / 2
        ("-((x[1] + y[0] - x[1]**2)**3)", "(y[0] - x[0])**2 + (y[0] - x[0])**4", {}),
    ],
)
def test_what_falls_along_no_line_is_not_certified(F, f, box):
    found = verdict(F, f, **box)
    assert found.status is PointStatus.FEASIBLE
    assert not found["probe"].ok


@pytest.mark.parametrize(
    ("F", "f"),
    [
        ("(x[1] - y[0]**2)*(x[1] - 3*y[0]**2) + 2*y[0]**4", FIRST),
        ("x[1]**4 + y[0]**4 - x[1]**2*y[0]**2", FIRST),
        ("(x[1] - y[0]**2)**2", FIRST),  # a curve of answers
        ("x[0]**2 - 1000*x[0]**4 + 0*y[0]", SECOND),  # lower behind a barrier, and level along x_1
    ],
)
def test_what_falls_nowhere_is(F, f):
    found = verdict(F, f)
    assert found.status is PointStatus.CERTIFIED, found


def test_where_curvature_decides_nothing_is_looked_for(monkeypatch):
    monkeypatch.setattr(curvature, "curves", lambda *_: pytest.fail("it was looked for"))
    assert verdict("x[0]**2 + x[1]**2 + y[0]**3", FIRST).status is PointStatus.CERTIFIED


def test_nor_in_large_problems(monkeypatch):
    monkeypatch.setattr(curvature, "LARGEST", 2)
    monkeypatch.setattr(curvature, "curves", lambda *_: pytest.fail("it was looked for"))
    assert verdict("x[1]**4 + y[0]**4", FIRST).status is PointStatus.CERTIFIED


class TestLeast:
    """The least of a function of the step in a shell, first entry at least half of the width."""

    def least(self, fall, d=(1.0, 0.2), width=0.1, **domain):
        def moved(step):
            assert np.abs(step).max() <= width * (1 + 1e-12)
            if not domain.get("holds", lambda step: True)(step):
                return None
            return Place(step, float(np.abs(step).max()), fall(step))

        return curves._least(moved, np.array(d), width)

    def test_it_is_the_least(self):
        place = self.least(lambda s: -((s[0] - 0.07) ** 2) - (s[1] - 0.02) ** 2)
        assert place.move == pytest.approx([0.07, 0.02], abs=2e-3)
        assert self.least(lambda s: s[0]).move[0] == pytest.approx(0.1)
        assert self.least(lambda s: -s[0]).move[0] == pytest.approx(0.05)
        assert self.least(lambda s: s[0], d=(-1.0, 0.2)).move[0] == pytest.approx(-0.05)
        assert self.least(lambda s: s[1], d=(0.2, -1.0)).move[1] == pytest.approx(-0.05)

    def test_units_do_not_matter(self):
        for unit in (1e-20, 1e20):
            assert self.least(lambda s, unit=unit: unit * s[0]).move[0] == pytest.approx(0.1)

    def test_places_that_tell_nothing_are_left(self):
        place = self.least(lambda s: s[0], holds=lambda s: s[0] <= 0.08)
        assert place is None or place.move[0] <= 0.08
        assert self.least(lambda s: s[0], holds=lambda s: False) is None
        assert self.least(lambda s: s[0], d=(0.6, 0.5), holds=lambda s: s[0] <= 0.08).move[0] == pytest.approx(
            0.08, rel=0.05
        )


def test_both_senses_and_random_directions_are_tried():
    """The fall is along -x_0 alone, and then along the diagonal alone."""
    for fall in (lambda s: -s[0] * (s[0] < 0), lambda s: (s[0] + s[1]) * (s[0] > 0.4 * abs(s[1])) * (s[1] > 0)):
        ways = curves.curves(
            lambda step, fall=fall: Place(step, float(np.abs(step).max()), float(fall(step))),
            [np.array([1.0, 0.0])], 2, 1.0, 1e-12, 3.0, 0,
        )  # fmt: skip
        assert ways.fastest > 0.9
        assert ways.sudden == 0
