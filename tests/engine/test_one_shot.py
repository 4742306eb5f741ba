"""Tools that own their loop: limits, Ctrl-C, callbacks and faults reach them through oracles and `observe`."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from engine_toys import ONE_SHOT, DescentOptions, Quadratic, Toy, Wrapped, at

from solverkit.engine.checkpoint import Checkpoint
from solverkit.engine.driver import run
from solverkit.engine.limits import Limits
from solverkit.engine.status import Termination
from solverkit.errors import CheckpointError


class Silent(Wrapped):
    """Shows nothing, and swallows what it can."""

    def solve(self, problem, start, ctx, observe):
        x = start["x"].copy()
        for _ in range(200):
            try:
                x = x - 0.2 * problem.gradient(x)
            except Exception:
                continue
        return {"x": x}


class Greedy(Wrapped):
    """Swallows everything, as a C callback does."""

    def solve(self, problem, start, ctx, observe):
        for _ in range(50):
            try:
                problem.gradient(start["x"])
                observe(start, merit=1.0)
            except BaseException:
                continue
        return {"x": np.full(5, 7.0)}


class Lost(Wrapped):
    """Answers with no answer."""

    def solve(self, problem, start, ctx, observe):
        observe({"x": np.full(5, np.nan)}, merit=0.0)
        return {"x": np.full(5, np.nan)}


def shoot(solver=Wrapped, problem=None, **how):
    return run(problem or Quadratic(), ONE_SHOT, solver(DescentOptions()), Toy(), **how)


def test_the_answer_is_certified():
    result = shoot()
    assert (result.termination, result.success) == (Termination.CONVERGED, True)
    assert result.njev == result.nit


def test_limits_are_exact():
    assert shoot(limits=Limits(max_iter=7)).nit == 7
    assert shoot(limits=Limits(max_calls=9)).njev == 9
    silent = shoot(Silent, limits=Limits(max_calls=9))
    assert (silent.njev, silent.termination) == (9, Termination.MAX_CALLS)


def test_the_time_limit_leaves_a_silent_tool():
    problem = Quadratic(fault=lambda name, call, value: time.sleep(0.01) or value)
    result = shoot(Silent, problem, limits=Limits(max_time=0.1))
    assert result.termination is Termination.MAX_TIME
    assert result.timing["solve"] < 0.5


def test_a_tool_that_swallows_everything_is_still_seen_to_stop():
    result = shoot(Greedy, limits=Limits(max_calls=3))
    assert (result.termination, result.njev) == (Termination.MAX_CALLS, 3)
    assert not np.array_equal(result.x, np.full(5, 7.0))


def test_interrupt():
    problem = Quadratic(fault=lambda name, call, value: time.sleep(0.01) or value)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    assert shoot(problem=problem).termination is Termination.INTERRUPTED


def test_callbacks():
    def stop(intermediate_result):
        if intermediate_result.nit == 4:
            raise StopIteration

    def fail(x):
        raise LookupError("mine")

    assert (shoot(callback=stop).termination, shoot(callback=stop).nit) == (Termination.CALLBACK, 4)
    for solver in (Wrapped, Greedy):
        with pytest.raises(LookupError, match="mine"):
            shoot(solver, callback=fail)


def test_target():
    assert shoot(target=True).termination is Termination.TARGET


def test_faults():
    failed = shoot(problem=Quadratic(fault=at("gradient", 5, ValueError("bad"))))
    assert failed.termination is Termination.ORACLE_FAILED
    assert failed.nit == 4
    nan = shoot(problem=Quadratic(fault=at("gradient", 5, lambda value: value * np.nan)), limits=Limits(50))
    assert np.isfinite(nan.x).all()
    assert nan.nit > 5
    lost = shoot(Lost)
    assert lost.termination is Termination.NOT_FINITE
    assert np.isfinite(lost.x).all()


def test_it_cannot_be_resumed(tmp_path):
    with pytest.raises(CheckpointError, match="owns its loop"):
        shoot(resume_from=Checkpoint(tmp_path, {}, {}))
