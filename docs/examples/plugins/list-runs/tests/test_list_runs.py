"""The command, as SolverKit runs it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from assignment.problem import Assignment

import solverkit as sk


def test_results_are_listed_and_damaged_ones_named(tmp_path: Path) -> None:
    sk.solve(Assignment("workers", np.eye(3)), out=tmp_path / "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "result.json").write_text("{")
    line = [sys.executable, "-m", "solverkit", "list-runs", str(tmp_path)]
    said = subprocess.run(line, capture_output=True, text=True, check=True)
    assert said.stdout.split()[:3] == ["CERTIFIED", "shortest-augmenting-paths", "workers"]
    assert "unreadable" in said.stderr
    assert "1 results below" in said.stderr
