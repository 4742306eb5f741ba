"""R13 and R14 whole, every method on every problem of the table; and that the table would see a wrong answer."""

from __future__ import annotations

from dataclasses import replace

from tests.degenerate.table import EDGES, INFEASIBLE
from tests.degenerate.trial import trial
from tests.soak import degenerate

QUICK = ("sketched-newton", "halpern", "topological-swaps", "sor-tuner", "composite-auto", "lv-hba", "penalty", "slsqp")


def test_no_method_gives_more_than_there_is():
    tally = degenerate.run(degenerate.CASES, seed=0, only=QUICK, edges=EDGES)
    assert tally.cases > 65
    assert not tally.failures, tally.failures
    assert tally.facts["proven infeasible"] > 2


def test_the_table_sees_a_wrong_answer():
    edge = next(edge for edge in EDGES if edge.name == "dominated rows and columns")
    assert trial(edge, "halpern") == ("certified", "")
    assert "the value is 7" in trial(replace(edge, known=7.0), "halpern")[1]
    assert "it is infeasible" in trial(replace(edge, known=INFEASIBLE), "halpern")[1]
