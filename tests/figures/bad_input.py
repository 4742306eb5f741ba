"""Bad input through the command line: exit code and message of each."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

GOOD = """solverkit: 1
kind: bilevel
name: small
parameters: {n: 3}
upper:
  variables: {x: {shape: n, start: 1}}
  minimize: sum((x - y)**2)
lower:
  variables: {y: {shape: n, start: 1}}
  minimize: sum((y - 1)**2)
"""
DATA = GOOD.replace("upper:\n", "data: {A: {file: FILE, key: A}}\nupper:\n", 1)
CASES: dict[str, tuple[str, list[str]]] = {
    "unknown key": (GOOD.replace("  minimize: sum((x", "  minimise: 1\n  minimize: sum((x"), []),
    "wrong type": (GOOD.replace("start: 1}}\n  minimize: sum((x", "start: [a]}}\n  minimize: sum((x"), []),
    "duplicate key": (GOOD.replace("kind: bilevel", "kind: bilevel\nkind: bilevel"), []),
    "undefined name": (GOOD.replace("(y - 1)", "(y3 - 1)"), []),
    "wrong shape": (GOOD.replace("y: {shape: n", "y: {shape: 4"), []),
    "missing file": (DATA.replace("FILE", "none.npz"), []),
    "9**9**9": (GOOD.replace("(y - 1)", "(y - 9**9**9)"), []),
    "attribute access": (GOOD.replace("(y - 1)", "(y.real - 1)"), []),
    "pickled .npy": (DATA.replace("FILE, key: A", "pickled.npy"), []),
    "path out of the folder": (DATA.replace("FILE", "../secret.npz"), []),
    "python without flag": (GOOD.replace("sum((x - y)**2)", '{python: "model.py:F"}'), []),
    "unknown option": (GOOD, ["--method", "lv-hba", "--set", "gama1=3"]),
    "wrong option": (GOOD, ["--method", "lv-hba", "--set", "gamma1=-3"]),
    "unknown method": (GOOD, ["--method", "lv-hab"]),
    "no such device": (GOOD, ["--method", "lv-hba", "--device", "cuda"]),
    "no such file": ("", []),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "problem"
        folder.mkdir()
        np.savez(Path(parent) / "secret.npz", A=np.ones(3))
        (folder / "pickled.npy").write_bytes(pickle.dumps({"A": 1}))
        (folder / "model.py").write_text("raise SystemExit('executed')\n")
        for name, (text, arguments) in CASES.items():
            path = folder / "problem.yaml"
            path.write_text(text) if text else path.unlink()
            command = [sys.executable, "-m", "solverkit", "solve", "problem.yaml", *arguments]
            done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
            message = (done.stderr.strip().splitlines() or [""])[0]
            flaw = "  TRACEBACK" if "Traceback" in done.stderr else ""
            print(f"{name:<24} exit {done.returncode}  {message}{flaw}")
