"""Whose fault is seen when the oracles of an inclusion contradict each other, and how large it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solverkit.kinds import maps
from solverkit.kinds.inclusion import game, saddle
from solverkit.kinds.inclusion.certificate import certify
from solverkit.kinds.inclusion.consistency import oracle_term
from solverkit.kinds.oracles import Discrepancy
from solverkit.operators.proximal import L1
from tests.inclusion.called import called

UNITS = [2.0**-40, 1.0, 2.0**40]


def slopes(count, n=2, seed=0):
    """(count, n) of components F_i(u) = slopes_i (u - 1)."""
    return np.random.default_rng(seed).uniform(1, 2, (count, n))


def mean_of(rows, weights=None, unit=1.0, off=None, n=2):
    """A finite sum of `rows`, the components of `off`, in the unit of F, added to what samples give."""
    count = len(rows)
    off = np.zeros_like(rows) if off is None else off

    def components(u, samples):
        q = np.full(count, 1 / count) if weights is None else weights
        factors = 1 / (len(samples) * count * q[samples])
        return unit * (factors @ (rows[samples] * (u - 1) + off[samples]))

    return called(lambda u: unit * rows.mean(axis=0) * (u - 1), n, count=count, weights=weights, components=components)


# -- F against itself


@pytest.mark.parametrize("unit", UNITS)
def test_F_that_changes_is_off_by_its_change_over_its_size(unit):
    calls = iter(range(1000))
    problem = called(lambda u: unit * (np.array([-4.0, 1.0]) + 1e-3 * (next(calls) >= 2)), 2)
    term = oracle_term(problem, np.zeros(2), 0)
    assert term.value == pytest.approx(1e-3 / 4)
    assert (term.tolerance, term.note, term.ok) == (1e-8, "worst: F", False)


@pytest.mark.parametrize("second", [0, 1])
def test_F_is_asked_twice_at_the_point_and_at_one_close_by(second):
    """The second time the value changes at one of the two alone."""
    calls = iter(range(4))
    problem = called(lambda u: 1.0 + 0.5 * (next(calls) == 2 + second) + 0 * u, 1)
    assert oracle_term(problem, np.zeros(1), 0).value == pytest.approx(0.5)
    point, near, *again = problem.part.asked
    assert np.array_equal(again, [point, near])


def test_what_F_may_change_by_is_rounding():
    for change, ok in ((0.9e-8, True), (1.1e-8, False)):
        calls = iter(range(4))
        problem = called(lambda u, calls=calls, change=change: 1.0 + change * (next(calls) >= 2) + 0 * u, 1)
        term = oracle_term(problem, np.zeros(1), 0)
        assert (term.ok, term.note) == (ok, "" if ok else "worst: F")


def test_the_other_point_is_a_tenth_of_1_plus_u_away_and_within_the_sets():
    form = {"a": {"shape": 40}, "b": {"shape": 40, "lower": 0}}
    u = np.concatenate([np.linspace(-30, 30, 40), np.zeros(40)])
    problem = called(lambda v: v, 80, form)
    oracle_term(problem, u, 0)
    relative = (problem.part.asked[1] - u) / (1 + np.abs(u))
    assert 0.08 < relative[:40].max() <= 0.1
    assert -0.1 <= relative[:40].min() < -0.08
    assert np.all((relative[40:] >= 0) & (relative[40:] <= 0.1))
    assert 5 < (relative[40:] > 0).sum() < 35
    oracle_term(problem, u, 1)
    assert not np.array_equal(problem.part.asked[1], problem.part.asked[5])


def test_F_that_is_zero_contradicts_nothing():
    problem = called(np.zeros_like, 3, count=4, components=lambda u, samples: np.zeros(3))
    term = oracle_term(problem, np.zeros(3), 0)
    assert (term.value, term.ok) == (0, True)


def test_components_of_F_that_is_zero_are_off_by_what_they_are():
    problem = called(np.zeros_like, 3, count=4, components=lambda u, samples: np.array([0.0, 1e-3, -2e-3]))
    assert oracle_term(problem, np.zeros(3), 0).value == pytest.approx(2e-3)


# -- components against F


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    ("count", "weighted"), [*((count, False) for count in (2, 8, 513)), *((count, True) for count in (2, 8, 30, 512))]
)
def test_components_are_off_by_what_their_mean_is_off_over_the_size_of_F(unit, count, weighted):
    rows = slopes(count)
    weights = rows[:, 0] / rows[:, 0].sum() if weighted else None
    u = np.array([3.0, -2.0])
    right = oracle_term(mean_of(rows, weights, unit), u, 0)
    assert (right.ok, right.note) == (True, "")
    off = np.zeros_like(rows)
    off[count // 2, 1] = 0.5 * count  # one component, in one entry: the mean is off by 1/2
    wrong = mean_of(rows, weights, unit, off)
    term = oracle_term(wrong, u, 0)
    values = [np.abs(wrong.part.function(v)).max() for v in wrong.part.asked[:2]]
    assert term.value == pytest.approx(0.5 * unit / max(values), rel=1e-6)
    assert (term.note, term.ok) == ("worst: components", False)


def test_components_are_held_against_F_at_a_second_point_too():
    """At 1 all of them are 0, and so are those that are twice as large."""
    rows = slopes(5)
    problem = mean_of(rows)
    problem.part.components = lambda u, samples: 2 * (rows[samples] * (u - 1)).mean(axis=0)
    assert oracle_term(problem, np.ones(2), 0).value == pytest.approx(1)
    assert oracle_term(mean_of(rows), np.ones(2), 0).ok


@pytest.mark.parametrize("count", [2, 5, 8, 9, 100])
def test_equally_likely_ones_are_asked_for_once_each_one_alone_and_the_rest_in_seven_parts(count):
    rows, asked = slopes(count), []
    problem = mean_of(rows)
    inner = problem.part.components
    problem.part.components = lambda u, samples: asked.append(np.array(samples)) or inner(u, samples)
    assert oracle_term(problem, np.zeros(2), 0).ok
    once = asked[: len(asked) // 2]
    assert sorted(np.concatenate(once)) == list(range(count))
    assert len(once[0]) == 1
    assert len(once) == min(count, 8)
    assert max(len(part) for part in once[1:]) - min(len(part) for part in once[1:]) <= 1
    oracle_term(problem, np.zeros(2), 1)
    assert count == 2 or not np.array_equal(np.concatenate(asked[len(once) * 2 :]), np.concatenate(once * 2))


@pytest.mark.parametrize("count", [20, 600])
def test_a_component_that_is_never_drawn_is_never_asked_for(count):
    rows = slopes(count)
    rows[3] = 0
    weights = rows[:, 0] / rows[:, 0].sum()
    asked = []
    problem = mean_of(rows, weights)
    inner = problem.part.components
    problem.part.components = lambda u, samples: asked.extend(samples) or inner(u, samples)
    assert oracle_term(problem, np.zeros(2), 0).ok
    assert 3 not in asked
    assert len(set(asked)) > count / 2


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("unit", UNITS)
def test_many_components_of_many_sizes_raise_no_alarm_and_their_opposites_do(seed, unit):
    """Sizes over four orders of magnitude, weights that follow them badly: samples are noisy."""
    rng = np.random.default_rng(seed)
    rows = 10.0 ** rng.uniform(-2, 2, (1500, 2))
    weights = np.sqrt(rows[:, 0]) / np.sqrt(rows[:, 0]).sum()
    term = oracle_term(mean_of(rows, weights, unit), np.zeros(2), seed)
    assert (term.ok, term.note) == (True, "")
    term = oracle_term(mean_of(rows, weights, unit, off=2 * rows), np.zeros(2), seed)
    assert (term.value > 1, term.ok, term.note) == (True, False, "worst: components")


def test_components_that_do_not_differ_are_off_by_all_of_it():
    """Equal ones have no noise: a thousandth is seen among a thousand of them."""
    rows, weights = np.ones((1000, 2)), np.append(np.full(999, 0.5 / 999), 0.5)
    problem = mean_of(rows, weights)
    problem.part.components = lambda u, samples: 1.001 * (u - 1)
    term = oracle_term(problem, np.zeros(2), 0)
    assert (term.value, term.note) == (pytest.approx(1e-3, rel=1e-6), "worst: components")


def test_right_components_of_a_large_sum_are_sampled_sixteen_times_at_each_point():
    rows, asked = slopes(600), []
    problem = mean_of(rows, rows[:, 0] / rows[:, 0].sum())
    inner = problem.part.components
    problem.part.components = lambda u, samples: asked.append(len(samples)) or inner(u, samples)
    assert oracle_term(problem, np.array([3.0, -2.0]), 0).value == 0
    assert asked == [256] * 32


def test_an_error_beside_which_F_is_small_is_seen_through_the_noise():
    """Components of size 10 that cancel to 1/100, and all of them off by 5."""
    rng = np.random.default_rng(0)
    rows = 10 * rng.choice([-1.0, 1.0], (1000, 2))
    rows += 0.01 - rows.mean(axis=0)
    weights = rng.uniform(1, 2, 1000)
    problem = mean_of(rows, weights / weights.sum(), off=np.full_like(rows, 5.0))
    term = oracle_term(problem, np.array([2.0, 0.0]), 0)
    assert (term.note, term.value > 100) == ("worst: components", True)


def test_a_component_that_is_hardly_ever_drawn_counts_beside_one_that_never_is():
    rows = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 4.0], [0.0, 0.0]])
    weights = np.array([0.5, 0.5 - 1e-12, 1e-12, 0.0])
    assert oracle_term(mean_of(rows, weights), np.array([3.0, -2.0]), 0).ok
    off = np.zeros_like(rows)
    off[2] = 4.0
    assert oracle_term(mean_of(rows, weights, off=off), np.array([3.0, -2.0]), 0).note == "worst: components"


@pytest.mark.parametrize("seed", range(3))
def test_rows_and_columns_of_a_large_game_are_sampled(seed):
    problem = game(np.random.default_rng(seed).standard_normal((600, 20)))
    u = np.concatenate([np.full(600, 1 / 600), np.full(20, 1 / 20)])
    assert oracle_term(problem, u, seed).ok
    part = problem.part
    opposite = called(
        part.value, 620, count=600, weights=part.weights, components=lambda v, samples: -part.components(v, samples)
    )
    assert not oracle_term(replace(problem, part=opposite.part), u, seed).ok


@pytest.mark.parametrize("who", ["F", "components"])
def test_what_is_not_a_number_is_the_worst(who):
    rows = slopes(4)
    problem = mean_of(rows)
    if who == "F":
        calls = iter(range(4))
        problem.part.function = lambda u: np.where(next(calls) == 2, np.nan, u)
    else:
        problem.part.components = lambda u, samples: np.full(2, np.nan)
    term = oracle_term(problem, np.zeros(2), 0)
    assert np.isnan(term.value)
    assert (term.ok, term.note) == (False, f"worst: {who}")


# -- F against its payoff


def bowl(unit=1.0, sign=(1.0, -1.0), payoff=None, value=None):
    """min_x max_y (x - 1)^2 - (y - 2)^2, at a point that is not its answer."""

    payoff = payoff or (lambda v: (v[0] - 1) ** 2 - (v[1] - 2) ** 2)
    value = value or (lambda v: np.array([2 * (v[0] - 1), 2 * (v[1] - 2)]))
    return called(lambda v: unit * value(v), 2, payoff=lambda v: unit * payoff(v), sign=np.array(sign))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"sign": (1.0, 1.0)},
        {"sign": (-1.0, 1.0)},
        {"payoff": lambda v: 2 * ((v[0] - 1) ** 2 - (v[1] - 2) ** 2)},
        {"payoff": lambda v: (v[0] - 1) ** 2 - (v[1] - 2) ** 2 + 0.01 * v[0]},
        {"value": lambda v: np.array([2 * (v[0] - 1), 2 * (v[1] - 2.1)])},
    ],
    ids=["right", "sign", "signs", "doubled", "slope", "root"],
)
def test_F_is_that_of_its_payoff_in_any_unit(unit, changed):
    term = oracle_term(bowl(unit, **changed), np.array([3.0, -1.0]), 0)
    right = not changed
    note = "" if right else "worst: F against the payoff"
    assert (term.ok, term.tolerance, term.note) == (right, 1e-4, note)


def test_F_that_changes_comes_before_its_payoff():
    calls = iter(range(10**6))
    problem = bowl(value=lambda v: np.array([2 * (v[0] - 1), 2 * (v[1] - 2)]) + 1e-3 * next(calls))
    assert oracle_term(problem, np.array([3.0, -1.0]), 0).note == "worst: F"


# -- proximal maps


class Forgets(L1):
    """lambda ||x||_1 by a map that forgets its step."""

    def prox(self, v, step):
        return super().prox(v, 1.0)

    def conjugate(self, v):
        raise NotImplementedError


class Nowhere(L1):
    """A map that gives no number."""

    def prox(self, v, step):
        return np.full_like(v, np.nan)


@pytest.mark.parametrize("first", [False, True])
def test_the_block_of_a_wrong_map_is_named(first):
    form = {"a": {"shape": 2}, "b": {"shape": 3}}
    block = "a" if first else "b"
    problem = called(lambda v: v - 2.0, 5, form, sets={block: Forgets(0.5)})
    term = oracle_term(problem, np.full(5, 1.5), 0)
    assert (term.ok, term.tolerance) == (False, 1e-6)
    assert term.note.startswith("worst: proximal map")
    assert term.note.endswith(f", of '{block}'")
    right = called(lambda v: v - 2.0, 5, form, sets={block: L1(0.5)})
    assert oracle_term(right, np.full(5, 1.5), 0).ok


def test_the_worst_of_two_maps_is_named():
    form = {name: {"shape": 2} for name in ("a", "b", "c")}
    sets = {"a": Forgets(0.01), "b": Forgets(0.5), "c": Forgets(0.01)}
    whole = oracle_term(called(lambda v: v - 2.0, 6, form, sets=sets), np.full(6, 1.5), 0)
    assert whole.note.endswith("'b'")
    alone = [oracle_term(called(lambda v: v - 2.0, 6, form, sets={name: sets[name]}), np.full(6, 1.5), 0)
             for name in form]  # fmt: skip
    assert whole.value == max(term.value for term in alone) > alone[0].value


def test_a_map_without_a_number_is_wrong():
    problem = called(lambda v: v - 2.0, 3, sets={"u": Nowhere(0.5)})
    problem = replace(problem, part=called(lambda v: np.array([1.0, 1.0, 1.0]), 3).part)
    assert not oracle_term(problem, np.full(3, 1.5), 0).ok


def test_F_that_changes_comes_before_a_wrong_map():
    calls = iter(range(4))
    problem = called(lambda v: v + 1e-3 * next(calls), 3, sets={"u": Forgets(0.5)})
    assert oracle_term(problem, np.full(3, 1.5), 0).note == "worst: F"


def test_a_map_is_not_asked_for_where_the_gap_is_a_proof_without_it():
    problem = game([[0.0, 1.0], [1.0, 0.0]])
    half = np.full(2, 0.5)
    sets = (problem.sets[0], Forgets(0.5))
    assert certify(replace(problem, sets=sets), {"x": half, "y": half})["oracles"].ok


def test_a_saddle_problem_with_a_wrong_map_and_a_right_payoff_is_refused():
    problem = saddle({"x": {"shape": 2}}, {"y": {}}, "sum(x**2) + y*sum(x) - y**2 - y", sets={"x": Forgets(0.5)})
    assert oracle_term(problem, np.array([1.5, 2.0, -1.0]), 0).note.endswith("of 'x'")


@pytest.mark.parametrize("values", [(np.nan, 0.5), (0.5, np.nan), (np.nan, 0.0)])
def test_a_map_that_could_not_be_checked_is_worse_than_any_other(monkeypatch, values):
    found = iter(values)
    monkeypatch.setattr(maps, "proximal_map", lambda part, v, seed: Discrepancy(next(found), "identity"))
    problem = saddle({"x": {"shape": 2}}, {"y": {}}, "sum(x**2) + y*sum(x) - y**2 - y")
    term = oracle_term(problem, np.zeros(3), 0)
    assert np.isnan(term.value)
    assert not term.ok
    assert term.note == f"worst: identity, of '{'xy'[values.index(next(v for v in values if np.isnan(v)))]}'"
