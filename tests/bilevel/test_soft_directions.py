"""Where second derivatives of the upper level do not decide: walks along its softest directions."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel import curvature
from solverkit.kinds.bilevel.build import bilevel
from solverkit.kinds.bilevel.certificate import certify
from solverkit.kinds.bilevel.curvature import Curvature
from solverkit.kinds.bilevel.local import Local
from solverkit.kinds.bilevel.lower_solve import solve_lower


def problem(F, f="(y[0] - x[0])**2", n=1, **upper):
    """The lower level answers y = x_0."""
    return bilevel(
        {"variables": {"x": {"shape": n, **upper}}, "minimize": F}, {"variables": {"y": {"shape": 1}}, "minimize": f}
    )


def verdict(F, x, y, **how):
    return certify(problem(F, n=np.size(x), **how), {"x": np.atleast_1d(np.array(x, float)), "y": np.array([float(y)])})


@pytest.mark.parametrize("F", ["y[0]**3", "-x[0]**4", "1 - y[0]**4", "-x[0]**6", "x[0]*y[0]**2", "x[0]**4 - 2*y[0]**4"])
def test_flat_maxima_and_saddles_are_not_certified(F):
    assert verdict(F, 0, 0).status is PointStatus.FEASIBLE


@pytest.mark.parametrize(
    "F", ["y[0]**4", "x[0]**4 + 1", "x[0]**6", "exp(y[0]**2)", "0*y[0] + 3", "2*x[0]**4 - y[0]**4"]
)
def test_flat_minima_are(F):
    found = verdict(F, 0, 0)
    assert found.status is PointStatus.CERTIFIED, found


def test_where_nothing_falls_the_probe_is_the_plain_one():
    found = verdict("x[0]**4 + y[0]**2", 0, 0)
    assert found.status is PointStatus.CERTIFIED
    assert found["probe"].tolerance > 0


def test_a_flat_direction_among_others():
    """-x_1^6 beside a bowl in x_0, which coordinates alone do not show turned by 30 degrees."""
    turned = "(0.8*x[0] + 0.6*x[1] - 1)**2 {} (0.6*x[0] - 0.8*x[1])**6 + 0*y[0]"
    assert verdict(turned.format("-"), [0.8, 0.6], 0.8).status is PointStatus.FEASIBLE
    assert verdict(turned.format("+"), [0.8, 0.6], 0.8).status is PointStatus.CERTIFIED


def test_a_bound_that_holds_the_direction_back():
    assert verdict("y[0]**3", 0, 0, lower=0).status is PointStatus.CERTIFIED
    assert verdict("y[0]**3", 0, 0, upper=0).status is PointStatus.FEASIBLE


def test_behind_a_barrier_is_another_minimum():
    """x^2 (0.05 - x) rises to 2e-5, and falls behind 0.05."""
    F = "x[0]**2*(0.05 - x[0]) + 0*y[0]"
    here = Local(problem(F), np.zeros(2), 1e-4)
    found = curvature.probe(here, solve_lower(here, 0), Curvature(0.0, "", soft=(np.array([1.0, 0.0]),)), 0, 1e-6)
    assert found.sudden == 0
    assert verdict(F, 0, 0).status is PointStatus.CERTIFIED


@pytest.mark.parametrize(("F", "sudden"), [("-x[0]", 0.0), ("-exp(x[0])", 0.0), ("-x[0]**4", 1e-4), ("-x[0]**8", 1e-8)])
def test_only_a_fall_that_grows_faster_is_sudden(F, sudden):
    here = Local(problem(f"{F} + 0*y[0]"), np.zeros(2), 1e-4)
    bend = Curvature(0.0, "", soft=(np.array([1.0, 0.0]),))
    found = curvature.probe(here, solve_lower(here, 0), bend, 0, 1e-6)
    assert found.sudden == pytest.approx(sudden, rel=1e-3)


def test_quadratic_problems_need_no_walk():
    found = verdict("(x[0] - 1)**2 + 0*y[0]", 1, 1)
    assert found.status is PointStatus.CERTIFIED
    assert "probes" not in found.facts
