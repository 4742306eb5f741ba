"""The trace: bounded, thinned by iteration alone, readable after any kill."""

from __future__ import annotations

import json

import numpy as np
import pytest
from engine_toys import Descent, DescentOptions, Quadratic, Toy, descend

from solverkit.engine.limits import Limits
from solverkit.engine.trace import Trace, read_lines


def fill(trace, begin, end):
    for nit in range(begin, end):
        if trace.wants(nit):
            trace.add(nit, nit * 1e-3, {"nfev": nit}, {"merit": 1.0 / (nit + 1)})
    return trace


def test_memory_and_file_are_bounded(tmp_path):
    trace = fill(Trace(tmp_path / "t.jsonl", capacity=100), 0, 100_000)
    trace.last(99_999, 1.0, {}, {})
    trace.close()
    nits = [record["nit"] for record in trace.records]
    assert (nits[0], nits[-1]) == (0, 99_999)
    assert 50 <= len(nits) <= 101
    assert len(set(np.diff(nits[:-1]))) == 1
    assert len(read_lines(tmp_path / "t.jsonl")) < 100 * 12


def test_reopened_it_is_what_it_would_have_been(tmp_path):
    whole = fill(Trace(tmp_path / "whole", capacity=50), 0, 1000)
    part = fill(Trace(tmp_path / "part", capacity=50), 0, 700)
    part.last(699, 0.0, {}, {})
    part.close()
    again = fill(Trace.reopen(tmp_path / "part", 600, capacity=50), 601, 1000)
    for trace in (whole, again):
        trace.last(999, 1.0, {}, {})
        trace.close()
    assert again.records == whole.records
    assert (tmp_path / "part").read_text() == (tmp_path / "whole").read_text()


def test_torn_and_foreign_lines_are_left_out(tmp_path):
    path = tmp_path / "t"
    fill(Trace(path), 0, 3).close()
    path.write_text(path.read_text() + '[1]\n{"nit": 1}\n{"nit": "x", "log": 3}\n' + "[" * 10_000 + '\n{"nit": 3, "ti')
    assert [line["nit"] for line in read_lines(path)] == [0, 1, 2]


def test_lines_are_strict_json(tmp_path):
    trace = Trace(tmp_path / "t")
    trace.add(0, 0.0, {}, {"merit": float("inf"), "gap": float("nan"), "other": np.float64(0.1)})
    trace.close()

    def refuse(name):
        raise AssertionError(name)

    line = json.loads((tmp_path / "t").read_text(), parse_constant=refuse)
    assert line["report"] == {"merit": "inf", "gap": None, "other": 0.1}
    report = read_lines(tmp_path / "t")[0]["report"]
    assert report["merit"] == float("inf")
    assert np.isnan(report["gap"])


def test_sentences_of_a_method(tmp_path, capfd):
    class Talker(Descent):
        def step(self, problem, state, ctx):
            ctx.log("restart \x1b[2J")
            return super().step(problem, state, ctx)

    from engine_toys import SPEC

    from solverkit.engine.driver import run

    result = run(Quadratic(), SPEC, Talker(DescentOptions()), Toy(), out=tmp_path, limits=Limits(3), progress="log")
    assert result.notes == ["restart ?[2J"] * 3
    assert sum("log" in line for line in read_lines(tmp_path / "trace.jsonl")) == 3
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "restart ?[2J" in shown.err


def test_progress_is_silent_where_there_is_no_terminal(capfd):
    descend(limits=Limits(3), progress=True)
    assert capfd.readouterr() == ("", "")


def test_progress_on_a_terminal():
    import io

    from solverkit.engine.progress import reporter

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    shown = reporter(True, "descent", stream)
    shown.update(3, 1.0, {"merit": 0.5}, 0.5)
    shown.message("hello [bold]")
    shown.close()
    assert "merit 0.5" in stream.getvalue()
    assert "[######......]" in stream.getvalue()
    assert "hello [bold]" in stream.getvalue()


@pytest.mark.parametrize("inner", [1, 3])
def test_counts_are_the_calls_that_were_made(inner):
    problem = Quadratic()
    result = descend(problem, limits=Limits(12), options={"inner": inner})
    assert result.counts == {"nfev": problem.made.count("value"), "njev": problem.made.count("gradient")}
    assert (result.nfev, result.njev) == (12, 12 * inner)
    assert result.trace[-1]["counts"] == result.counts


def test_a_trace_that_cannot_be_read_is_left_as_it_is(tmp_path, monkeypatch):
    path = tmp_path / "trace.jsonl"
    trace = Trace(path)
    trace.add(0, 0.0, {}, {"merit": 1.0})
    trace.flush()
    mark, content = trace.mark, path.read_bytes()

    def fails(_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(type(path), "read_bytes", fails)
        again = Trace.reopen(path, 0, mark)
    assert "could not be read, and is left as it is" in again.warning
    assert path.read_bytes() == content
