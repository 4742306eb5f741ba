"""The folder of a suite's runs: files of JSON lines that any number of workers append, and that a kill cannot spoil.

    suite.json                   the suite, and the ids of its runs: what is not among them is not counted
    runs-<host>-<pid>-<n>.jsonl  one file a worker, so that lines never mix
    environments.json            machine, threads and versions, by the key that records name

A line is one write to a file opened for appending. A kill can cut the last line of a file, no other: readers leave it
out and say so. A line is one of

    a record                     {"run": id, "outcome": "SOLVED", ...}, see `solverkit.bench.record`
    {"started": id, ...}         the worker has this run in hand
    {"void": id, "at": seconds}  records of the run that were begun before no longer count: it is made again
    {"environment": key, ...}    what a worker runs on

Of several records of one run the one begun first counts, and the others are nothing: two workers may make the same run.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from solverkit.bench.lines import from_line, to_line
from solverkit.bench.record import Record
from solverkit.engine.files import replace_file
from solverkit.engine.plain import dumps
from solverkit.errors import UsageError
from solverkit.text import clean

SUITE, ENVIRONMENTS = "suite.json", "environments.json"
SYNC = 1.0
"""Seconds between two waits for the disk: a power cut may cost so much, a kill of the process costs nothing."""
LONGEST = 5_000_000
"""Bytes of a line; what is longer is not ours."""


@dataclass(frozen=True)
class Runs:
    """What a folder holds."""

    records: list[Record]
    environments: dict[str, dict]
    suite: dict
    skipped_lines: int  # torn or foreign lines that were left out
    superseded: int = 0  # records that no longer count: of another version of the suite, made again, or made twice


@dataclass
class Attempt:
    """What is known of one run of a session."""

    started: list[tuple[str, float]] = field(default_factory=list)  # (name of the worker's file, seconds since 1970)
    record: Record | None = None


class Writer:
    """One worker's file. Every method is one write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        self._synced = time.monotonic()
        self._torn = _is_torn(path)  # whether what is written next would continue a line that was cut

    def record(self, record: Record) -> None:
        """A run that is over."""
        self._write(to_line(record))

    def started(self, run: str, session: str) -> None:
        """The worker has this run in hand from now on."""
        self._write({"started": run, "session": session, "at": time.time()})

    def void(self, run: str) -> None:
        """What was recorded of a run before now counts no longer."""
        self._write({"void": run, "at": time.time()})

    def environment(self, key: str, facts: Mapping[str, Any]) -> None:
        """What the worker runs on."""
        self._write({"environment": key, "facts": dict(facts)})

    def sync(self) -> None:
        """Wait until the disk has it."""
        self._synced = time.monotonic()
        os.fsync(self._handle)

    def close(self) -> None:
        """No more lines."""
        self.sync()
        os.close(self._handle)

    def _write(self, line: Mapping[str, Any]) -> None:
        content = b"\n" * self._torn + dumps(line).encode() + b"\n"
        written = os.write(self._handle, content)
        self._torn = written != len(content)
        if self._torn:
            raise OSError(f"{self.path}: only {written} of {len(content)} bytes could be written: the disk may be full")
        if time.monotonic() - self._synced >= SYNC:
            self.sync()


def new_file(folder: Path) -> Path:
    """A file for one worker that nobody else has, created now."""
    host = "".join(letter if letter.isalnum() else "-" for letter in socket.gethostname())[:40]
    number = 0
    while True:
        path = folder / f"runs-{host}-{os.getpid()}-{number}.jsonl"
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            return path
        except FileExistsError:
            number += 1


def open_folder(folder: Path, suite: Mapping[str, Any], ids: Iterable[str]) -> None:
    """Make the folder this suite's. UsageError where it is another one's, or cannot be a folder."""
    known = _json(folder / SUITE)
    if known and known.get("name") != suite["name"]:
        name = clean(known.get("name"))
        raise UsageError(f"{folder} holds the runs of suite {name!r}, not of {suite['name']!r}: give another --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / SUITE, (dumps({**suite, "runs": list(ids)}) + "\n").encode())
    except OSError as error:
        raise UsageError(f"{folder} cannot be used as a folder for runs: {error.strerror or error}") from None


def read(folder: str | Path) -> Runs:
    """The records of a folder, each run once, by problem, label, seed and repetition in the order of the suite.

    Raises UsageError where the folder holds no runs."""
    folder = Path(folder)
    suite = _json(folder / SUITE)
    files = _files(folder)
    if not files and suite is None:
        raise UsageError(f"{folder} is no folder of runs; give the one that `solverkit bench` wrote")
    found, voids, environments, skipped = _scan(files)
    stored = _json(folder / ENVIRONMENTS) or {}
    environments = {key: facts for key, facts in stored.items() if isinstance(facts, dict)} | environments
    order = suite.pop("runs", None) if suite else None
    counted = _counted(found, voids, set(order) if isinstance(order, list) else None)
    if isinstance(order, list):
        counted = {run: counted[run] for run in dict.fromkeys(order) if run in counted}
    return Runs(list(counted.values()), environments, suite or {}, skipped, len(found) - len(counted))


def seal(folder: Path) -> None:
    """Write `environments.json` from what the workers said."""
    runs = read(folder)
    replace_file(folder / ENVIRONMENTS, (dumps(runs.environments, indent=2) + "\n").encode())


def attempts(folder: Path, session: str, wanted: Iterable[str]) -> dict[str, Attempt]:
    """What the workers of one session did with some runs: starts that no record follows were not survived."""
    found = {run: Attempt() for run in wanted}
    for path in _files(folder):
        for line in _lines(path):
            if line is None:
                continue
            if line.get("session") == session and line.get("started") in found:
                found[line["started"]].started.append((path.stem, float(line["at"])))
            elif line.get("run") in found and (record := from_line(line)) is not None:
                found[record.run].record = record
    return found


def _counted(found: list[Record], voids: Mapping[str, float], wanted: set[str] | None) -> dict[str, Record]:
    """By run the record that counts."""
    counted: dict[str, Record] = {}
    for record in found:
        if wanted is not None and record.run not in wanted:
            continue
        if record.started <= voids.get(record.run, float("-inf")):
            continue
        former = counted.get(record.run)
        if former is None or (record.started, record.worker) < (former.started, former.worker):
            counted[record.run] = record
    return counted


def _scan(files: list[Path]) -> tuple[list[Record], dict[str, float], dict[str, dict], int]:
    """All records, the latest void of each run, the environments, and how many lines were left out."""
    found: list[Record] = []
    voids: dict[str, float] = {}
    environments: dict[str, dict] = {}
    skipped = 0
    for path in files:
        for line in _lines(path):
            if line is None:
                skipped += 1
            elif "session" in line:
                continue
            elif isinstance(line.get("void"), str) and isinstance(line.get("at"), (int, float)):
                voids[line["void"]] = max(float(line["at"]), voids.get(line["void"], float("-inf")))
            elif isinstance(line.get("environment"), str) and isinstance(line.get("facts"), dict):
                environments[clean(line["environment"], 64)] = line["facts"]
            elif (record := from_line(line)) is not None:
                found.append(record)
            else:
                skipped += 1
    return found, voids, environments, skipped


def _lines(path: Path) -> Iterator[dict[str, Any] | None]:
    """The lines of a file as dicts; None for one that is torn or foreign."""
    with path.open("rb") as file:
        while content := file.readline(LONGEST):
            try:
                line = json.loads(content) if content.endswith(b"\n") else None
            except (ValueError, RecursionError):
                line = None
            yield line if isinstance(line, dict) else None


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("runs-*.jsonl") if path.is_file())


def _json(path: Path) -> dict[str, Any] | None:
    """The mapping in a JSON file; None where there is none that can be read."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _is_torn(path: Path) -> bool:
    """Whether the last line of a file has no end."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
