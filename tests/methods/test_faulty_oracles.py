"""The short form of R12: every method meets a few faults of its oracles."""

from __future__ import annotations

from tests.soak.faulty_oracles import run


def test_no_fault_of_an_oracle_is_a_traceback_or_an_answer():
    tally = run(24, seed=7)
    assert not tally.failures, tally.failures
    assert tally.cases == 24
    assert {"ORACLE_FAILED", "NOT_FINITE"} <= set(tally.facts)
