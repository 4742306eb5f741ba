"""Multipliers where gradients are dependent: moved no further than needed, in any units, never to a wrong sign."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from solverkit.kinds.nonlinear import degenerate, nonlinear
from solverkit.kinds.nonlinear.curvature import Active, curvature, dense_hessian
from solverkit.kinds.nonlinear.degenerate import better_multipliers
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import least_squares, measure


def local(f, x, rows, **box):
    x = np.asarray(x, float)
    return Local(nonlinear({"x": {"shape": len(x), **box}}, f, rows), x, 0)


def moved(at, y, width=1e-6):
    found = measure(at, np.array(y, float), np.zeros(len(at.x)), "given")
    return better_multipliers(at, found, Active.of(at, found, width), dense_hessian)


def least(parts, s):
    return float(np.linalg.eigvalsh(parts[0] + sum(c * part for c, part in zip(s, parts[1:], strict=True)))[0])


class TestMoved:
    def test_they_start_from_the_least_ones_whose_signs_are_right(self):
        """y_a + y_b = 1, halved; c is active with a force of 0, which is no wrong sign."""
        at = local("-x[0] + x[1]**2", [0, 0, 0], {"a": "x[0] <= 0", "b": "x[0] <= 0", "c": "x[2] >= 0"})
        for y in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1e7, 1 - 1e7, 0]):
            assert moved(at, y).y == pytest.approx([0.5, 0.5, 0])

    def test_what_is_enough_beside_f_is_left(self):
        """y_a + y_b = 3, halved: -2 + 2 y_b is positive."""
        at = local("-x[1]**2 - 3*x[0]", [0, 0], {"a": "x[0] <= 0", "b": "x[0] + x[1]**2 <= 0"})
        assert moved(at, [3.0, 0.0]).y == pytest.approx([1.5, 1.5])
        at = local("-2*x[1]**2 - 3*x[0]", [0, 0], {"a": "x[0] <= 0", "b": "x[0] + x[1]**2 <= 0"})
        assert moved(at, [3.0, 0.0]).y[1] >= 2 - 1e-9

    @pytest.mark.parametrize("units", [1e-6, 1.0, 1e6])
    @pytest.mark.parametrize("row", [1e-6, 1.0, 1e6])
    def test_units_of_f_and_of_rows_do_not_matter(self, units, row):
        """f = -x_1^2 + x_0^2 on two rows of one gradient, of which only the second bends upwards along x_1."""
        rows = {"a": f"{row!r}*x[0] == 0", "b": "x[0] + x[1]**2 == 0"}
        at = local(f"{units!r}*(x[0]**2 - x[1]**2 - x[0])", [0, 0], rows)
        found = least_squares(at, 1e-6)
        assert curvature(at, found, 1e-6, 1e-6).value < 1e-9
        better = better_multipliers(at, found, Active.of(at, found, 1e-6), dense_hessian)
        assert row * better.y[0] + better.y[1] == pytest.approx(units)
        assert better.y[1] >= units * (1 - 1e-9)
        assert better.origin == "least squares, moved where gradients are dependent"

    @pytest.mark.parametrize(("most", "tried"), [(0, False), (1, True), (2, True)])
    def test_where_there_is_too_much_choice_none_is_made(self, most, tried, monkeypatch):
        monkeypatch.setattr(degenerate, "PRODUCTS", most)
        at = local("x[1]**2 - x[0]", [0, 0], {"a": "x[0] <= 0", "b": "x[0] <= 0"})
        assert (moved(at, [1.0, 0.0]) is not None) is tried

    def test_rows_of_very_different_gradients_hold_alike(self):
        """x_1 = 0, if in a small unit: that f bends downwards along x_1 and the row b upwards is no reason to move."""
        rows = {"a": "1e2*x[0] == 0", "b": "1e2*x[0] + x[1]**2 == 0", "c": "1e-4*x[1] == 0"}
        at = local("x[2]**2 - x[1]**2", [0, 0, 0], rows)
        assert moved(at, [0.0, 0.0, 0.0]).y.tolist() == [0, 0, 0]
        assert moved(local("x[2]**2 - x[1]**2", [0, 0, 0], {"a": rows["a"], "b": rows["b"]}), [0.0, 0.0]).y[1] >= 1


class TestMaximized:
    def test_what_is_enough_is_left(self):
        """Least eigenvalues of 0.1 and 0: neither is moved, although s = 1 would give more."""
        for first in (0.1, 0.0):
            parts = [np.diag([first, 1.0]), np.eye(2)]
            s = degenerate._maximize(parts, np.eye(1), np.zeros(1), np.ones(1), np.ones(1, bool), 10.0)
            assert s.tolist() == [0]

    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("k", [1, 2])
    def test_under_signs_against_a_grid(self, seed, k):
        """max over s of the least eigenvalue, with side (force + N s) >= 0 of those that are not free."""
        rng = np.random.default_rng(seed)
        parts = [part + part.T for part in rng.standard_normal((k + 1, 2, 2))]
        parts[0] -= 10 * np.eye(2)
        N = np.linalg.qr(rng.standard_normal((4, k)))[0]
        sides, free = rng.choice([-1.0, 1.0], 4), np.array([False, False, False, True])
        force = sides * rng.uniform(0.1, 1, 4)
        s = degenerate._maximize(parts, N, force, sides, free, 2.0)
        signed = (sides * (force + N @ s))[:3]
        assert signed.min() >= -1e-9
        grid = [np.array(each) for each in product(np.linspace(-2, 2, 201 if k == 1 else 61), repeat=k)]
        inside = [each for each in grid if (sides * (force + N @ each))[:3].min() >= 0]
        assert least(parts, s) >= max(least(parts, each) for each in inside) - 1e-6
