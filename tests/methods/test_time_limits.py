"""The short form of R7: methods whose steps are long, and a tool in a process, end where they are told to."""

from __future__ import annotations

from tests.soak import time_limits

FEW = ("notears", "penalty", "cvxpy-scs")


def test_limits_on_time_hold():
    tally = time_limits.run(len(FEW) * time_limits.EACH, seed=2, limits=(0.1,), methods=FEW)
    assert tally.cases >= 3 * len(FEW)
    assert int(tally.facts["reached their limit"]) > 2
    assert not tally.failures, tally.failures
