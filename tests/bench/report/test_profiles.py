"""Profiles and ratios against their definitions, written out slowly."""

from __future__ import annotations

import dataclasses
import math
import random

import numpy as np
import pytest
from synthetic import records

from solverkit.bench.profiles import data_profile, medians, performance_profile, plot_profile, ratios
from solverkit.bench.record import Outcome
from solverkit.errors import MissingPackage


def slow_cost(runs, problem, seed, label, cost):
    """The median of a unit, by numpy: infinite for runs without a certificate."""
    values = [
        max(getattr(run, cost), 1e-6 if cost == "time" else 1) if run.outcome is Outcome.SOLVED else math.inf
        for run in runs
        if (run.problem, run.seed, run.label) == (problem, seed, label)
    ]
    if not values:
        return math.inf
    low, high = sorted(values)[(len(values) - 1) // 2], sorted(values)[len(values) // 2]
    return (low + high) / 2


def table(runs, cost):
    """(units, labels, costs[unit, label])."""
    units = sorted({(run.problem, run.seed) for run in runs})
    labels = sorted({run.label for run in runs})
    costs = np.array([[slow_cost(runs, *unit, label, cost) for label in labels] for unit in units])
    return units, labels, costs


def suites():
    """Small suites, ragged: some records are taken out."""
    for seed in range(12):
        draw = random.Random(seed)
        runs = records(draw.randint(1, 4), draw.randint(1, 4), draw.randint(1, 3), draw.randint(1, 4), 2, seed=seed)
        yield draw.sample(runs, max(1, len(runs) * 4 // 5))


@pytest.mark.parametrize("cost", ["calls", "time"])
@pytest.mark.parametrize("runs", list(suites()))
def test_performance_profile_is_its_definition(runs, cost):
    units, labels, costs = table(runs, cost)
    profile = performance_profile(runs, cost)
    assert profile.units == len(units)
    assert [curve.label for curve in profile.curves] == labels
    with np.errstate(invalid="ignore"):
        ratio = costs / costs.min(axis=1, keepdims=True)
    finite = ratio[np.isfinite(ratio)]
    for tau in {0.5, 1.0, 1.5, 3.0, 1e9, *finite, *np.nextafter(finite, 0)}:
        for column, curve in enumerate(profile.curves):
            assert curve.at(tau) == np.sum(ratio[:, column] <= tau) / len(units)
    assert profile.limit == max([1.0, *finite])


@pytest.mark.parametrize("runs", list(suites()))
def test_data_profile_is_its_definition(runs):
    units, _, costs = table(runs, "calls")
    sizes = {run.problem: sum(run.sizes.values()) for run in runs}
    scaled = costs / np.array([[sizes[problem] + 1] for problem, _ in units])
    profile = data_profile(runs)
    for kappa in {0.0, 1.0, 10.0, 1e9, *scaled[np.isfinite(scaled)]}:
        for column, curve in enumerate(profile.curves):
            assert curve.at(kappa) == np.sum(scaled[:, column] <= kappa) / len(units)


@pytest.mark.parametrize("cost", ["calls", "time"])
@pytest.mark.parametrize("runs", list(suites()))
def test_ratios_are_their_definition(runs, cost):
    _, labels, costs = table(runs, cost)
    for base, baseline in enumerate(labels):
        for column, ratio in enumerate(ratios(runs, baseline, cost)):
            own, other = np.isfinite(costs[:, column]), np.isfinite(costs[:, base])
            both = own & other
            assert (ratio.common, ratio.only_label, ratio.only_baseline) == (
                both.sum(),
                (own & ~other).sum(),
                (other & ~own).sum(),
            )
            if ratio.common:
                values = costs[both, column] / costs[both, base]
                assert ratio.geometric_mean == pytest.approx(np.prod(values) ** (1 / len(values)), rel=1e-12)
                assert ratio.median == pytest.approx(np.median(values), rel=1e-15)
            else:
                assert ratio.geometric_mean is ratio.median is None


def one(**changes):
    """A certified run of `a` on `p`, changed."""
    run = next(run for run in records(1, 1, 1, 1, 1, seed=3))
    base = {"label": "a", "problem": "p", "outcome": Outcome.SOLVED, "calls": 10, "time": 1.0, "sizes": {"x": 4}}
    return dataclasses.replace(run, **{**base, **changes})


@pytest.mark.parametrize(
    ("bad", "good", "solves"), [(0, 1, True), (1, 1, False), (1, 2, True), (2, 2, False), (2, 1, False)]
)
def test_a_unit_is_solved_where_most_repetitions_are(bad, good, solves):
    runs = [one(outcome=Outcome.UNSOLVED, calls=1)] * bad + [one()] * good
    assert math.isfinite(medians(runs, "calls")["a"]["p", runs[0].seed]) == solves


def test_costs_of_nothing_and_of_no_number():
    nothing = [one(calls=0, time=0.0), one(label="b", calls=5)]
    assert [curve.x for curve in performance_profile(nothing).curves] == [(1.0,), (5.0,)]
    wrong = [one(time=math.nan), one(label="b", time=math.inf), one(label="c")]
    assert [curve.at(1e9) for curve in performance_profile(wrong, "time").curves] == [0.0, 0.0, 1.0]


def test_nothing_to_compare():
    assert performance_profile([]).curves == ()
    assert data_profile([]).limit == 1.0
    with pytest.raises(KeyError):
        ratios([one()], "z")


def test_a_size_that_nobody_knows_leaves_the_data_profile():
    runs = [one(), one(problem="q", sizes={}), one(problem="r", sizes={}, outcome=Outcome.CRASHED)]
    profile = data_profile(runs)
    assert profile.units == 2
    assert profile.curves[0].at(2.0) == 0.5


def test_matplotlib_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingPackage, match="pip install matplotlib"):
        plot_profile(performance_profile([one()]))


def test_profiles_are_drawn_by_matplotlib():
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed: nothing to draw with")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    runs = records(4, 3, 1, 1)
    profile = performance_profile(runs)
    _, axes = pyplot.subplots()
    assert plot_profile(profile, axes) is axes
    assert len(axes.lines) == 3
    for line, curve in zip(axes.lines, profile.curves, strict=True):
        assert line.get_label() == curve.label
        assert line.get_ydata()[-1] == curve.at(1e9)
    assert plot_profile(data_profile(runs)) is not axes
    assert plot_profile(performance_profile([one(outcome=Outcome.FAILED)])).lines
    pyplot.close("all")
