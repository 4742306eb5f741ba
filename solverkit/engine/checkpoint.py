"""Checkpoints: all that a run needs to go on bit for bit, in one file that is whole or not there.

`checkpoint.npz` is an uncompressed archive of arrays, each with its CRC-32, and a JSON header as its first member; its
last eight bytes are the CRC-32 of all the bytes before them, so any damage shows. The one before it stays as
`checkpoint.previous.npz`, and stands in where the newest is damaged.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from solverkit.engine.files import pack, replace_file, unpack
from solverkit.engine.points import Best
from solverkit.engine.tree import Reader, Writer
from solverkit.errors import CheckpointError
from solverkit.kinds.base import Point
from solverkit.text import clean

FORMAT = 1
NAME, PREVIOUS = "checkpoint.npz", "checkpoint.previous.npz"

REFUSALS = {
    "fingerprint": "it belongs to another problem; give the problem it was made from, or start anew",
    "kind": "it belongs to another kind of problem; give the problem it was made from, or start anew",
    "method": "it belongs to method {theirs!r}, not {ours!r}; resume with that method, or start anew",
    "options": "its options differ ({difference}); resume with the options it was made with, or start anew",
    "tol": "it was made with tol={theirs!r}, not {ours!r}; resume with that, or start anew",
    "seed": "it was made with seed={theirs!r}, not {ours!r}; resume with that, or start anew",
    "device": "it was made on device {theirs!r}, not {ours!r}; resume there, or start anew",
    "dtype": "it was made in {theirs!r}, not {ours!r}; resume in that, or start anew",
    "start": "it was made from another start; resume from that one, or start anew",
}
"""What a checkpoint must have in common with the run that goes on from it, and the sentence where it has not."""


class Header(BaseModel):
    """What a header holds, no more and no less. `state`, `best`, `merit` and `start` are skeletons, see `tree`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    format: Literal[1]
    identity: dict[str, Any]  # what a run must have in common with this one, see REFUSALS
    nit: NonNegativeInt
    elapsed: float  # seconds in the method
    ledger: dict[str, Any]  # oracle calls
    rng: dict[str, Any]  # state of the generator
    limits: dict[str, Any]
    source: str  # the problem's file
    target: bool | int
    versions: dict[str, str]
    trace: tuple[NonNegativeInt, NonNegativeInt] | None  # see `Trace.mark`
    greatest: tuple[float, NonNegativeInt]  # seconds and oracle calls of the greatest step
    state: Any
    best: Any
    merit: Any
    best_nit: NonNegativeInt
    start: Any


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as read: the header, and the arrays it refers to."""

    path: Path
    header: dict[str, Any]
    arrays: dict[str, np.ndarray]
    warning: str = ""  # said when the newest one was damaged and the previous one stands in

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint, or a run's folder; a damaged one gives way to the previous. CheckpointError."""
        path = Path(path)
        path = path / NAME if path.is_dir() else path
        try:
            return cls._read(path)
        except CheckpointError as error:
            previous = path.with_name(PREVIOUS)
            if path.name != NAME or not previous.exists():
                raise
            try:
                former = cls._read(previous)
            except CheckpointError:
                raise error from None
            warning = f"{error}; going on from the one before it, at iteration {former.header['nit']}"
            return cls(previous, former.header, former.arrays, warning)

    @classmethod
    def _read(cls, path: Path) -> Checkpoint:
        shown = clean(path)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise CheckpointError(f"there is no checkpoint {shown}: the run is complete, or wrote none") from None
        except OSError as error:
            raise CheckpointError(f"{shown} cannot be read: {error.strerror or error}") from None
        if content[-8:] != _crc(content[:-8]):
            raise CheckpointError(f"{shown} is damaged: its checksum does not match its content")
        try:
            arrays = unpack(content)
            header = json.loads(arrays.pop("header").tobytes())
        except (ValueError, KeyError, RecursionError) as error:
            raise CheckpointError(f"{shown} is not a checkpoint ({clean(error)})") from None
        try:
            Header.model_validate(header)
        except ValidationError:
            raise CheckpointError(f"{shown} was written by another version of SolverKit; start anew") from None
        return cls(path, header, arrays)

    def check(self, identity: dict[str, Any]) -> None:
        """Refuse a run of another problem, method or options. CheckpointError says which, in one sentence."""
        for key, sentence in REFUSALS.items():
            ours, theirs = identity[key], self.header["identity"].get(key)
            if ours != theirs:
                difference = _difference(ours, theirs) if key == "options" else ""
                text = sentence.format(ours=ours, theirs=theirs, difference=difference)
                raise CheckpointError(f"{clean(self.path)} cannot be used: {clean(text)}")

    def state(self, package: str, device: str) -> Any:
        """The state of the method, whose classes live in `package`."""
        return Reader(self.arrays, {package, "solverkit"}, device).read(self.header["state"])

    def start(self) -> Point | None:
        """The starting point, where the user gave one."""
        return Reader(self.arrays, set()).read(self.header["start"])

    def best(self) -> Best:
        """The best point so far."""
        reader = Reader(self.arrays, set())
        best = Best(reader.read(self.header["best"]))
        best.merit, best.nit = reader.read(self.header["merit"]), self.header["best_nit"]
        return best


class Checkpointer:
    """Writes the checkpoints of one run: at the start, when `every` seconds have gone by, at a stop that can go on."""

    def __init__(self, folder: Path, every: float, resumed: Checkpoint | None = None) -> None:
        self.path = folder / NAME
        self.failure = ""  # why the latest one could not be written, empty where it could
        self._keeps = resumed is None or not resumed.warning  # a damaged one must not take the place of a whole one
        self._every = every
        self._next = every

    def due(self, elapsed: float) -> bool:
        """Whether it is time; asked after each step."""
        return elapsed >= self._next

    def write(self, header: dict[str, Any], state: Any, best: Best, start: Point | None, elapsed: float) -> None:
        """Write one. A full disk or a state that cannot be saved is noted in `failure`, and the run goes on."""
        self._next = elapsed + self._every
        try:
            writer = Writer()
            trees = {"state": writer.write(state), "best": writer.write(best.point, "point")}
            trees |= {"merit": writer.write(best.merit), "best_nit": best.nit, "start": writer.write(start, "start")}
            text = json.dumps(header | trees | {"format": FORMAT}, allow_nan=False)
            arrays = {"header": np.frombuffer(text.encode(), dtype=np.uint8), **writer.arrays}
            previous = self.path.with_name(PREVIOUS) if self._keeps else None
            replace_file(self.path, _seal(pack(arrays)), previous)
            self.failure, self._keeps = "", True
        except (OSError, TypeError, ValueError) as error:
            self.failure = f"no checkpoint could be written: {clean(error)}"


def discard(folder: Path) -> None:
    """The run is complete and its result on the disk: nothing is left to resume. Raises OSError."""
    for name in (PREVIOUS, NAME):  # the newest last: at every moment the newest that is there is whole
        (folder / name).unlink(missing_ok=True)


def _seal(archive: bytes) -> bytes:
    """The archive with its CRC-32 as the zip's own comment, so that NumPy still opens it."""
    body = archive[:-2] + (8).to_bytes(2, "little")  # the comment's length is the last field of a zip
    return body + _crc(body)


def _crc(content: bytes) -> bytes:
    return f"{zlib.crc32(content):08x}".encode()


def _difference(ours: dict[str, Any], theirs: Any) -> str:
    """The options that differ, as `name: theirs, not ours`."""
    theirs = theirs if isinstance(theirs, dict) else {}
    names = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    return ", ".join(f"{name}: {theirs.get(name)!r}, not {ours.get(name)!r}" for name in names)
