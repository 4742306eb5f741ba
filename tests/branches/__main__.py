"""`python -m tests.branches [AREA ...]`: run the tests of each area, and print the branches that none of them takes."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import coverage

from tests.branches.areas import AREAS

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build" / "coverage"
CONFIG = """[run]
branch = True
parallel = True
patch = subprocess
data_file = {data}
dynamic_context = test_function
source = {root}/solverkit
[report]
exclude_also =
    if TYPE_CHECKING:
    @(abc\\.)?abstractmethod
    \\.\\.\\.$
"""


def measure(name: str, reuse: bool) -> coverage.Coverage:
    """The data of one area's tests, of all their processes together."""
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config"
    config.write_text(CONFIG.format(data=folder / "data", root=ROOT))
    if not reuse:
        for old in folder.glob("data*"):
            old.unlink()
        tests = [test for test in AREAS[name].tests if (ROOT / test).exists()]
        command = [sys.executable, "-m", "coverage", "run", f"--rcfile={config}", "-m", "pytest", "-q", *tests]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            failed = re.findall(r"^(?:FAILED|ERROR) .+", done.stdout, re.MULTILINE)
            print(
                f"{name}: under measurement, which slows them, not all tests pass:",
                *failed,
                sep="\n  ",
                file=sys.stderr,
            )
    data = coverage.Coverage(config_file=str(config))
    data.combine([str(folder)], keep=True)
    return data


def missed(name: str, data: coverage.Coverage) -> tuple[list[str], int, int]:
    """Lines of the table; lines and branches in all; those taken."""
    report = OUT / name / "report.json"
    data.json_report(outfile=str(report))
    found = json.loads(report.read_text())["files"]
    rows, every, taken = [], 0, 0
    for pattern in AREAS[name].files:
        for file in sorted((ROOT / "solverkit").glob(pattern)):
            path = str(file.relative_to(ROOT))
            if path not in found:
                rows.append(f"  {path}: never imported")
                every += 1
                continue
            summary = found[path]["summary"]
            every += summary["num_statements"] + summary["num_branches"]
            taken += summary["covered_lines"] + summary["covered_branches"]
            lines = found[path]["missing_lines"]
            arcs = [arc for arc in found[path]["missing_branches"] if arc[0] not in lines and abs(arc[1]) not in lines]
            shown = [*map(str, lines), *(f"{line}->{end}" for line, end in arcs)]
            if shown:
                rows.append(f"  {path}: {', '.join(shown)}")
    return rows, every, taken


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.branches", description=__doc__)
    parser.add_argument("areas", nargs="*", choices=[*AREAS, []], metavar="AREA", help=", ".join(AREAS))
    parser.add_argument("--reuse", action="store_true", help="print again what the last run measured")
    arguments = parser.parse_args()
    open_branches = 0
    for name in arguments.areas or list(AREAS):
        rows, branches, taken = missed(name, measure(name, arguments.reuse))
        print(f"{name}: {taken} of {branches} lines and branches ({100 * taken / branches:.1f} %)", flush=True)
        for row in rows:
            print(row, flush=True)
        open_branches += branches - taken
    return 1 if open_branches else 0


if __name__ == "__main__":
    sys.exit(main())
