"""R1: after kill -9 at random moments every run goes on from its last finished checkpoint, and ends as if never killed.

A run writes a checkpoint after each step. It is killed at a moment drawn evenly from the time that it takes, resumed,
and killed again, until it gets to its end. At each kill the checkpoint on disk must be the last one that was reported
to be finished, or a later one; at the end trace, point, verdict and counts must be those of the run that was never
killed. Runs are children of one warm process; one case in `COMMAND` is a `solverkit solve` of its own, killed once.

What a kill cannot show is a power cut: nothing here loses what the system has and the disk has not.
"""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import solverkit as sk
from solverkit.engine.checkpoint import Checkpoint, Checkpointer
from solverkit.errors import CheckpointError
from tests.soak import Tally
from tests.soak._runs import Subject, digest, subjects

CASES = 1200
COMMAND = 50
LONGEST = 60.0
"""Seconds after which a child that was not killed hangs."""
READ = 4096


@dataclass(frozen=True)
class Whole:
    """The run that was never killed."""

    digest: str
    seconds: float
    trace: list[dict]


def run(cases: int, seed: int) -> Tally:
    """So many kills, spread evenly over the kinds."""
    tally, moments = Tally(), random.Random(seed)
    late = writing = commands = 0
    with tempfile.TemporaryDirectory() as place:
        chosen = subjects(cases, each=10)
        for index, subject in enumerate(chosen):
            folder, whole = Path(place) / str(index), None
            wanted = cases // len(chosen) + (index < cases % len(chosen))
            kills = 0
            while kills < wanted:
                whole = whole or _whole(subject, folder)
                if tally.cases // COMMAND > commands:
                    chain = [_command(subject, folder, whole, moments)]
                    commands += 1
                else:
                    chain = list(_chain(subject, folder, whole, moments, wanted - kills))
                for failure, torn in chain:
                    tally.count(f"{subject.method}: {failure}" if failure else "")
                    kills, writing = kills + 1, writing + torn
                if not chain:
                    late += 1
    tally.facts = {"in the middle of a write": writing, "after the end": late, "of commands": commands}
    return tally


def _whole(subject: Subject, folder: Path) -> Whole:
    """Never killed; the second time, when all is loaded and compiled."""
    subject.solve(folder, checkpoint=0.0)
    begun = time.perf_counter()
    result = subject.solve(folder, checkpoint=0.0)
    return Whole(digest(result), time.perf_counter() - begun, _lines(folder))


def _lines(folder: Path) -> list[dict]:
    from solverkit.engine.trace import read_lines

    return [{key: value for key, value in line.items() if key != "time"} for line in read_lines(folder / "trace.jsonl")]


def _chain(
    subject: Subject, folder: Path, whole: Whole, moments: random.Random, most: int
) -> Iterator[tuple[str, bool]]:
    """One run, killed and resumed until it ends; of each kill a sentence where something is wrong, and what it hit."""
    _empty(folder)
    work: Callable[[], object] = partial(subject.solve, folder, checkpoint=0.0)
    killed, finished = 0, -1
    while killed < most:
        with _child(work) as child:
            ended = child.wait(moments.uniform(0.0, whole.seconds))
        if ended:
            break
        killed += 1
        torn = any(folder.glob(".*"))
        finished = max(finished, child.finished)
        failure, resumable = _left(folder, finished, whole)
        failure = child.error or failure
        complete = not resumable and (folder / "result.json").exists()
        if failure or complete or killed == most:
            yield failure or _ending(subject, folder, whole, resumable), torn
            return
        yield "", torn
        if resumable:
            work = partial(sk.resume, folder, subject.problem, checkpoint=0.0)
    if killed:
        failure = _compared(folder, whole)
        if failure or child.error:
            yield child.error or failure, False


def _left(folder: Path, finished: int, whole: Whole) -> tuple[str, bool]:
    """What is wrong with what a kill left, and whether there is a checkpoint to go on from."""
    if (folder / "result.json").exists():
        failure = _compared(folder, whole, complete=False)
        if failure:
            return failure, False
    try:
        saved = Checkpoint.load(folder)
    except CheckpointError as error:
        complete = (folder / "result.json").exists()
        return ("" if finished < 0 or complete else f"checkpoint {finished} was finished: {error}"), False
    if saved.warning:
        return saved.warning, True
    if saved.header["nit"] < finished:
        return f"checkpoint {finished} was finished, {saved.header['nit']} is there", True
    return "", True


def _ending(subject: Subject, folder: Path, whole: Whole, resumable: bool) -> str:
    """Go on to the end, with nobody to disturb it; what is wrong with it."""
    if not resumable and (folder / "result.json").exists():
        return _compared(folder, whole)
    try:
        if resumable:
            sk.resume(folder, subject.problem)
        else:
            subject.solve(folder)
    except Exception:
        return traceback.format_exc()
    return _compared(folder, whole)


def _compared(folder: Path, whole: Whole, complete: bool = True) -> str:
    """What differs between the run in a folder and the whole one, in one sentence."""
    try:
        result = sk.Result.load(folder)
    except sk.InvalidProblem as error:
        return str(error)
    if digest(result) != whole.digest:
        return f"another run than the whole one, with notes {result.notes}"
    if _lines(folder) != whole.trace:
        return "another trace.jsonl than the whole one"
    if any("damaged" in note or "is not what it was" in note or "could not" in note for note in result.notes):
        return f"notes {result.notes}"
    if complete and (left := list(folder.glob(".*"))):
        return f"temporary files are left: {[path.name for path in left]}"
    return ""


def _command(subject: Subject, folder: Path, whole: Whole, moments: random.Random) -> tuple[str, bool]:
    """The same by the command line: a process killed once, and `solverkit resume`."""
    _empty(folder)
    where = ["--out", str(folder), "--checkpoint", "0", "--seed", "3", "--quiet", "-m", subject.method]
    where += [text for name, value in subject.options.items() for text in ("--set", f"{name}={value}")]
    where += ["--max-iter", str(subject.max_iter)] if subject.max_iter else []
    process = _solverkit("solve", str(subject.file), *where)
    deadline = time.monotonic() + LONGEST
    while process.poll() is None and not (folder / "trace.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.01)  # importing takes most of the time, and writes nothing
    time.sleep(moments.uniform(0.0, whole.seconds))
    process.kill()
    process.communicate()
    torn = any(folder.glob(".*"))
    failure, resumable = _left(folder, -1, whole)
    if resumable and not failure:
        going_on = _solverkit("resume", str(folder), "--quiet")
        _, said = going_on.communicate(timeout=LONGEST)
        if b"Traceback" in said or b"internal error" in said:
            return said.decode(), torn
        return _compared(folder, whole), torn
    return failure or _ending(subject, folder, whole, resumable), torn


def _solverkit(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "solverkit", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class _Child:
    """A forked run, and the checkpoints that it says are finished."""

    def __init__(self, pid: int, pipe: int) -> None:
        self._pid, self._pipe = pid, pipe
        self.finished = -1  # the iteration of the latest
        self.error = ""
        self._said = b""

    def wait(self, seconds: float) -> bool:
        """Whether it ended within so many seconds; killed where it did not."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._pipe], [], [], left)[0] and not self._hear():
                return True
        os.kill(self._pid, signal.SIGKILL)
        while self._hear():
            pass
        return False

    def close(self) -> None:
        """No zombie, no open pipe; what it said last."""
        os.waitpid(self._pid, 0)
        os.close(self._pipe)

    def _hear(self) -> bool:
        """Take in what it says; False where it says no more."""
        said = os.read(self._pipe, READ)
        lines = (self._said + said).split(b"\n")
        self._said = lines.pop()
        for line in lines:
            if line.isdigit():
                self.finished = int(line)
            else:
                self.error += line.decode() + "\n"
        return bool(said)


@contextmanager
def _child(work: Callable[[], object]) -> Iterator[_Child]:
    """A fork of this process that does some work and ends."""
    hears, says = os.pipe()
    pid = os.fork()
    if pid == 0:
        _live(work, says)
    os.close(says)
    child = _Child(pid, hears)
    try:
        yield child
    finally:
        child.close()


def _live(work: Callable[[], object], says: int) -> None:
    """In the child: report each finished checkpoint by its iteration, and an error by its text. Never returns."""
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        write = Checkpointer.write

        def reported(self: Checkpointer, header: dict, *rest: object) -> None:
            write(self, header, *rest)
            os.write(says, f"{header['nit']}\n".encode() if not self.failure else f"{self.failure}\n".encode())

        Checkpointer.write = reported  # type: ignore[method-assign]
        work()
    except BaseException:
        os.write(says, traceback.format_exc().encode() + b"\n")
    finally:
        os._exit(0)


def _empty(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
