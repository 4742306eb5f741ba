"""Merely convex toy: error, gap and time from process start, through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PROBLEMS = Path(__file__).parents[2] / "problems" / "bilevel"


def main() -> None:
    print(f"{'n':>6} {'status':>10} {'error of x':>11} {'lower gap':>10} {'objective':>12} {'seconds':>8}")
    for n, folder in ((100, ""), (1000, "-1000"), (10000, "-10000")):
        path = PROBLEMS / f"coupled-merely-convex{folder}" / "problem.yaml"
        with tempfile.TemporaryDirectory() as out:
            command = ["solve", str(path), "--method", "lv-hba", "--out", out, "--json", "--quiet"]
            begin = time.perf_counter()
            done = subprocess.run([sys.executable, "-m", "solverkit", *command], capture_output=True, text=True)
            seconds = time.perf_counter() - begin
            answer = json.loads(done.stdout)
            with np.load(Path(out) / "point.npz", allow_pickle=False) as point:
                x = point["x"]
        error = np.linalg.norm(x + 0.3) / np.linalg.norm(np.full(n, 0.3))
        gap = next(term for term in answer["certificate"]["terms"] if term["name"] == "lower_gap")["value"]
        status, value = answer["point_status"], answer["objective"]
        print(f"{n:>6} {status:>10} {error:>11.1e} {gap:>10.1e} {value:>12.6g} {seconds:>8.2f}")
