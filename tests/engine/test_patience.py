"""A step that goes on long past a limit on time or past Ctrl-C is left; the best point stands, and nothing is lost."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from engine_toys import SPEC, Descent, DescentOptions, Quadratic, Toy

from solverkit.engine.checkpoint import Checkpoint
from solverkit.engine.driver import run
from solverkit.engine.limits import Limits
from solverkit.engine.patience import Patience
from solverkit.engine.status import Termination

LONG = 60.0  # seconds of a step that nobody leaves


class Slow(Descent):
    """Descent whose `slow`-th step calls an oracle every 0.02 seconds, or looks, for a minute."""

    def __init__(self, slow: int, looks: bool = False, long: float = LONG):
        super().__init__(DescentOptions())
        self.slow, self.looks, self.long, self.finished = slow, looks, long, False

    def step(self, problem, state, ctx):
        if state.nit == self.slow:
            state.x = state.x + 100.0  # a half-done state must not be answered, nor saved
            until = time.monotonic() + self.long
            while time.monotonic() < until:
                time.sleep(0.02)
                ctx.look() if self.looks else problem.value(state.x)
            state.x = state.x - 100.0
        return super().step(problem, state, ctx)

    def finish(self, problem, state, ctx):
        self.finished = True
        return state


def solved(solver, **settings):
    begun = time.monotonic()
    result = run(Quadratic(), SPEC, solver, Toy(), **settings)
    return result, time.monotonic() - begun


@pytest.mark.parametrize("looks", [False, True])
def test_a_step_is_left_a_second_after_the_limit(looks):
    solver = Slow(3, looks)
    result, seconds = solved(solver, limits=Limits(max_time=0.1))
    assert result.termination is Termination.MAX_TIME
    assert 1.0 < seconds < 20.0
    assert "step 4 was left half done" in result.message
    assert np.array_equal(result.x, run(Quadratic(), SPEC, Slow(99), Toy(), limits=Limits(3)).x)
    assert not solver.finished


def test_a_step_that_ends_in_time_is_whole():
    solver = Slow(3, long=0.3)
    result, _ = solved(solver, limits=Limits(max_time=0.1))
    assert (result.termination, result.nit) == (Termination.MAX_TIME, 4)
    assert solver.finished


def test_init_is_left_too():
    class Never(Slow):
        def init(self, problem, start, ctx):
            until = time.monotonic() + LONG
            while time.monotonic() < until:
                time.sleep(0.02)
                problem.value(start["x"])
            return super().init(problem, start, ctx)

    result, seconds = solved(Never(99), limits=Limits(max_time=0.0), start={"x": np.full(5, 2.0)})
    assert seconds < 20.0
    assert (result.termination, result.nit, list(result.x)) == (Termination.MAX_TIME, 0, [2.0] * 5)
    assert "before the method's first step" in result.message


def test_what_was_done_before_can_be_resumed(tmp_path):
    class Later(Slow):
        """Long from the second step on, so that the run knows that it may have to leave one."""

        def step(self, problem, state, ctx):
            if state.nit < self.slow:
                time.sleep(0.25)
            return super().step(problem, state, ctx)

    first, _ = solved(Later(4), limits=Limits(max_time=1.4), out=tmp_path)
    assert (first.termination, first.nit) == (Termination.MAX_TIME, 4)
    assert Checkpoint.load(tmp_path).header["nit"] == 4
    resumed, _ = solved(
        Descent(DescentOptions()), limits=Limits(9), out=tmp_path, resume_from=Checkpoint.load(tmp_path)
    )
    assert [record["nit"] for record in resumed.trace] == list(range(10))
    assert np.array_equal(resumed.x, run(Quadratic(), SPEC, Slow(99), Toy(), limits=Limits(9)).x)


def test_a_step_is_left_after_ctrl_c():
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    result, seconds = solved(Slow(3))
    assert (result.termination, result.status, result.nit) == (Termination.INTERRUPTED, 130, 3)
    assert 1.2 < seconds < 20.0


class Hands:
    """A clock, and an interrupt, that a test sets."""

    def __init__(self):
        self.now, self.requested = 0.0, False

    def elapsed(self):
        return self.now


@pytest.mark.parametrize(("longest", "left"), [(0.0, 1.0), (0.2, 1.0), (1.5, 3.0), (60.0, Patience.MOST)])
def test_after_ctrl_c_steps_of_the_usual_length_end(longest, left):
    hands = Hands()
    patience = Patience(hands, Limits(), hands)
    patience.longest, hands.now, hands.requested = longest, 10.0, True
    patience.look()
    hands.now = 10.0 + left
    patience.look()
    hands.now += 0.01
    with pytest.raises(BaseException, match="interrupted"):
        patience.look()


@pytest.mark.parametrize(("limit", "last"), [(0.0, 1.0), (10.0, 11.0), (100.0, 105.0)])
def test_what_is_left_to_a_step_after_the_limit(limit, last):
    hands = Hands()
    patience = Patience(hands, Limits(max_time=limit), hands)
    hands.now = last
    patience.look()
    time.sleep(1e-3)
    hands.now = last + 0.01
    with pytest.raises(BaseException, match="max_time"):
        patience.look()
