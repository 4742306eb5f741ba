"""IPOPT here and in a process of its own: the same run, ended at any moment there."""

from collections import Counter

import numpy as np
import pytest

from solverkit.engine.child import ChildEnded
from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit_baselines import ipopt
from solverkit_baselines.ipopt import SOLVED, Ipopt
from solverkit_baselines.nlpsol import Bounds, Iterate
from solverkit_baselines.patterns import Triplets

ANYWHERE = pytest.mark.parametrize("largest", [10**9, 0])
"""The largest program that is solved here: all, none."""


class Bend:
    """min (v0 - 3)^2 + (v1 - 1)^2 under v0 + v1 max(v0 - 1, 0)^2 <= 6; dc/dv1 is zero without an entry up to v0 = 1."""

    size, rows = 2, 1

    def __init__(self) -> None:
        self.calls = Counter()

    def value(self, v):
        self.calls["value"] += 1
        return float((v[0] - 3) ** 2 + (v[1] - 1) ** 2)

    def gradient(self, v):
        return np.array([2 * (v[0] - 3), 2 * (v[1] - 1)])

    def constraints(self, v):
        return np.array([v[0] + v[1] * max(v[0] - 1, 0) ** 2])

    def jacobian(self, v):
        beyond = max(v[0] - 1, 0)
        entries = {0: 1 + 2 * v[1] * beyond} | ({1: beyond**2} if beyond else {})
        return Triplets((1, 2), np.zeros(len(entries), int), np.array([*entries]), np.array([*entries.values()]))

    def hessian(self, v, weight, weights):
        beyond = max(v[0] - 1, 0)
        bend, cross = weights[0] * 2 * v[1] * (beyond > 0), weights[0] * 2 * beyond
        row, column = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
        kept = np.array([True, beyond > 0, beyond > 0, True])
        data = np.array([2 * weight + bend, cross, cross, 2 * weight])
        return Triplets((2, 2), row[kept], column[kept], data[kept])


def solved(program, look=lambda iterate: None, limit=lambda: None):
    bounds = Bounds(np.full(2, -10.0), np.full(2, 10.0), np.array([-np.inf]), np.array([6.0]))
    run = Ipopt(program, True, np.random.default_rng(0), limit)
    return run.solve(Iterate(np.zeros(2)), bounds, {"tol": 1e-9}, look)


@ANYWHERE
def test_an_entry_that_comes_up_on_the_way_is_taken_in(monkeypatch, largest):
    monkeypatch.setattr(ipopt, "LARGE", largest)
    program = Bend()
    end, status = solved(program)
    assert status in SOLVED
    assert program.constraints(end.v)[0] == pytest.approx(6.0, abs=1e-6)
    slope = program.gradient(end.v) + end.rows[0] * program.jacobian(end.v).matrix.toarray()[0]
    assert np.abs(slope).max() < 1e-6


def test_both_ways_are_one_run(monkeypatch):
    ends = []
    for largest in (10**9, 0):
        monkeypatch.setattr(ipopt, "LARGE", largest)
        program, seen = Bend(), []
        end, status = solved(program, seen.append)
        ends.append((end.v.tolist(), end.rows.tolist(), status, program.calls, [each.v.tolist() for each in seen]))
    assert ends[0] == ends[1]


@ANYWHERE
@pytest.mark.parametrize("where", ["value", "jacobian", "hessian", "look"])
def test_what_a_function_raises_ends_it(monkeypatch, largest, where):
    class Enough(BaseException):
        """Not an Exception, as the driver's own."""

    def fails(*arguments):
        raise Enough

    monkeypatch.setattr(ipopt, "LARGE", largest)
    program = Bend()
    if where != "look":
        calls, original = Counter(), getattr(program, where)
        setattr(program, where, lambda *a: fails() if calls.update("x") or calls["x"] > 2 else original(*a))
    with pytest.raises(Enough):
        solved(program, fails if where == "look" else lambda iterate: None)


@ANYWHERE
def test_values_of_another_length_are_told(monkeypatch, largest):
    monkeypatch.setattr(ipopt, "LARGE", largest)
    program = Bend()
    program.gradient = lambda v: np.ones(3)
    with pytest.raises(ValueError, match="3 values where IPOPT expects 2"):
        solved(program)


def test_a_limit_is_seen_while_the_process_works(monkeypatch):
    monkeypatch.setattr(ipopt, "LARGE", 0)
    monkeypatch.setattr("solverkit.engine.child.WAIT", 1e-4)

    def limit():
        raise TimeoutError

    with pytest.raises(TimeoutError):
        solved(Bend(), limit=limit)


def test_a_process_that_is_killed_is_told(monkeypatch):
    def killed(*arguments, **options):
        raise ChildEnded("by SIGKILL")

    monkeypatch.setattr(ipopt, "LARGE", 0)
    monkeypatch.setattr(ipopt, "in_child", killed)
    with pytest.raises(Stop, match="ended without an answer, by SIGKILL") as stop:
        solved(Bend())
    assert stop.value.termination is Termination.STALLED


def test_a_factorization_of_seconds_is_left_at_the_limit(peer, shipped):
    result = peer("kkt-ipopt", shipped("coupled-merely-convex-10000"), max_time=0.7, certify=False)
    assert result.termination is Termination.MAX_TIME
    assert result.timing["solve"] < 1.7
