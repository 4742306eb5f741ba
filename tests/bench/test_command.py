"""`solverkit bench` as it is called."""

from __future__ import annotations

import json

import pytest

from solverkit.cli.run import run


def test_a_suite_ends_in_a_table_and_a_page(write, tmp_path, capsys):
    code = run(["bench", str(write(methods="[toy-quick, toy-stays]")), "--out", str(tmp_path / "out")])
    out, err = capsys.readouterr()
    assert code == 0
    assert "toy-quick" in out
    assert "2 of 2 runs" in err
    assert (tmp_path / "out" / "report.html").read_text().lower().startswith("<!doctype html>")


def test_the_folder_is_named_after_the_suite(write, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["bench", str(write()), "--quiet", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["runs"] == 1
    assert "of 1 runs" not in err
    assert (tmp_path / "results" / "toys" / "suite.json").exists()


def test_runs_that_are_left_are_told_by_the_exit_code(write, tmp_path, capsys):
    path = write(methods="[{method: toy-quick, options: {seconds: 0.2}}]", seeds=str(list(range(20))))
    assert run(["bench", str(path), "--out", str(tmp_path / "out"), "--time-limit", "0"]) == 3
    assert "20 runs are left: the same command goes on" in capsys.readouterr().err


def test_a_full_disk_is_one_sentence_and_the_same_command_goes_on(write, tmp_path, capsys, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    command = ["bench", str(write()), "--out", str(tmp_path / "out"), "--quiet"]
    with monkeypatch.context() as patch:
        patch.setattr("solverkit.bench.store.seal", full)
        assert run(command) == 1
    said = capsys.readouterr().err
    assert "No space left on device; those that are recorded stay" in said
    assert "Traceback" not in said
    assert run(command) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.yaml"], "nowhere.yaml does not exist"),
        (["{suite}", "--retry", "good"], "'good' is not one of"),
        (["{suite}", "--jobs", "0"], "jobs is a number"),
    ],
)
def test_wrong_calls_are_one_sentence(write, capsys, arguments, message):
    suite = str(write())
    assert run(["bench", *[text.format(suite=suite) for text in arguments]]) == 2
    assert message in capsys.readouterr().err
