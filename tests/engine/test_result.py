"""Results: SciPy's interface, strict JSON, and files that nobody vouches for."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import random

import numpy as np
import pytest
from engine_toys import Quadratic, descend
from scipy.optimize import OptimizeResult

from solverkit.engine.archive import sealed
from solverkit.engine.limits import Limits
from solverkit.engine.result import NotCertified, Result
from solverkit.engine.status import PointStatus, Termination
from solverkit.errors import Defect, InvalidProblem

KEYS = {"problem", "method", "objective", "point_status", "termination", "certificate", "counts", "timing", "options",
        "seed", "versions", "point"}  # fmt: skip


@pytest.fixture
def result():
    return descend(limits=Limits(200))


def test_it_is_scipys(result):
    assert isinstance(result, OptimizeResult)
    assert result.success is True
    assert result["x"] is result.x
    assert result.fun == pytest.approx(Quadratic().objective(result.point))
    assert {"nit", "nfev", "njev", "status", "message"} <= result.keys()


def test_raise_for_status(result):
    assert result.raise_for_status() is result
    with pytest.raises(NotCertified, match="MAX_ITER") as caught:
        descend(limits=Limits(1)).raise_for_status()
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert (error.exit_code, error.result.nit) == (3, 1)


def test_copies_and_pickles(result):
    for other in (copy.copy(result), pickle.loads(pickle.dumps(result))):
        assert isinstance(other, Result)
        assert np.array_equal(other.x, result.x)
        assert other.termination is result.termination


def test_json_is_strict_and_complete(result):
    data = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert data.keys() >= KEYS
    assert data["point"]["x"] == result.x.tolist()
    assert result.to_json(large=2)["point"]["x"] == "point.npz#x"
    assert data["certificate"]["terms"][0]["name"] == "stationarity"


def test_saved_and_loaded(result, tmp_path):
    again = Result.load(result.save(tmp_path / "out"))
    for name in (
        "success",
        "status",
        "message",
        "fun",
        "nit",
        "nfev",
        "termination",
        "point_status",
        "certificate",
        "options",
        "seed",
        "fingerprint",
    ):
        assert again[name] == result[name], name
    assert np.array_equal(again.x, result.x)
    assert again.trace == result.trace
    assert repr(again) == repr(result)
    assert (
        again.save(tmp_path / "again").joinpath("result.json").read_text()
        == (tmp_path / "out" / "result.json").read_text()
    )


def change(folder, edit):
    path = folder / "result.json"
    data = json.loads(path.read_text())
    edit(data)
    sums = data.pop("sha256")
    del sums["result.json"]
    path.write_text(json.dumps(sealed(data, sums)))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda data: data.update(success=True), "success"),
        (lambda data: data.update(point_status="INFEASIBLE"), "its terms say CERTIFIED"),
        (lambda data: data.update(termination="WON"), "WON"),
        (lambda data: data.update(nit="3"), "nit"),
        (lambda data: data.pop("seed"), "seed"),
        (lambda data: data.update(solverkit=2), "format 2"),
        (lambda data: data["point"].update(y=[1]), "blocks"),
        (lambda data: data["counts"].update(x=1), "counter"),
        (lambda data: data["certificate"]["terms"][0].update(scaling=0), "zero|division"),
        (lambda data: data["certificate"]["terms"][0].update(value="text"), "number|float"),
    ],
)
def test_a_forged_result_is_refused(result, tmp_path, edit, words):
    folder = result.save(tmp_path)
    change(folder, edit)
    with pytest.raises(InvalidProblem, match=words):
        Result.load(folder)


def test_a_damaged_result_is_an_error_with_a_place(result, tmp_path):
    folder = result.save(tmp_path)
    for name in ("result.json", "point.npz"):
        path = folder / name
        content = path.read_bytes()
        chosen = random.Random(0)
        for _ in range(150):
            k = chosen.randrange(len(content))
            path.write_bytes(content[:k] + bytes([chosen.randrange(256)]) + content[k + chosen.randrange(3) :])
            with contextlib.suppress(InvalidProblem):  # anything else is a failure
                Result.load(folder)
        path.write_bytes(content)
    (folder / "point.npz").unlink()
    with pytest.raises(InvalidProblem, match="no such file"):
        Result.load(folder)


def test_a_result_without_a_trace_is_whole(result, tmp_path):
    result.trace = []
    again = Result.load(result.save(tmp_path))
    assert (again.trace, again.notes) == ([], result.notes)
    assert not (tmp_path / "trace.jsonl").exists()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda path: path.unlink(), "cannot be read: No such file or directory"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "is damaged: 1 torn or foreign lines were left out"),
        (lambda path: path.write_text(""), "is not the trace that result.json describes"),
    ],
)
def test_a_lost_trace_is_said_and_costs_nothing_else(result, tmp_path, harm, words):
    harm(result.save(tmp_path) / "trace.jsonl")
    again = Result.load(tmp_path)
    assert again.notes == [f"{tmp_path / 'trace.jsonl'} {words}"]
    assert again.point_status is PointStatus.CERTIFIED


def test_a_trace_beside_a_result_that_has_none_is_said(result, tmp_path):
    trace = result.save(tmp_path / "with") / "trace.jsonl"
    result.trace = []
    folder = result.save(tmp_path / "without")
    trace.rename(folder / "trace.jsonl")
    assert Result.load(folder).notes == [f"{folder / 'trace.jsonl'} is not the trace that result.json describes"]


def test_what_cannot_be_read_is_an_error_that_begins_with_the_file(result, tmp_path, monkeypatch):
    path = result.save(tmp_path) / "result.json"
    with path.open("ab") as file:
        file.truncate(64_000_001)
    with pytest.raises(InvalidProblem) as caught:
        Result.load(tmp_path)
    assert str(caught.value) == f"{path}: it is larger than 64000000 bytes"
    assert caught.value.defects == [Defect(str(path), 0, 0, "", "it is larger than 64000000 bytes")]
    with path.open("ab") as file:
        file.truncate(64_000_000)
    with pytest.raises(InvalidProblem, match="trailing characters"):
        Result.load(tmp_path)

    def failing(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(type(path), "read_bytes", failing)
    with pytest.raises(InvalidProblem) as caught:
        Result.load(tmp_path)
    assert str(caught.value) == f"{path}: Input/output error"


def test_a_document_that_is_wrong_everywhere_is_an_error_of_some_lines(result, tmp_path):
    folder = result.save(tmp_path)
    change(folder, lambda data: data.update({f"key{i}": i for i in range(50)}))
    with pytest.raises(InvalidProblem) as caught:
        Result.load(folder)
    assert len(caught.value.defects) == 20
    assert {(defect.line, defect.column) for defect in caught.value.defects} == {(0, 0)}
    assert str(caught.value).startswith(f"{folder / 'result.json'}: key0: Extra inputs are not permitted")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_is_refused(result, tmp_path, number):
    path = result.save(tmp_path) / "result.json"
    path.write_text(path.read_text().replace('"tol": 1e-06', f'"tol": {number}'))
    with pytest.raises(InvalidProblem, match=r"result\.json: (expected value|invalid number)"):
        Result.load(tmp_path)


def test_hostile_names_reach_no_terminal_and_no_page():
    result = descend(Quadratic(name="\x1b]0;owned\x07<script>alert(1)</script>\u202e"), limits=Limits(2))
    text, page = repr(result), result._repr_html_()
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_unverified_results_are_saved_too(tmp_path):
    from engine_toys import Toy

    result = descend(kind=Toy(ValueError("no")), limits=Limits(1))
    again = Result.load(result.save(tmp_path))
    assert again.point_status is PointStatus.UNVERIFIED
    assert again.certificate == result.certificate
    assert again.success is False
    assert "no" in again.certificate.unverified
    assert again.termination is Termination.MAX_ITER
