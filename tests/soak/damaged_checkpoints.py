"""R2: a damaged checkpoint or result is refused in one sentence, or is provably what was written; never a traceback.

Of a small checkpoint and of the three files of its result, every byte is flipped and the file is cut before every
byte; those of one run of each kind are damaged at random. A damaged checkpoint gives way to the one before it, and
says so; alone it is a CheckpointError. `Result.load` and `verify` refuse a damaged result by InvalidProblem, or give
what was written: then the damage lies in white space or in the trace, and a note says so where it does.
"""

from __future__ import annotations

import json
import random
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

import solverkit as sk
from solverkit.engine.checkpoint import NAME, PREVIOUS, Checkpoint
from solverkit.errors import CheckpointError
from tests.soak import Tally
from tests.soak._damage import anyhow, everywhere
from tests.soak._runs import Subject, digest, subjects

CASES = 40_000
VERIFIED = 200
"""Of so many cases of a result one is verified too."""
RESULT = ("result.json", "point.npz", "trace.jsonl")


def run(cases: int, seed: int) -> Tally:
    """So many damaged files: half of them checkpoints, half of them files of results."""
    tally, chosen = Tally(), random.Random(seed)
    accepted = 0
    with tempfile.TemporaryDirectory() as place:
        kinds = subjects(cases, each=50)
        stopped = [_stopped(subject, Path(place) / f"{index}") for index, subject in enumerate(kinds)]
        results = [_complete(subject, Path(place) / f"{index}-whole") for index, subject in enumerate(kinds)]
        versions = _versions([folder / NAME for folder in stopped], chosen)
        for _ in range(cases // 2):
            path, name, version = next(versions)
            failure = _checkpoint(path, version)
            tally.count(f"{path.parent.name}: {name}: {failure}" if failure else "")
        known = [(folder, subject, _whole(folder)) for folder, subject in zip(results, kinds, strict=True)]
        versions = _versions([folder / name for folder, _, _ in known for name in RESULT], chosen)
        for case in range(cases - cases // 2):
            path, name, version = next(versions)
            folder, subject, whole = next(entry for entry in known if entry[0] == path.parent)
            failure, read = _result(path, version, whole, subject if case % VERIFIED == 0 else None)
            accepted += read
            tally.count(f"{folder.name}/{path.name}: {name}: {failure}" if failure else "")
    tally.facts = {"of results read as they were written": accepted}
    return tally


def _versions(paths: list[Path], chosen: random.Random) -> Iterator[tuple[Path, str, bytes]]:
    """Damaged versions without end: in turn at random of any file, and everywhere in the files of the first subject."""
    contents = {path: path.read_bytes() for path in paths}
    small = [path for path in paths if path.parent == paths[0].parent]
    systematic = [(path, name, version) for path in small for name, version in everywhere(contents[path])]
    chosen.shuffle(systematic)
    for entry in systematic:
        path = chosen.choice(paths)
        yield (path, *anyhow(contents[path], chosen))
        yield entry
    while True:
        path = chosen.choice(paths)
        yield (path, *anyhow(contents[path], chosen))


def _stopped(subject: Subject, folder: Path) -> Path:
    """A run that was stopped in the middle, with two checkpoints."""
    whole = subject.solve()
    subject.solve(folder, checkpoint=0.0, max_iter=whole.nit // 2)
    return folder


def _complete(subject: Subject, folder: Path) -> Path:
    subject.solve(folder)
    return folder


def _checkpoint(path: Path, version: bytes) -> str:
    """What is wrong with how a damaged checkpoint is received, alone and with the one before it."""
    content, previous = path.read_bytes(), path.with_name(PREVIOUS)
    former = Checkpoint.load(previous)
    path.write_bytes(version)
    try:
        try:
            saved = Checkpoint.load(path.parent)
        except CheckpointError as error:
            return f"the one before it was not used: {error}"
        if saved.header != former.header or "going on from the one before it" not in saved.warning:
            return "it was read, and nothing was said"
        aside = previous.rename(previous.with_suffix(".aside"))
        try:
            Checkpoint.load(path.parent)
        except CheckpointError:
            return ""
        finally:
            aside.rename(previous)
        return "it was read though it is damaged"
    except Exception:
        return traceback.format_exc()
    finally:
        path.write_bytes(content)


def _whole(folder: Path) -> tuple[str, list]:
    result = sk.Result.load(folder)
    return _said(result), result.trace


def _said(result: sk.Result) -> str:
    """All that a stored result says, its trace apart."""
    return digest(sk.Result(result | {"trace": []})) + json.dumps([result.to_json()["timing"], result.versions])


def _result(path: Path, version: bytes, whole: tuple[str, list], verified: Subject | None) -> tuple[str, bool]:
    """What is wrong with how a damaged file of a result is received, and whether the result was read."""
    content, folder = path.read_bytes(), path.parent
    path.write_bytes(version)
    try:
        try:
            result = sk.Result.load(folder)
        except sk.InvalidProblem as error:
            return ("" if path.name in str(error) else f"the refusal names another file: {error}"), False
        if verified is not None:
            sk.verify(folder, verified.problem)
        if _said(result) != whole[0]:
            return "it was read, and says something else", True
        if path.name == "trace.jsonl":
            said = any(note.startswith(str(path)) for note in result.notes)
            return ("" if said else "its trace is damaged, and nothing was said"), True
        return ("" if result.trace == whole[1] else "its trace is another"), True
    except Exception:
        return traceback.format_exc(), True
    finally:
        path.write_bytes(content)
