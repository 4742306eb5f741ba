"""The folder of runs: torn lines, foreign lines, the same run twice, runs made again."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os

import pytest

import solverkit as sk
from solverkit.bench import store
from solverkit.bench.lines import from_line, thinned, to_line
from solverkit.bench.record import Outcome, Record
from solverkit.engine.plain import dumps


def record(run="a", **more):
    known = {"suite": "s", "problem": "p", "kind": "k", "method": "m", "label": "m", "seed": 0, "repetition": 0}
    return Record(run=run, **{**known, "outcome": Outcome.SOLVED, "started": 1.0, **more})


@pytest.fixture
def folder(tmp_path):
    store.open_folder(tmp_path / "out", {"name": "s"}, ["a", "b", "c"])
    return tmp_path / "out"


@pytest.fixture
def writer(folder):
    found = store.Writer(store.new_file(folder))
    yield found
    found.close()


def test_a_record_comes_back_as_it_was():
    whole = record(
        reason="because",
        objective=-1.5,
        certificate={"gap": {"value": float("inf"), "scaling": 1.0, "tolerance": 1e-6}},
        counts={"nfev": 3},
        calls=3,
        sizes={"x": 2},
        trace=[(0.0, 1, 5.0), (0.1, 3, 1e-9)],
        time=0.25,
    )
    assert from_line(json.loads(dumps(to_line(whole)))) == whole


@pytest.mark.parametrize(
    "change",
    [{"outcome": "GOOD"}, {"seed": "0"}, {"time": "soon"}, {"trace": [[1, 2]]}, {"counts": [1]}, {"more": 1},
     {"trace": [[0.0, 1, 1.0]] * 201}, {"certificate": {"gap": 3}}, {"problem": 3}],
)  # fmt: skip
def test_what_is_no_record_is_none(change):
    assert from_line({**json.loads(dumps(to_line(record()))), **change}) is None


def test_texts_from_files_are_cleaned():
    line = to_line(record(problem="a\x1b[31mb"))
    assert from_line(line).problem == "a?[31mb"


def test_a_torn_last_line_is_left_out_and_said(folder, writer):
    writer.record(record("a"))
    writer.record(record("b"))
    whole = writer.path.read_bytes()
    for cut in (1, 2, 40):
        writer.path.write_bytes(whole[:-cut])
        runs = store.read(folder)
        assert ([found.run for found in runs.records], runs.skipped_lines) == (["a"], 1)


def test_a_file_with_a_torn_line_is_appended_to(folder, writer):
    writer.record(record("a"))
    with writer.path.open("ab") as file:
        file.write(b'{"run": "b", "su')
    second = store.Writer(writer.path)
    second.record(record("c"))
    second.close()
    runs = store.read(folder)
    assert ([found.run for found in runs.records], runs.skipped_lines) == (["a", "c"], 1)


def test_foreign_lines_are_left_out_and_said(folder, writer):
    writer.record(record("a"))
    with writer.path.open("ab") as file:
        file.write(b"\xff\xfe\n[1, 2]\n{}\nnull\n" + b"[" * 10_000 + b"\n")
    writer.record(record("b"))
    runs = store.read(folder)
    assert ([found.run for found in runs.records], runs.skipped_lines) == (["a", "b"], 5)


def test_of_several_records_of_a_run_the_first_begun_counts(folder, writer):
    other = store.Writer(store.new_file(folder))
    assert other.path != writer.path
    writer.record(record("a", started=5.0, worker="late"))
    other.record(record("a", started=3.0, worker="first"))
    writer.record(record("a", started=4.0, worker="second"))
    other.close()
    runs = store.read(folder)
    assert [(found.run, found.worker) for found in runs.records] == [("a", "first")]
    assert runs.superseded == 2


def test_a_voided_run_counts_once_it_is_made_again(folder, writer):
    writer.record(record("a", outcome=Outcome.CRASHED))
    writer.void("a")
    assert store.read(folder).records == []
    writer.record(record("a", started=4e9))
    assert [found.outcome for found in store.read(folder).records] == [Outcome.SOLVED]


def test_runs_that_the_suite_no_longer_has_are_not_counted(folder, writer):
    for name in "cxa":
        writer.record(record(name))
    runs = store.read(folder)
    assert [found.run for found in runs.records] == ["a", "c"], "in the order of the suite"
    assert runs.superseded == 1


def test_environments_are_kept_by_their_key(folder, writer):
    writer.environment("k1", {"host": "h"})
    store.seal(folder)
    assert json.loads((folder / store.ENVIRONMENTS).read_text()) == {"k1": {"host": "h"}}
    assert store.read(folder).environments == {"k1": {"host": "h"}}


def test_a_folder_belongs_to_one_suite(folder, tmp_path):
    with pytest.raises(sk.UsageError, match="holds the runs of suite 's', not of 'other'"):
        store.open_folder(folder, {"name": "other"}, [])
    (tmp_path / "file").touch()
    with pytest.raises(sk.UsageError, match="cannot be used as a folder"):
        store.open_folder(tmp_path / "file", {"name": "s"}, [])
    with pytest.raises(sk.UsageError, match="no folder of runs"):
        store.read(tmp_path)


def test_a_full_disk_is_an_error_and_no_half_record(folder, writer, monkeypatch):
    writer.record(record("a"))
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, content: write(handle, content[:10]))
        with pytest.raises(OSError, match="the disk may be full"):
            writer.record(record("b"))
    assert [found.run for found in store.read(folder).records] == ["a"]
    writer.record(record("c"))  # there is room again
    runs = store.read(folder)
    assert ([found.run for found in runs.records], runs.skipped_lines) == (["a", "c"], 1)


def test_traces_are_thinned_evenly_with_both_ends():
    rows = [(float(k), k, 1.0) for k in range(1000)]
    kept = thinned(rows)
    assert (len(kept), kept[0], kept[-1]) == (200, rows[0], rows[-1])
    steps = [after[1] - before[1] for before, after in itertools.pairwise(kept)]
    assert set(steps) <= {5, 6}
    assert thinned(rows[:200]) == rows[:200]


def test_every_field_of_a_record_is_written():
    assert set(to_line(record())) == {item.name for item in dataclasses.fields(Record)}
