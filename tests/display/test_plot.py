"""Pictures of runs: complete, safe with odd values, and without a window."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import solverkit as sk

GAME = "problems/inclusion/rock-paper-scissors/problem.yaml"


@pytest.fixture(scope="module")
def result():
    return sk.solve(sk.load(GAME), "extragradient")


def texts(picture):
    return [axes.get_title() for axes in picture.axes]


def test_a_run_is_drawn_with_its_certificate_and_answer(result):
    picture = result.plot()
    assert texts(picture)[-2:] == ["certificate: value over tolerance", "the point"]
    assert [axes.get_xlabel() for axes in picture.axes[:2]] == ["seconds", "oracle calls"]
    (line,) = picture.axes[0].get_lines()
    assert list(line.get_ydata()) == [record["report"]["merit"] for record in result.trace]
    calls = [sum(record["counts"].values()) for record in result.trace]
    assert list(picture.axes[1].get_lines()[0].get_xdata()) == calls
    names = [label.get_text() for label in picture.axes[-2].get_yticklabels()]
    assert names == [term.name for term in result.certificate.terms]
    assert "CERTIFIED by extragradient" in picture.get_suptitle()
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_several_runs_lie_over_one_another(result):
    other = sk.solve(sk.load(GAME), "halpern")
    picture = sk.plot([result, other], ["first", "second"])
    labels = [text.get_text() for text in picture.axes[0].get_legend().get_texts()]
    assert labels == ["first (CERTIFIED)", "second (CERTIFIED)"]
    assert "the point" not in texts(picture)


def test_a_loaded_result_is_drawn_alike(result, tmp_path):
    result.save(tmp_path)
    again = sk.Result.load(tmp_path).plot()
    assert texts(again) == texts(result.plot())


def test_empty_traces_nan_and_terms_that_fail(result):
    term = result.certificate.terms[0]
    broken = [type(term)(name, value, 1e-6) for name, value in (("a", np.nan), ("b", np.inf), ("c", 0.0), ("d", 5.0))]
    certificate = type(result.certificate)(tuple(broken))
    record = {"nit": 0, "time": 0.0, "counts": {}, "report": {"merit": np.nan, "objective": -1.0}}
    odd = sk.Result(result | {"certificate": certificate, "trace": [record], "problem": "\x1b[31m<b>", "kind": "gone"})
    picture = odd.plot()
    words = [text.get_text() for text in picture.axes[-2].texts]
    assert words == ["VIOLATED", "VIOLATED", "holds", "VIOLATED"]
    assert "\x1b" not in picture.get_suptitle()
    picture._repr_png_()
    bare = sk.Result(result | {"trace": [], "certificate": type(certificate)((), unverified="no oracle"), "point": {}})
    assert bare.plot()._repr_png_()


def test_what_cannot_be_drawn_is_said(result, monkeypatch):
    with pytest.raises(sk.UsageError, match="at least one result"):
        sk.plot([])
    with pytest.raises(sk.UsageError, match="1 results and 2 labels"):
        sk.plot([result], ["a", "b"])
    with pytest.raises(sk.UsageError, match="has a trace"):
        sk.plot([sk.Result(result | {"trace": []})] * 2)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(sk.MissingPackage, match=r"pip install .solverkit\[plot\]"):
        result.plot()


@pytest.mark.parametrize(
    ("name", "method", "title"),
    [
        ("dag/gram-d10", "sort-and-regress", "absolute weights of the graph"),
        ("linear-sequence/spring-chain", "sor-tuner", "what each system cost"),
        ("linear-sequence/spring-chain", "superlu", "what each system cost"),
    ],
)
def test_kinds_draw_their_own_answers(name, method, title):
    result = sk.solve(sk.load(f"problems/{name}/problem.yaml"), method)
    picture = result.plot()
    assert title in texts(picture)
    assert picture._repr_png_()
