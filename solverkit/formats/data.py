"""The `data:` section of a problem file: arrays from files, from scikit-learn, from generators, or written out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import Defect, UsageError
from solverkit.formats.bundled import read_bundled
from solverkit.formats.csv import column_names, read_csv
from solverkit.formats.document import BundledData, FileData, GeneratedData
from solverkit.formats.files import MAX_DATA_BYTES, Refused, read, resolve
from solverkit.formats.generated import read_generated
from solverkit.formats.libsvm import read_libsvm
from solverkit.formats.matrix_market import read_mtx
from solverkit.formats.numpy_files import read_npy, read_npz
from solverkit.kinds.source import dotted, reserved

if TYPE_CHECKING:
    from solverkit.formats.source import FileSource

MAX_TEXT_BYTES = 500_000_000
SUFFIXES = (".npy", ".npz", ".csv", ".mtx", ".libsvm", ".svm", ".svmlight")
OPTIONS = {"key": (".npz", ".csv", ".libsvm", ".svm", ".svmlight"), "header": (".csv",), "features": SUFFIXES[4:]}
"""Which options have a meaning for which files."""


def read_data(entries: Mapping[str, Any], source: FileSource) -> None:
    """Read every entry into `source.data`; what cannot be read is a defect of `source`."""
    for name, entry in entries.items():
        path = ("data", name)
        problem = reserved(name)
        if not problem and name in source.parameters:
            problem = f"'{name}' is a parameter already; choose another name"
        if problem:
            source.defect(path, problem, key=True)
            continue
        before = len(source.defects)
        try:
            value = _checked(_read(entry, source, path))
        except Refused as refused:
            source.defect(path, refused.message)
        else:
            if len(source.defects) == before:
                source.data[name] = value


def give_data(arrays: Mapping[str, Any], source: FileSource) -> None:
    """Put arrays that the caller has into `source.data`. Raises UsageError for one that cannot be used."""
    for name, array in arrays.items():
        try:
            source.data[name] = _checked(array)
        except (Refused, TypeError, ValueError) as refused:
            raise UsageError(f"data {name!r}: {refused}") from None


def read_matrix(file: str, source: FileSource, path: tuple[str | int, ...]) -> Any:
    """One MatrixMarket file as csr_array or ndarray, finite; None, after a defect at `path`, where that fails."""
    try:
        content = read(resolve(source.folder, file), MAX_TEXT_BYTES, "a data file")
        return _checked(read_mtx(content, whole=False))
    except Refused as refused:
        if refused.line:
            place = str(source.folder / file)
            source.add(path, Defect(place, refused.line, refused.column, dotted(path), refused.message))
        else:
            source.defect(path, _named(file, refused.message))
        return None


def _read(entry: Any, source: FileSource, path: tuple[str, str]) -> Any:
    if isinstance(entry, FileData):
        return _read_file(entry, source, path)
    if isinstance(entry, BundledData):
        return read_bundled(entry.sklearn, entry.key)
    if isinstance(entry, GeneratedData):
        return read_generated(entry.generate, entry.model_extra or {}, entry.key, source, path)
    return source.inline(entry, path)


def _read_file(entry: FileData, source: FileSource, path: tuple[str, str]) -> Any:
    suffix = PurePath(entry.file).suffix.lower()
    if suffix not in SUFFIXES:
        raise Refused(f"'{entry.file}': no reader for '{suffix}' (readers: {', '.join(SUFFIXES)})")
    for option, suffixes in OPTIONS.items():
        if getattr(entry, option) is not None and suffix not in suffixes:
            raise Refused(f"`{option}` has no meaning for {suffix}")
    limit = MAX_DATA_BYTES if suffix in (".npy", ".npz") else MAX_TEXT_BYTES
    try:
        where = resolve(source.folder, entry.file)
        content: bytes = source.once(where, lambda: read(where, limit, "a data file"))
    except Refused as refused:
        raise Refused(_named(entry.file, refused.message)) from None
    if entry.sha256 is not None:
        found = hashlib.sha256(content).hexdigest()
        if found != entry.sha256.lower():
            source.defect((*path, "sha256"), f"'{entry.file}' has sha256 {found}: not the file that is meant")
            return None
    try:
        found = _parse(suffix, content, entry)
        if suffix == ".csv" and entry.key is None:
            source.columns[path[-1]] = column_names(content, entry.header)
        return found
    except Refused as refused:
        if not refused.line:
            raise Refused(_named(entry.file, refused.message)) from None
        file = str(source.folder / entry.file)
        source.add(path, Defect(file, refused.line, refused.column, ".".join(path), refused.message))
        return None


def _parse(suffix: str, content: bytes, entry: FileData) -> Any:
    whole = entry.sha256 is not None
    if suffix == ".npy":
        return read_npy(content)
    if suffix == ".npz":
        return read_npz(content, entry.key)
    if suffix == ".csv":
        return read_csv(content, entry.key, entry.header, whole)
    if suffix == ".mtx":
        return read_mtx(content, whole)
    return read_libsvm(content, entry.key, entry.features, whole)


def _named(file: str, message: str) -> str:
    return message if f"'{file}'" in message else f"'{file}': {message}"


def _checked(value: Any) -> Any:
    """The value as float64, finite: an array or a csr_array. None, after a defect, stays None."""
    if value is None:
        return None
    if hasattr(value, "tocsr"):
        from scipy.sparse import csr_array

        matrix = csr_array(value, dtype=float)
        wrong = np.flatnonzero(~np.isfinite(matrix.data))
        if wrong.size:
            row = int(np.searchsorted(matrix.indptr, wrong[0], side="right")) - 1
            raise Refused(f"the entry [{row},{matrix.indices[wrong[0]]}] is {matrix.data[wrong[0]]}")
        return matrix
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise Refused(f"holds {array.dtype}, and only real numbers can be used")
    array = np.ascontiguousarray(array, dtype=float).reshape(array.shape)
    if array.size == 0:
        raise Refused(f"is empty (shape {array.shape})")
    wrong = np.flatnonzero(~np.isfinite(array.ravel()))
    if wrong.size:
        index = ",".join(str(k) for k in np.unravel_index(wrong[0], array.shape))
        raise Refused(f"the entry [{index}] is {array.ravel()[wrong[0]]}")
    return array
