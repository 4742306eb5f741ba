"""A result in a folder, written whole and read as data that nobody vouches for.

`result.json` ends in `sha256`: of its own content (as JSON of sorted keys without spaces, that key left out), of
`point.npz` and of `trace.jsonl`. So damage shows, and so does a point beside the result of another; these sums guard
against accidents and not against people.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic_core import from_json

from solverkit.engine.files import pack, replace_files, unpack
from solverkit.engine.plain import dumps, number, plain
from solverkit.engine.result import Result
from solverkit.engine.status import PointStatus, Termination
from solverkit.engine.trace import read_trace
from solverkit.errors import Defect, InvalidProblem
from solverkit.kinds.base import Certificate, Term
from solverkit.text import clean

RESULT, POINT, TRACE = "result.json", "point.npz", "trace.jsonl"
LARGEST = 64_000_000  # bytes of result.json
REMEDY = "; solve again, or resume the run where its checkpoint is there"


def save(result: Result, folder: Path) -> Path:
    """See `Result.save`. OSError where the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {POINT: pack(result.point)}
    if result.trace and not (folder / TRACE).exists():
        contents[TRACE] = "".join(dumps(record) + "\n" for record in result.trace).encode()
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    if TRACE not in sums and (folder / TRACE).is_file():
        sums[TRACE] = hashlib.sha256((folder / TRACE).read_bytes()).hexdigest()
    document = sealed(result.to_json(), sums)
    replace_files(folder, contents | {RESULT: (dumps(document, indent=2) + "\n").encode()})
    return folder


def sealed(document: dict[str, Any], sums: dict[str, str]) -> dict[str, Any]:
    """The document of `result.json` with `sha256` of its content beside those of the other files."""
    document = plain(document)
    return document | {"sha256": {RESULT: _sum(document), **sums}}


def _sum(document: dict[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


Number = float | int | str | None


class _Term(_Strict):
    name: str
    value: Number
    scaling: Number
    tolerance: Number
    ok: bool
    feasibility: bool
    note: str


class _Certificate(_Strict):
    status: str
    terms: list[_Term]
    facts: dict[str, float | int | str | bool | None]
    unverified: str


class _Result(_Strict):
    """`result.json`, key by key."""

    solverkit: int
    problem: str
    kind: str
    source: str
    method: str
    objective: Number
    point_status: str
    termination: str
    message: str
    status: int
    certificate: _Certificate
    nit: int
    counts: dict[str, int]
    oracles: dict[str, int]
    charged: dict[str, int]
    timing: dict[str, Number]
    options: dict[str, JsonValue]
    tol: float
    seed: int
    device: str
    dtype: str
    fingerprint: str
    versions: dict[str, str]
    notes: list[str]
    error: str
    point: dict[str, JsonValue]
    sha256: dict[str, str]


def load(folder: Path) -> Result:
    """See `Result.load`. The point comes from `point.npz`; `success` and `status` follow from the certificate there."""
    file = _read(folder / RESULT)
    content = _content(folder / POINT, None)
    if hashlib.sha256(content).hexdigest() != file.sha256.get(POINT):
        raise _defect(folder / POINT, f"it is damaged, or not the point that {RESULT} describes{REMEDY}")
    try:
        arrays = unpack(content)
        if set(arrays) != set(file.point) or any(block.dtype.kind not in "fiub" for block in arrays.values()):
            raise ValueError("its blocks are not those of result.json")
    except ValueError as error:
        raise _defect(folder / POINT, clean(error)) from None
    try:
        certificate = _certificate(file.certificate)
        termination, status = Termination[file.termination], certificate.status
        fun, timing = number(file.objective), {name: number(value) for name, value in file.timing.items()}
        if status is not PointStatus[file.point_status]:
            raise ValueError(f"point_status is {clean(file.point_status)}, its terms say {status.name}")
    except (ValueError, KeyError, ZeroDivisionError) as error:
        raise _defect(folder / RESULT, clean(error)) from None
    fields: dict[str, Any] = file.model_dump(
        exclude={"solverkit", "objective", "certificate", "point_status", "sha256"}
    )
    trace, damage = _trace(folder / TRACE, file.sha256.get(TRACE))
    fields["notes"] += damage
    fields |= file.counts | {
        "x": arrays["x"] if set(arrays) == {"x"} else None,
        "fun": fun,
        "success": status is PointStatus.CERTIFIED,
        "point": arrays,
        "termination": termination,
        "point_status": status,
        "certificate": certificate,
        "timing": timing,
        "folder": str(folder),
        "trace": [record for record in trace if "report" in record],
    }
    return Result(fields)


def _trace(path: Path, known: str | None) -> tuple[list[dict[str, Any]], list[str]]:
    """The lines of a trace that can be read, and a sentence where they are not those that the run wrote."""
    if known is None and not path.exists():
        return [], []
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        lines, skipped = read_trace(path)
    except OSError as error:
        return [], [f"{clean(path)} cannot be read: {error.strerror or error}"]
    if skipped:
        return lines, [f"{clean(path)} is damaged: {skipped} torn or foreign lines were left out"]
    return lines, [] if known == sha256 else [f"{clean(path)} is not the trace that {RESULT} describes"]


def _read(path: Path) -> _Result:
    try:
        document = from_json(_content(path, LARGEST), allow_inf_nan=False)
    except ValueError as error:
        raise _defect(path, clean(error)) from None
    try:
        file = _Result.model_validate(document)
    except ValidationError as error:
        places = [
            Defect(clean(path), 0, 0, clean(".".join(map(str, entry["loc"]))), clean(entry["msg"]))
            for entry in error.errors()[:20]
        ]
        raise InvalidProblem(places) from None
    if file.solverkit != 1:
        raise _defect(path, f"format {file.solverkit} is not known to this version of SolverKit")
    if {"x", "fun", "nit", "success", "point"} & file.counts.keys():
        raise _defect(path, "counts: a counter bears the name of another field")
    del document["sha256"]
    if _sum(document) != file.sha256.get(RESULT):
        raise _defect(path, f"it is damaged: its content does not have the sha256 that stands in it{REMEDY}")
    return file


def _content(path: Path, largest: int | None) -> bytes:
    try:
        if not path.is_file():
            raise _defect(path, "there is no such file; a result is a folder written by --out or result.save")
        if largest is not None and path.stat().st_size > largest:
            raise _defect(path, f"it is larger than {largest} bytes")
        return path.read_bytes()
    except OSError as error:
        raise _defect(path, error.strerror or str(error)) from None


def _certificate(file: _Certificate) -> Certificate:
    terms = tuple(
        Term(
            clean(term.name),
            number(term.value),
            number(term.tolerance),
            number(term.scaling),
            term.feasibility,
            clean(term.note),
        )
        for term in file.terms
    )
    facts = {clean(name): np.nan if value is None else value for name, value in file.facts.items()}
    return Certificate(terms, facts, clean(file.unverified))


def _defect(path: Path, message: str) -> InvalidProblem:
    return InvalidProblem([Defect(clean(path), 0, 0, "", message)])
