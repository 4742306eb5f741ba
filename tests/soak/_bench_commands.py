"""kill -9 of the processes of `solverkit bench` at random moments, then the same command.

A suite of short runs is begun again and again. Once a new record is on disk, after a random while, one worker or the
parent is killed, in turn. At the end the suite is finished, and every run of it must be there once, solved; what was on
disk before a kill must be there unchanged after it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from solverkit.bench import store

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "tests" / "bench" / "plugin"
PROBLEM = "solverkit: 1\nkind: toy-line\nname: line\nparameters: {a: 2}\nanswer: a\n"
SUITE = """solverkit: 1
kind: suite
name: soak
problems: [{{file: line.yaml, parameters: {{a: [1, 2]}}}}]
methods: [{{method: toy-quick, options: {{seconds: 0.03}}}}]
seeds: {seeds}
"""


@dataclass
class Losses:
    """What the kills did."""

    parents: int = 0
    workers: int = 0
    late: int = 0  # moments at which the command had ended already
    lost: int = 0  # records that were on disk before a kill, and not after it
    runs: int = 0
    missing: int = 0
    unsolved: int = 0
    written: int = 0  # records written in all, those made twice included


def kill(folder: Path, moments: int, seeds: int, seed: int = 0) -> Losses:
    """Kill `moments` times, worker and parent in turn; then finish the suite and count."""
    rng = random.Random(seed)
    (folder / "line.yaml").write_text(PROBLEM)
    suite = folder / "suite.yaml"
    suite.write_text(SUITE.format(seeds=list(range(seeds))))
    tally, out = Losses(runs=2 * seeds), folder / "out"
    process: subprocess.Popen[bytes] | None = None
    for moment in range(moments):
        before = _records(out)
        process = process or _start(suite, out)
        while process.poll() is None and len(_records(out)) <= len(before):
            time.sleep(0.05)
        time.sleep(rng.random() * 0.5)
        before |= _records(out)
        if process.poll() is not None:
            tally.late, process = tally.late + 1, None
        elif moment % 2 == 0:
            tally.workers += _kill(rng.sample(workers := sorted(_workers(out)), len(workers)))
        else:
            tally.parents += _kill([process.pid])
            process.wait()
            process = None
            _wait_for_the_end(out)
        after = _records(out)
        tally.lost += sum(after.get(run) != line for run, line in before.items())
    if process is not None:
        process.wait(timeout=300)
    _start(suite, out).wait(timeout=300)
    runs = store.read(out)
    tally.missing = tally.runs - len({record.run for record in runs.records})
    tally.unsolved = sum(not record.solved for record in runs.records)
    tally.written = len(runs.records) + runs.superseded
    return tally


def _start(suite: Path, out: Path) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(PLUGIN), str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "solverkit", "bench", str(suite), "--jobs", "2", "--out", str(out), "--quiet"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=quiet, stderr=quiet)


def _records(out: Path) -> dict[str, object]:
    return {record.run: record for record in store.read(out).records} if (out / store.SUITE).exists() else {}


def _workers(out: Path) -> Iterator[int]:
    """Processes that write to the folder and are alive."""
    for path in out.glob("runs-*.jsonl"):
        pid = int(path.stem.split("-")[-2])
        status = Path(f"/proc/{pid}/status")
        if status.exists() and "State:\tZ" not in status.read_text() and b"loky" in _command(pid):
            yield pid


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _kill(pids: list[int]) -> int:
    """Kill one of them; how many were killed."""
    for pid in pids[:1]:
        os.kill(pid, signal.SIGKILL)
    return len(pids[:1])


def _wait_for_the_end(out: Path) -> None:
    """Workers whose parent is gone go too."""
    deadline = time.monotonic() + 30
    while list(_workers(out)):
        assert time.monotonic() < deadline, "workers outlive their parent"
        time.sleep(0.1)
