"""No wrong answer to a trap is certified; the page is what the command writes, for the traps that are quick."""

from __future__ import annotations

import re

import pytest

from tests.scoreboard import board
from tests.scoreboard.page import PAGE
from tests.scoreboard.traps import traps

QUICK = (
    "gradient of wrong sign",
    "gradient is zero",
    "unbounded, linear",
    "starts at a saddle",
    "no multiplier exists",
)


@pytest.fixture(scope="module")
def quick():
    chosen = [trap for trap in traps() if trap.name in QUICK]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(board, "traps", lambda: [next(t for t in traps() if t.name == c.name) for c in chosen])
        return list(board.runs())


def test_no_wrong_answer_is_certified(quick):
    assert [run for run in quick if run.wrong_verdict] == []


def test_others_claim_wrong_answers(quick):
    """What the scoreboard is there to show: at least one method says success where there is none."""
    assert any(run.wrong_claim for run in quick if run.library == "SciPy")
    assert not any(run.wrong_claim for run in quick if run.library == "SolverKit")


def test_the_page_names_every_trap_and_no_wrong_verdict():
    page = PAGE.read_text()
    for trap in traps():
        assert f"| {trap.name} |" in page
    totals = re.findall(r"^\| \*\*\w+\*\* \| all \|(.*)\|$", page, re.M)
    assert [int(row.split("|")[-1]) for row in totals] == [0, 0]


def test_the_page_is_up_to_date(quick):
    """The wrong claims and verdicts of each quick trap, as they stand on the page."""
    page = PAGE.read_text()
    for name in QUICK:
        theirs = [run for run in quick if run.trap == name and run.library == "SciPy"]
        ours = [run for run in quick if run.trap == name and run.library == "SolverKit"]
        row = next(line for line in page.splitlines() if line.startswith(f"| {name} |")).split(" | ")
        assert row[1] == (", ".join(run.method for run in theirs if run.wrong_claim) or "none"), name
        assert row[2].startswith(f"{sum(run.certified for run in theirs)} of"), name
        assert row[3].startswith(f"{sum(run.certified for run in ours)} of"), name
