"""A result in a folder, written whole and read as data that nobody vouches for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from solverkit.engine.files import pack, replace_file, unpack
from solverkit.engine.plain import dumps, number
from solverkit.engine.result import Result
from solverkit.engine.status import PointStatus, Termination
from solverkit.engine.trace import read_lines
from solverkit.errors import Defect, InvalidProblem
from solverkit.kinds.base import Certificate, Term
from solverkit.text import clean

RESULT, POINT, TRACE = "result.json", "point.npz", "trace.jsonl"
LARGEST = 64_000_000  # bytes of result.json


def save(result: Result, folder: Path) -> Path:
    """See `Result.save`. OSError where the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / POINT, pack(result.point))
    if result.trace and not (folder / TRACE).exists():
        replace_file(folder / TRACE, "".join(dumps(record) + "\n" for record in result.trace).encode())
    replace_file(folder / RESULT, (dumps(result.to_json(), indent=2) + "\n").encode())
    return folder


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


def load(folder: Path) -> Result:
    """See `Result.load`. The point comes from `point.npz`; `success` and `status` follow from the certificate there."""
    file = _read(folder / RESULT)
    try:
        arrays = unpack(_content(folder / POINT, None))
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
    fields: dict[str, Any] = file.model_dump(exclude={"solverkit", "objective", "certificate", "point_status"})
    trace = read_lines(folder / TRACE) if (folder / TRACE).is_file() else []
    fields |= file.counts | {
        "x": arrays["x"] if set(arrays) == {"x"} else None,
        "fun": fun,
        "success": status is PointStatus.CERTIFIED,
        "point": arrays,
        "termination": termination,
        "point_status": status,
        "certificate": certificate,
        "timing": timing,
        "trace": [record for record in trace if "report" in record],
    }
    return Result(fields)


def _read(path: Path) -> _Result:
    try:
        file = _Result.model_validate_json(_content(path, LARGEST))
    except ValidationError as error:
        places = [
            Defect(clean(path), 0, 0, clean(".".join(map(str, entry["loc"]))), clean(entry["msg"]))
            for entry in error.errors(include_input=False, include_url=False)[:20]
        ]
        raise InvalidProblem(places) from None
    if file.solverkit != 1:
        raise _defect(path, f"format {file.solverkit} is not known to this version of SolverKit")
    if {"x", "fun", "nit", "success", "point"} & file.counts.keys():
        raise _defect(path, "counts: a counter bears the name of another field")
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
    return Certificate(terms, facts, clean(file.unverified) if file.unverified else "")


def _defect(path: Path, message: str) -> InvalidProblem:
    return InvalidProblem([Defect(clean(path), 0, 0, "", message)])
