"""The command, as SolverKit runs it."""

from pathlib import Path

import numpy as np
from assignment.problem import Assignment

import solverkit as sk
from solverkit.cli.run import run


def test_results_are_listed_and_damaged_ones_named(tmp_path: Path, capsys) -> None:
    sk.solve(Assignment("workers", np.eye(3)), out=tmp_path / "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "result.json").write_text("{")
    assert run(["list-runs", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert said.out.split()[:3] == ["CERTIFIED", "shortest-augmenting-paths", "workers"]
    assert "unreadable" in said.err
    assert "1 results below" in said.err
