"""Progress where a notebook shows it: one output that renews itself, with the share of the nearest limit as a bar."""

from __future__ import annotations

import sys
import types

import pytest

import solverkit as sk
from solverkit.bench.progress import Progress
from solverkit.bench.record import Outcome
from solverkit.display.notebook import in_notebook
from solverkit.engine.limits import Limits


@pytest.fixture
def pages(monkeypatch):
    """What a kernel would show, newest last."""
    shown = []

    def display(page, display_id):
        assert display_id
        shown.append(page)
        return types.SimpleNamespace(update=shown.append)

    kernel = types.SimpleNamespace(kernel=object())
    module = types.ModuleType("IPython")
    module.get_ipython = lambda: kernel
    screen = types.ModuleType("IPython.display")
    screen.HTML, screen.display = str, display
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", screen)
    return shown


def test_a_run_shows_a_bar_that_goes_when_it_ends(pages):
    sk.solve(sk.load("problems/nonlinear/hs71/problem.yaml"), "slsqp", max_time=60.0, progress=True)
    assert len(pages) > 1
    assert "<progress" in pages[0]
    assert "slsqp" in pages[0]
    assert pages[-1] == ""


def test_a_suite_shows_how_far_it_is(pages, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules["solverkit.bench.progress"].EVERY, True, 0.0)
    progress = Progress()
    progress.begin(4)
    progress.add([types.SimpleNamespace(outcome=Outcome.SOLVED, problem="<b>", label="descent", time=1.0)])
    assert "value='0.250'" in pages[0]
    assert "&lt;b&gt; by descent" in pages[0]
    progress.end()
    assert pages[-1] == ""
    assert "1 of 4 runs" in capsys.readouterr().err


def test_outside_of_a_notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", None)
    assert not in_notebook()
    module = types.ModuleType("IPython")
    module.get_ipython = lambda: None
    monkeypatch.setitem(sys.modules, "IPython", module)
    assert not in_notebook()


@pytest.mark.parametrize(
    ("limits", "spent", "share"),
    [
        (Limits(), (5, 1.0, 7), None),
        (Limits(max_iter=10), (5, 1.0, 7), 0.5),
        (Limits(max_iter=10, max_time=1.25, max_calls=700), (5, 1.0, 7), 0.8),
        (Limits(max_calls=0), (0, 0.0, 0), 1.0),
        (Limits(max_time=1.0), (5, 3.0, 7), 1.0),
    ],
)
def test_share_of_the_nearest_limit(limits, spent, share):
    assert limits.share(*spent) == share
