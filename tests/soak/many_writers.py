"""R18: of many writers on one folder of runs, some killed: each finished run is there once and whole, no line is torn.

Sixteen processes write records into one folder at once, each run by two of them, and four are killed at random
moments. What a writer had finished when it was killed must be there; only a killed writer may leave a torn line, one
at most, and readers say so. Then one writer makes what is missing, and every run must be there once, as it was
written.

One case in `COMMANDS` is a kill of a worker, or of the parent, of a real `solverkit bench`, which is then given again.
"""

from __future__ import annotations

import os
import random
import select
import signal
import tempfile
import time
import traceback
from pathlib import Path

from solverkit.bench import store
from solverkit.bench.record import Outcome, Record
from tests.soak import Tally
from tests.soak._bench_commands import kill

CASES = 440
COMMANDS = 11
WRITERS, KILLED = 16, 4
RUNS = 160
"""Runs of one folder; each is made by two writers."""
SPREAD = 0.15
"""Seconds within which the writers are killed: about as long as they write."""
READ = 1 << 16


def run(cases: int, seed: int) -> Tally:
    """So many kills."""
    tally, chosen = Tally(), random.Random(seed)
    by_command = cases // COMMANDS
    torn = twice = alive = 0
    with tempfile.TemporaryDirectory() as place:
        for number in range(-(-(cases - by_command) // KILLED)):
            folder = Path(place) / str(number)
            try:
                failures, more = _round(folder, chosen)
            except Exception:
                failures, more = [traceback.format_exc()], (0, 0, 0)
            torn, twice, alive = torn + more[0], twice + more[1], alive + more[2]
            for index in range(KILLED):
                tally.count("; ".join(failures) if index == 0 else "")
        if by_command:
            lost = kill(Path(place), by_command, seeds=60 * by_command, seed=seed)
            wrong = {name: count for name in ("missing", "unsolved", "lost") if (count := getattr(lost, name))}
            for index in range(by_command):
                tally.count(f"solverkit bench: {wrong}" if wrong and index == 0 else "")
    tally.facts = {"torn lines": torn, "records made twice": twice, "killed while they wrote": alive}
    return tally


def _round(folder: Path, chosen: random.Random) -> tuple[list[str], tuple[int, int, int]]:
    """Sixteen writers, four killed: what is wrong, and how many lines were torn, records made twice, writers hit."""
    store.open_folder(folder, {"name": "many"}, [f"{number}" for number in range(RUNS)])
    writers = {}
    for index in range(WRITERS):
        mine = [number for number in range(RUNS) if index in (number % WRITERS, (number * 7 + 1) % WRITERS)]
        chosen.shuffle(mine)
        pid, pipe = _fork(folder, mine)
        writers[pid] = pipe
    moments = sorted((chosen.uniform(0.0, SPREAD), pid) for pid in chosen.sample(sorted(writers), KILLED))
    finished, begun, hit = set[str](), time.monotonic(), 0
    said = dict.fromkeys(writers.values(), b"")
    open_pipes = set(writers.values())
    while open_pipes:
        if moments and time.monotonic() - begun >= moments[0][0]:
            _, pid = moments.pop(0)
            hit += writers[pid] in open_pipes
            os.kill(pid, signal.SIGKILL)  # not yet waited for: its number is still its own
        wait = max(0.0, moments[0][0] - time.monotonic() + begun) if moments else 1.0
        for pipe in select.select(list(open_pipes), [], [], wait)[0]:
            text = os.read(pipe, READ)
            said[pipe] += text
            if not text:
                open_pipes.discard(pipe)
                os.close(pipe)
    for pid in writers:
        os.waitpid(pid, 0)
    failures = []
    for text in said.values():
        lines = text.split(b"\n")[:-1]
        finished |= {line.decode() for line in lines if line.isdigit()}
        failures += [line.decode() for line in lines if not line.isdigit()]
    runs = store.read(folder)
    there = [record.run for record in runs.records]
    if missing := finished - set(there):
        failures.append(f"{len(missing)} finished runs are missing")
    if runs.skipped_lines > hit:
        failures.append(f"{runs.skipped_lines} torn lines of {hit} killed writers")
    rest = [number for number in range(RUNS) if str(number) not in there]
    last = store.Writer(store.new_file(folder))
    for number in rest:
        last.record(_record(number, "the last"))
    last.close()
    found = store.read(folder)
    if [record.run for record in found.records] != [f"{number}" for number in range(RUNS)]:
        failures.append("not every run is there once")
    if any(record != _record(int(record.run), record.worker) for record in found.records):
        failures.append("a record is not what was written")
    return failures, (runs.skipped_lines, found.superseded, hit)


def _record(number: int, worker: str) -> Record:
    """A record whose content follows from its number; lines of all lengths up to the longest."""
    rows = [(0.5 * row, row * number, 1.0 / (row + 1)) for row in range(number * 17 % 200)]
    return Record(
        run=f"{number}", suite="many", problem="p" * (number % 90), kind="k", method="m", label="m", seed=number,
        repetition=0, outcome=Outcome.SOLVED, trace=rows, started=1.0 + number, worker=worker,
    )  # fmt: skip


def _fork(folder: Path, numbers: list[int]) -> tuple[int, int]:
    """A process that writes these records, and says of each that it is finished; its number and what it says."""
    hears, says = os.pipe()
    pid = os.fork()
    if pid:
        os.close(says)
        return pid, hears
    try:
        writer = store.Writer(store.new_file(folder))
        for number in numbers:
            writer.started(f"{number}", "a session")
            writer.record(_record(number, f"{os.getpid()}"))
            os.write(says, f"{number}\n".encode())
            time.sleep(0.002)
        writer.close()
    except BaseException:
        os.write(says, traceback.format_exc().replace("\n", " | ").encode() + b"\n")
    finally:
        os._exit(0)
