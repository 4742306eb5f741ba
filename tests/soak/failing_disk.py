"""R3: a disk that fails at any call costs files, never the answer; what was on it stays whole, and the exit code tells.

Runs of two steps and runs that are resumed meet OSError (no space, input/output error, read-only, interrupted, no
right) at the n-th call that opens, reads, writes, syncs, renames, links, removes or closes a file of their folder, for
all n, at that call alone and from it on; a write that fails leaves half of its bytes. The answer must be the
undisturbed one, the result in the folder that one or none (or the former one), the newest checkpoint whole and no
older than the former one, and no temporary file may be left where the disk still lets files be removed.

One case in `COMMAND` is a process of its own: with a limit on the size of files, on a file system of some kilobytes
where one can be mounted, or with its output on a full device.
"""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path

import solverkit as sk
from solverkit.engine.checkpoint import Checkpoint
from tests.soak import Tally
from tests.soak._faults import Disk, Fault
from tests.soak._runs import Subject, digest, subjects

CASES = 6000
COMMAND = 100
ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EINTR, errno.EACCES)
STEPS = 2


def run(cases: int, seed: int) -> Tally:
    """So many faults, drawn from all of them until none is left."""
    tally, chosen = Tally(), random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        kinds = subjects(cases, each=100)
        rooms = [
            _Room(subject, Path(place) / str(index), resumed)
            for index, subject in enumerate(kinds)
            for resumed in (False, True)
        ]
        plan = [(room, fault) for room in rooms for fault in room.faults()]
        chosen.shuffle(plan)
        commands = _commands(Path(place) / "command", kinds)
        total = len(plan)
        tally.facts = {"of faults in all": total}
        for case in range(min(cases, total)):
            if case % COMMAND == COMMAND - 1:
                what, failure = next(commands)
            else:
                room, fault = plan.pop()
                what, failure = f"{room.name}: {fault}", room.meet(fault)
            tally.count(f"{what}: {failure}" if failure else "")
    return tally


class _Room:
    """One run in one folder, from the start or from a checkpoint."""

    def __init__(self, subject: Subject, place: Path, resumed: bool) -> None:
        self.name = f"{subject.method}, {'resumed' if resumed else 'begun'}"
        self._subject, self._resumed = subject, resumed
        self._former = place / "former"  # what the folder holds before
        self._folder = place / f"run-{resumed}"
        self._nit = -1
        self._old = ""
        self._folder.parent.mkdir(exist_ok=True)
        if resumed:
            old = subject.solve(self._former, max_iter=STEPS, checkpoint=0.0)
            self._nit, self._old = Checkpoint.load(self._former).header["nit"], _said(old)
        self._prepare()
        with Disk(self._folder, Fault(-1, errno.EIO, True)) as disk:
            whole = self._work()
        self._whole, self._said = digest(whole), _said(whole)
        self._calls = disk.calls

    def faults(self) -> Iterator[Fault]:
        """All that can happen to it."""
        for error in ERRORS:
            for number in range(self._calls):
                for once in (True, False)[: 1 if error == errno.EINTR else 2]:  # Python tries again for ever
                    yield Fault(number, error, once)

    def meet(self, fault: Fault) -> str:
        """What is wrong with how the run takes a fault."""
        self._prepare()
        try:
            with Disk(self._folder, fault) as disk:
                result = self._work()
        except (sk.UsageError, sk.CheckpointError) as error:
            refused = errno.errorcode[fault.error] and os.strerror(fault.error) in str(error)
            return self._kept(fault) if refused else f"refused, and not for the disk: {error}"
        except Exception:
            return traceback.format_exc()
        if not disk.failed:
            return ""  # a call that this error does not affect, or one that the run no longer makes
        shown = sk.Result(result | {"status": self._status(result)})
        unread = any("could not be read" in note for note in result.notes)  # the lines before are on the disk alone
        if (_said(shown) != self._said) if unread else (digest(shown) != self._whole):
            return f"another answer: {result.message} {result.notes}"
        if not result.folder and (result.status == 0 or "could not be saved" not in result.notes[0]):
            return f"the answer is not saved, status {result.status}, notes {result.notes}"
        return self._kept(fault) or self._temporary(fault)

    def _prepare(self) -> None:
        """The folder is as it was before the run."""
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._resumed:
            shutil.copytree(self._former, self._folder)

    def _work(self) -> sk.Result:
        if not self._resumed:
            return self._subject.solve(self._folder, max_iter=STEPS, checkpoint=0.0)
        return sk.resume(self._folder, self._subject.problem, max_iter=2 * STEPS, checkpoint=0.0)

    @staticmethod
    def _status(result: sk.Result) -> int:
        """What the exit code would be, had it been saved."""
        return 0 if result.success else result.status

    def _kept(self, fault: Fault) -> str:
        """What is wrong with the files."""
        stored = self._stored(fault)
        if stored is not None:
            if _said(stored) not in (self._said, self._old):
                return f"another result is in the folder: {stored.message}"
            other = digest(stored) != self._whole and _said(stored) == self._said
            if other and not any("trace.jsonl" in note for note in stored.notes):
                return f"the trace lacks lines, and nothing is said: {stored.notes}"
        if self._resumed:
            saved = Checkpoint.load(self._folder)
            if saved.warning and "there is no checkpoint" not in saved.warning:
                return saved.warning
            if saved.header["nit"] < self._nit:
                return f"checkpoint {self._nit} was there, {saved.header['nit']} is"
        elif any(self._folder.glob("checkpoint*.npz")):
            Checkpoint.load(self._folder)
        return ""

    def _stored(self, fault: Fault) -> sk.Result | None:
        """The result in the folder; None where there is none, or one whose parts do not belong together is refused."""
        if not (self._folder / "result.json").exists():
            return None
        try:
            return sk.Result.load(self._folder)
        except sk.InvalidProblem:
            if fault.once or fault.error == errno.ENOSPC:
                raise  # such a disk lets the stale part be removed
            return None

    def _temporary(self, fault: Fault) -> str:
        removable = fault.once or fault.error == errno.ENOSPC
        left = [path.name for path in self._folder.glob(".*")] if removable else []
        return f"temporary files are left: {left}" if left else ""


def _said(result: sk.Result) -> str:
    """All that a result says, its trace apart."""
    return digest(sk.Result(result | {"trace": []}))


def _commands(folder: Path, kinds: tuple[Subject, ...]) -> Iterator[tuple[str, str]]:
    """Processes that meet a real lack of room, one after the other: what was tried, and what is wrong."""
    shell = [f"ulimit -f {blocks}" for blocks in (0, 1, 3, 8)]
    if _mounts():
        sizes = (0, 4, 12, 40)
        shell += [
            f"mkdir -p {folder} && mount -t tmpfs -o size={size or 1}k,nr_inodes=9 none {folder}" for size in sizes
        ]
    for subject in cycle(kinds):
        for limit in shell:
            shutil.rmtree(folder, ignore_errors=True)
            yield f"{subject.method}, {limit.split(' none')[0]}", _command(subject, limit, folder)
        yield f"{subject.method} > /dev/full", _full(subject)


def _command(subject: Subject, limit: str, folder: Path) -> str:
    """What is wrong with `solve --out` under a limit, in one sentence."""
    line = [sys.executable, "-m", "solverkit", *_arguments(subject), "--out", str(folder / "out")]
    text = f"{limit} && {' '.join(line)} --checkpoint 0; code=$?; ls -A {folder}/out | grep '^[.]' >&2; exit $code"
    command = ["unshare", "-rm", "sh", "-c", text] if "mount" in limit else ["sh", "-c", text]
    done = subprocess.run(command, capture_output=True, timeout=120)
    said = done.stderr.decode()
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return f"exit {done.returncode}, no answer: {said}"
    whole = _undisturbed(subject)
    if answer["point"] != whole["point"] and "#" not in str(answer["point"]):
        return "another answer"
    saved = not any("could not be saved" in note for note in answer["notes"])
    expected = whole["status"] if saved else whole["status"] or 1
    if done.returncode != expected or said:
        return f"exit {done.returncode} where {expected} was due, notes {answer['notes']}, said {said}"
    return ""


def _full(subject: Subject) -> str:
    """What is wrong with a result that cannot be printed."""
    with open("/dev/full", "wb") as full:
        line = [sys.executable, "-m", "solverkit", *_arguments(subject)]
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, timeout=120)
    said = done.stderr.decode()
    right = done.returncode == 1 and "No space left on device" in said and "Traceback" not in said
    return "" if right else f"exit {done.returncode}, said {said}"


def _arguments(subject: Subject) -> list[str]:
    options = [text for name, value in subject.options.items() for text in ("--set", f"{name}={value}")]
    limit = ["--max-iter", str(subject.max_iter)] if subject.max_iter else []
    return ["solve", str(subject.file), "-m", subject.method, "--json", "--quiet", *options, *limit]


@cache
def _undisturbed(subject: Subject) -> dict:
    line = [sys.executable, "-m", "solverkit", *_arguments(subject)]
    return json.loads(subprocess.run(line, capture_output=True, timeout=120).stdout)


def _mounts() -> bool:
    """Whether this user may mount a file system of their own."""
    try:
        line = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
        return subprocess.run(line, capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
