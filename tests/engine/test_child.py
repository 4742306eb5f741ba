"""Foreign code in a process of its own: its value, its failures, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from solverkit.engine.child import ChildEnded, in_child
from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit.errors import UsageError


def nothing() -> None:
    """No limit."""


def test_the_value_comes_back_whatever_its_size():
    values = np.arange(1_000_000.0)
    assert np.array_equal(in_child(np.negative, values, look=nothing), -values)


def test_an_exception_is_told_in_its_words():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        in_child(divmod, 1, 0, look=nothing)


def _adds(ask, numbers):
    return sum(ask({"square": number}) for number in numbers)


def test_the_child_asks_its_parent():
    asked = []

    def reply(question):
        asked.append(question["square"])
        return question["square"] ** 2

    assert in_child(_adds, range(4), look=nothing, reply=reply) == 14
    assert asked == [0, 1, 2, 3]
    large = np.ones(1_000_000)  # longer than a pipe, both ways
    assert np.array_equal(in_child(_adds, [large], look=nothing, reply=lambda _: large), large)


def test_what_a_reply_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        in_child(_adds, [0], look=nothing, reply=lambda question: 1 / question["square"])


def test_what_cannot_be_pickled_is_told():
    with pytest.raises(RuntimeError, match="pickle"):
        in_child(threading.Lock, look=nothing)
    with pytest.raises(TypeError, match="pickle"):
        in_child(id, threading.Lock(), look=nothing)
    with pytest.raises(TypeError, match="pickle"):
        in_child(_adds, [0], look=nothing, reply=lambda _: threading.Lock())


def _stops(kind: type[Exception], *arguments: object) -> None:
    raise kind(*arguments)


def test_a_stop_and_our_own_errors_are_themselves():
    with pytest.raises(Stop) as stop:
        in_child(_stops, Stop, Termination.STALLED, "tired", {"x": np.ones(2)}, look=nothing)
    assert (stop.value.termination, stop.value.message) == (Termination.STALLED, "tired")
    assert np.array_equal(stop.value.point["x"], np.ones(2))
    with pytest.raises(UsageError, match="so it is"):
        in_child(_stops, UsageError, "so it is", look=nothing)


@pytest.mark.parametrize(
    ("work", "arguments", "said"),
    [(os._exit, (7,), "with exit code 7"), (signal.raise_signal, (signal.SIGKILL,), "by SIGKILL")],
)
def test_a_process_without_an_answer_says_how_it_ended(work, arguments, said):
    with pytest.raises(ChildEnded, match=said):
        in_child(work, *arguments, look=nothing)


def test_what_look_raises_ends_it_at_once():
    looks = []

    def look() -> None:
        looks.append(time.monotonic())
        if len(looks) > 3:
            raise TimeoutError

    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        in_child(time.sleep, 60, look=look)
    assert time.monotonic() - begun < 10


def test_the_users_script_is_not_run_again_and_prints_of_the_work_go_nowhere(tmp_path):
    script = tmp_path / "plain.py"
    script.write_text(
        "print('the script runs', flush=True)\n"
        "import os\n"
        "from solverkit.engine.child import in_child\n"
        "print(in_child(os.system, 'echo noise', look=lambda: None))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout == "the script runs\n0\n"
