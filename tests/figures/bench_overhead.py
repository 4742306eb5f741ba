"""What a suite costs besides its runs: 1,000 runs of 1 ms by 2 workers, and the report of 10,000 recorded runs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from solverkit.bench import store
from solverkit.bench.record import Outcome, Record

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "tests" / "bench" / "plugin"
RUNS, RECORDS = 1000, 10_000
PROBLEM = "solverkit: 1\nkind: toy-line\nname: line\nanswer: 2\n"
SUITE = "solverkit: 1\nkind: suite\nname: overhead\nproblems: [line.yaml]\nmethods: [toy-quick]\nseeds: {seeds}\n"


def solverkit(*arguments: str) -> float:
    """Seconds that a command takes from beginning to end, the start of Python included."""
    path = os.pathsep.join([str(PLUGIN), str(ROOT), os.environ.get("PYTHONPATH", "")])
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "solverkit", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - begin


def many_short_runs(folder: Path) -> None:
    """1,000 runs, each one step that sleeps for 1 ms."""
    (folder / "line.yaml").write_text(PROBLEM)
    suite = folder / "suite.yaml"
    suite.write_text(SUITE.format(seeds=list(range(RUNS))))
    seconds = solverkit("bench", str(suite), "--jobs", "2", "--out", str(folder / "out"), "--quiet")
    records = store.read(folder / "out").records
    own = sum(record.time for record in records)
    solved = sum(record.solved for record in records)
    print(f"bench:  {solved} of {RUNS} runs solved in {seconds:.1f} s with --jobs 2; in the methods {own:.1f} s")
    print(
        f"again:  the same command in {solverkit('bench', str(suite), '--out', str(folder / 'out'), '--quiet'):.1f} s"
    )


def large_report(folder: Path) -> None:
    """10,000 records with traces of 200 rows: 20 problems, 10 methods, 50 seeds."""
    cells = [(f"p{k % 20}", f"m{k // 20 % 10}", k // 200) for k in range(RECORDS)]
    store.open_folder(folder, {"name": "large"}, [str(k) for k in range(RECORDS)])
    writer = store.Writer(store.new_file(folder))
    for number, (problem, method, seed) in enumerate(cells):
        outcome = Outcome.SOLVED if number % 7 else Outcome.UNSOLVED
        record = Record(str(number), "large", problem, "toy", method, method, seed, 0, outcome, started=1.0 + number)
        trace = [(row * 0.01, row * (1 + number % 5), 1.0 / (1 + row)) for row in range(200)]
        fields = {
            "calls": 100 + number,
            "time": 2.0,
            "sizes": {"x": 10},
            "trace": trace,
            "counts": {"nfev": 100 + number},
        }
        writer.record(Record(**{**vars(record), **fields}))
    writer.close()
    size = sum(path.stat().st_size for path in folder.glob("*.jsonl")) / 1e6
    begin = time.perf_counter()
    store.read(folder)
    reading = time.perf_counter() - begin
    seconds = solverkit("report", str(folder), "--html", str(folder / "report.html"))
    print(
        f"report: {RECORDS} records ({size:.0f} MB) read in {reading:.1f} s, table and page in {seconds:.1f} s in all"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as short, tempfile.TemporaryDirectory() as large:
        many_short_runs(Path(short))
        large_report(Path(large))


if __name__ == "__main__":
    main()
