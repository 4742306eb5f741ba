"""The least f in a shell about a point, in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.nonlinear import nonlinear, shell
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.shell import least_in_shell


def problem(f, rows, box, n=2):
    return nonlinear({"x": {"shape": n, **box}}, f, rows or None)


class TestLeast:
    """(x_0 - 3)^2 + (x_1 - 2)^2 about 0, along the first axis: x_0 in [t / 2, t], x_1 in [-t, t]."""

    F = "(x[0] - 3)**2 + (x[1] - 2)**2"

    def least(self, rows=None, d=(1.0, 0.0), t=0.1, x=(0.0, 0.0), f=F, **box):
        at = Local(problem(f, rows, box), np.array(x), 0)
        return least_in_shell(at, np.array(d), t)

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

    @pytest.mark.parametrize(("most", "fits"), [(1, False), (2, True), (3, True)])
    def test_large_problems_do_not_fit(self, most, fits, monkeypatch):
        monkeypatch.setattr(shell, "LARGEST", most)
        assert shell.fits(problem(self.F, None, {})) is fits
        assert shell.fits(problem(self.F, {"a": "x[0] <= 9", "b": "x[1] <= 9", "c": "x[1] <= 8"}, {})) is (most == 3)

    def test_units_of_f_and_of_rows_do_not_matter(self):
        for unit in (1e-12, 1e12):
            rows = {"r": f"{unit}*(x[1] - x[0]**2) <= 0"}
            assert self.least(rows, f=f"{unit}*(x[0] - x[1])") == pytest.approx([0.05, 0.0025], rel=1e-4)

    def test_where_the_search_breaks_off_there_is_none(self, monkeypatch):
        """As where derivatives are no numbers."""

        def broken(*given, **more):
            raise ValueError("array must not contain infs or NaNs")

        monkeypatch.setattr(shell, "minimize", broken)
        assert self.least() is None
