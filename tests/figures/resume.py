"""20 steps against 10 steps, a checkpoint, a new process and 10 more: bit for bit; and what resume refuses."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

TOY = Path(__file__).parents[2] / "problems" / "bilevel" / "coupled-merely-convex" / "problem.yaml"
OTHER = TOY.parents[1] / "coupled-merely-convex-1000" / "problem.yaml"


def solverkit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "solverkit", *arguments], capture_output=True, text=True)


def point(folder: str) -> dict[str, np.ndarray]:
    with np.load(Path(folder) / "point.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def main() -> None:
    for schedule in ("paper", "production"):
        common = [
            "solve",
            str(TOY),
            "--method",
            "lv-hba",
            "--quiet",
            "--set",
            f"schedule={schedule}",
            "--set",
            "polish=false",
        ]
        with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as halves:
            solverkit(*common, "--max-iter", "20", "--out", whole)
            solverkit(*common, "--max-iter", "10", "--out", halves)
            refused = solverkit("resume", halves, "--problem", str(OTHER))
            changed = solverkit("resume", halves, "--set", "gamma1=3")
            solverkit("resume", halves, "--max-iter", "20", "--quiet")
            one, two = point(whole), point(halves)
            same = all(np.array_equal(one[name], two[name]) for name in one)
            verdict = "equal to the last bit" if same else "DIFFERENT"
            print(f"{schedule:<10} 20 = 10 + checkpoint + new process + 10: {verdict}")
            print(f"  another problem: exit {refused.returncode}: {refused.stderr.strip().splitlines()[-1:]}")
            print(f"  other options:   exit {changed.returncode}: {changed.stderr.strip().splitlines()[-1:]}")
