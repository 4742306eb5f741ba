"""The short form of R8: two real commands are interrupted."""

from __future__ import annotations

from tests.soak.interrupts import run


def test_ctrl_c_ends_a_command_without_a_traceback():
    tally = run(2, seed=2)
    assert tally.cases == 2
    assert not tally.failures, tally.failures
