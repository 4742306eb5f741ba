"""Write a result of each kind as this version does, for later ones to verify: `python tests/engine/store_results.py`.

The folder of a version is made once, before its release, and never again. A new version gets a folder of its own: copy
the problems of the former one there.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import solverkit as sk

STORED = Path(__file__).parent / "stored"
METHODS = {"bilevel": "lv-hba", "composite": "condat-vu"}
"""Where the preferred method is not the one of the project."""


def main() -> None:
    for folder in sorted((STORED / version("solverkit")).iterdir()):
        if (folder / "result").exists():
            raise SystemExit(f"{folder} holds a result already; what is stored stays as it was written")
        problem = sk.load(folder / "problem.yaml")  # an object: the result names no path of this machine
        result = sk.solve(problem, METHODS.get(problem.kind), max_iter=2000, max_time=60)
        result.raise_for_status().save(folder / "result")
        print(folder.name, result.method, result.point_status.name)


if __name__ == "__main__":
    main()
