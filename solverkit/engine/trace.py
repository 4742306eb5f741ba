"""The record of a run: one record a reported iteration, thinned so that memory and file stay bounded.

Iteration k is kept where k is a multiple of `stride`; the stride doubles whenever `capacity` records are held. What is
kept depends on the iteration alone, never on time, so equal runs have equal traces. The first and the last are kept.
A line of `trace.jsonl` is `{"nit", "time", "counts", "report"}`, or `{"nit", "log"}` for a sentence of the method.
A checkpoint holds the length and the CRC-32 of the file as it was then: a run that goes on cuts the file there, and
says so where it is not what it was.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from solverkit.engine.files import replace_file
from solverkit.engine.plain import dumps, number
from solverkit.text import clean

MESSAGES = 1000  # sentences of a method that are kept
FLUSH = 1.0  # seconds between flushes, so that a running trace can be followed
LONGEST = 1_000_000  # bytes of a line; what is longer is not ours


class Trace:
    """Append-only. `path` is the file, None keeps the trace in memory alone."""

    def __init__(self, path: Path | None = None, capacity: int = 1000) -> None:
        self.records: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.stride = 1
        self.failure = ""  # why the file could not be written, empty where it could
        self.warning = ""  # what a reopened file lacks, empty where it is whole
        self._capacity = capacity
        self._flushed = 0.0
        self._file: IO[bytes] | None = None
        self._path = path
        self._length = self._crc = 0  # of what the file was given
        if path is not None:
            self._open(path, "wb")

    @classmethod
    def reopen(cls, path: Path, nit: int, mark: Sequence[int] | None = None, capacity: int = 1000) -> Trace:
        """The trace of a run that goes on from iteration `nit`: what came after it is cut off, in the file too.

        `mark` is `Trace.mark` of that moment. Where the file does not agree with it, its readable lines up to `nit` are
        kept, and `warning` says so."""
        trace = cls(None, capacity)
        trace._path = path
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            content = b""
        except OSError as error:  # it may be whole: nothing is written over it
            trace._give_up(error)
            trace.warning = f"{clean(path)} could not be read, and is left as it is: its lines are not in this trace"
            return trace
        whole = mark is not None and len(content) >= mark[0] and zlib.crc32(content[: mark[0]]) == mark[1]
        lines = parsed((content[: mark[0]] if mark and whole else content).splitlines(keepends=True))
        kept = [line for line in lines if line is not None and line["nit"] <= nit]
        if not whole:
            content = b"".join(_encoded(line) for line in kept)
            trace.warning = f"{clean(path)} is not what it was at the checkpoint: {len(kept)} of its lines are kept"
        elif mark is not None:
            content = content[: mark[0]]
        for line in kept:
            if "log" in line:
                trace.messages.append(line)
            elif trace.wants(line["nit"]):
                trace._keep(line)
        try:
            replace_file(path, content)
        except OSError as error:
            trace._give_up(error)
            return trace
        trace._length, trace._crc = len(content), zlib.crc32(content)
        trace._open(path, "ab")
        return trace

    @property
    def mark(self) -> list[int] | None:
        """Length and CRC-32 of the file so far; None where it could not be written. Flush first."""
        return None if self._file is None else [self._length, self._crc]

    def wants(self, nit: int) -> bool:
        """Whether iteration `nit` is kept: ask before building its record."""
        return nit % self.stride == 0

    def add(self, nit: int, time: float, counts: dict[str, int], report: dict[str, float]) -> None:
        """Keep an iteration that `wants` asked for."""
        record = self._record(nit, time, counts, report)
        self._write(record, time)
        self._keep(record)

    def last(self, nit: int, time: float, counts: dict[str, int], report: dict[str, float]) -> None:
        """Keep the final iteration, whatever the stride."""
        if not self.records or self.records[-1]["nit"] != nit:
            record = self._record(nit, time, counts, report)
            self._write(record, time)
            self.records.append(record)

    def log(self, nit: int, message: str) -> None:
        """Keep a sentence of the method; the first thousand of a run."""
        if len(self.messages) < MESSAGES:
            line = {"nit": nit, "log": clean(message)}
            self.messages.append(line)
            self._write(line, self._flushed)

    def flush(self, durable: bool = False) -> None:
        """Hand what was written to the system, or to the disk."""
        if self._file is not None:
            try:
                self._file.flush()
                if durable:
                    os.fsync(self._file.fileno())
            except OSError as error:
                self._give_up(error)

    def close(self) -> None:
        """No more records."""
        self.flush()
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError as error:
                self._give_up(error)

    @staticmethod
    def _record(nit: int, time: float, counts: dict[str, int], report: dict[str, float]) -> dict[str, Any]:
        return {"nit": nit, "time": round(time, 6), "counts": counts, "report": dict(report)}

    def _keep(self, record: dict[str, Any]) -> None:
        self.records.append(record)
        if len(self.records) >= self._capacity:
            self.stride *= 2
            self.records = [record for record in self.records if record["nit"] % self.stride == 0]

    def _write(self, line: dict[str, Any], time: float) -> None:
        if self._file is None:
            return
        try:
            content = _encoded(line)
            self._file.write(content)
            self._length, self._crc = self._length + len(content), zlib.crc32(content, self._crc)
            if time - self._flushed >= FLUSH:
                self._flushed = time
                self._file.flush()
        except OSError as error:
            self._give_up(error)

    def _open(self, path: Path, mode: str) -> None:
        try:
            self._file = open(path, mode)  # noqa: SIM115 - closed by close
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """A full disk ends the file, not the run."""
        self.failure = f"{self._path} could not be written ({error.strerror or error}): the trace is in memory alone"
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                return  # what it still held is lost with the disk; the failure above says so


def read_lines(path: Path, limit: int = 200_000) -> list[dict[str, Any]]:
    """The records of a trace file, at most `limit`; a torn or foreign line is left out."""
    return read_trace(path, limit)[0]


def read_trace(path: Path, limit: int = 200_000) -> tuple[list[dict[str, Any]], int]:
    """The records of a trace file, at most `limit`, and how many torn or foreign lines were left out. OSError."""
    lines: list[dict[str, Any]] = []
    skipped = 0
    with path.open("rb") as file:
        for line in parsed(iter(lambda: file.readline(LONGEST), b"")):
            if line is None:
                skipped += 1
            else:
                lines.append(line)
            if len(lines) >= limit:
                break
    return lines, skipped


def parsed(texts: Iterable[bytes]) -> Iterator[dict[str, Any] | None]:
    """Lines as they were before they were written; None for one that is torn or foreign."""
    for text in texts:
        try:
            yield _line(json.loads(text)) if text.endswith(b"\n") else None
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            yield None


def _encoded(line: dict[str, Any]) -> bytes:
    return dumps(line).encode() + b"\n"


def _line(data: Any) -> dict[str, Any]:
    """A line as it was before it was written. What is no line of a trace raises."""
    if "log" in data:
        return {"nit": int(data["nit"]), "log": clean(data["log"])}
    return {
        "nit": int(data["nit"]),
        "time": number(data["time"]),
        "counts": {clean(name): int(count) for name, count in data["counts"].items()},
        "report": {clean(name): number(value) for name, value in data["report"].items()},
    }
