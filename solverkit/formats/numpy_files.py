"""Arrays in NumPy's files, `.npy` and `.npz`, and sparse matrices in the layout of `scipy.sparse.save_npz`.

Headers are read first: what a file declares is held against its size and against caps before anything is allocated,
no pickle is ever touched, and an archive may not unfold to much more than it is.
"""

from __future__ import annotations

import ast
import io
import math
import re
import struct
import zipfile
import zlib
from typing import Any

import numpy as np

from solverkit.formats.files import MAX_DATA_BYTES, Refused

MAX_RATIO = 200
"""How much larger than its archive an array may be; arrays below `SMALL` may be anything."""

SMALL = 1_000_000
MAX_LENGTH = 10_000_000
"""Largest number of rows or columns of a sparse matrix."""

MAX_MEMBERS = 1000
MAX_HEADER = 10_000
DTYPE = re.compile(r"[<>|=]?[A-Za-z?][0-9]{0,9}")
KINDS = {"f": (2, 4, 8), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "b": (1,)}

DAMAGED = "not a .npy file, or one that is cut or damaged"

_DAMAGE = (
    ValueError,
    KeyError,
    IndexError,
    EOFError,
    OSError,
    RuntimeError,
    MemoryError,
    OverflowError,
    NotImplementedError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
"""Everything that zipfile is known to raise on damaged archives."""


def read_npy(content: bytes, text: bool = False) -> np.ndarray:
    """The array of a `.npy` file, in its own dtype; `text` admits the one short text that SciPy's layout has."""
    descr, fortran, shape, offset = _header(content)
    if "O" in descr:
        raise Refused("holds Python objects (a pickle), which are never loaded; save numbers")
    try:
        dtype = np.dtype(descr)
    except (TypeError, ValueError):
        raise Refused(DAMAGED) from None
    if not (text and dtype.kind == "S" and dtype.itemsize <= 8) and dtype.itemsize not in KINDS.get(dtype.kind, ()):
        raise Refused(f"holds {dtype}; only real floats of 64 bits or less, integers and booleans are read")
    if any(length < 1 for length in shape):
        raise Refused(f"is empty, or declares a negative length (shape {shape})"[:200])
    promised, there = math.prod(shape) * dtype.itemsize, len(content) - offset
    if promised != there:
        raise Refused(f"declares {promised} bytes of numbers and has {there}: cut, or damaged")
    flat = np.frombuffer(content, dtype=dtype, offset=offset)
    return flat.reshape(shape, order="F" if fortran else "C").copy()


def _header(content: bytes) -> tuple[str, bool, tuple[int, ...], int]:
    """Type, order, shape, and where the numbers begin. NumPy's own parser tries too many things on a damaged header."""
    if content[:6] != b"\x93NUMPY" or len(content) < 8:
        raise Refused(DAMAGED)
    if content[6:8] not in (b"\1\0", b"\2\0"):
        raise Refused(f".npy version {content[6]}.{content[7]}; 1.0 and 2.0 are read")
    start = 10 if content[6] == 1 else 12
    end = start + int.from_bytes(content[8:start], "little")
    if end - start > MAX_HEADER or end > len(content):
        raise Refused(DAMAGED)
    try:
        header = ast.literal_eval(content[start:end].decode("latin-1").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise Refused(DAMAGED) from None
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise Refused(DAMAGED)
    descr, fortran, shape = header["descr"], header["fortran_order"], header["shape"]
    if isinstance(descr, list):
        raise Refused("holds records; only real floats of 64 bits or less, integers and booleans are read")
    lengths = isinstance(shape, tuple) and len(shape) <= 32 and all(type(length) is int for length in shape)
    if not (isinstance(descr, str) and DTYPE.fullmatch(descr) and isinstance(fortran, bool) and lengths):
        raise Refused(DAMAGED)
    return descr, fortran, shape, end


def read_npz(content: bytes, key: str | None) -> Any:
    """One array of an archive; a csr_array where the archive has SciPy's layout."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = _members(archive, len(content))
            if "format" in members and "shape" in members:
                if key is not None:
                    raise Refused("holds one sparse matrix; leave `key` out")
                return _sparse({name: _member(archive, members[name], name == "format") for name in members})
            return _member(archive, members[_choose(list(members), key)])
    except _DAMAGE:
        raise Refused("not an .npz file, or one that is cut or damaged") from None


def _choose(names: list[str], key: str | None) -> str:
    shown = ", ".join(names[:20])
    if key is None and len(names) == 1:
        return names[0]
    if key is None:
        raise Refused(f"holds {len(names)} arrays; choose one with `key` ({shown})")
    if key not in names:
        raise Refused(f"has no array '{key}' (arrays here: {shown})")
    return key


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The members by name without `.npy`; all that can be known of them without reading them is checked."""
    listed = archive.infolist()
    if not 1 <= len(listed) <= MAX_MEMBERS:
        raise Refused(f"holds {len(listed)} arrays; needs 1 to {MAX_MEMBERS}")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in listed:
        name = info.filename.removesuffix(".npy")
        if name == info.filename or not name.isprintable() or len(name) > 200:
            raise Refused("holds something else than arrays: every member ends in .npy")
        if name in members:
            raise Refused(f"holds two arrays named '{name}'")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused(f"'{name}' is encrypted or packed in an unusual way")
        if info.file_size > max(SMALL, MAX_RATIO * info.compress_size):
            raise Refused(
                f"'{name}' unfolds from {info.compress_size} to {info.file_size} bytes, more than {MAX_RATIO}:1; "
                "save it uncompressed (np.savez), or sparse"
            )
        members[name] = info
    if sum(info.file_size for info in listed) > MAX_DATA_BYTES:
        raise Refused(f"unfolds to more than {MAX_DATA_BYTES} bytes")
    if sum(info.compress_size for info in listed) > size:
        raise Refused("holds members that overlap")
    return members


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, text: bool = False) -> np.ndarray:
    with archive.open(info) as stream:
        content = stream.read(info.file_size)
    if len(content) != info.file_size:
        raise Refused(f"'{info.filename}' is not of the size that it declares")
    try:
        return read_npy(content, text)
    except Refused as refused:
        raise Refused(f"'{info.filename}' {refused.message}") from None


def _sparse(parts: dict[str, np.ndarray]) -> Any:
    """The csr_array of SciPy's parts, every index checked."""
    from scipy.sparse import coo_array, csc_array, csr_array

    layout = bytes(parts["format"].tobytes()).rstrip(b"\0").decode("ascii", "replace")
    needed = {"csr": ("indices", "indptr"), "csc": ("indices", "indptr"), "coo": ("row", "col")}.get(layout)
    if needed is None:
        raise Refused(f"a sparse matrix in layout '{layout}'; save it as A.tocsr()")
    for name in ("shape", "data", *needed):
        if name not in parts:
            raise Refused(f"a sparse matrix without '{name}'")
        if parts[name].ndim != 1 or (name != "data" and parts[name].dtype.kind not in "iu"):
            raise Refused(f"a sparse matrix whose '{name}' is no vector of integers")
    shape = tuple(int(length) for length in parts["shape"])
    if len(shape) != 2 or not all(1 <= length <= MAX_LENGTH for length in shape):
        raise Refused(f"a sparse matrix of shape {shape}; needs two lengths from 1 to {MAX_LENGTH}")
    data = parts["data"].astype(float)
    first, second = (parts[name].astype(np.int64) for name in needed)
    if layout == "coo":
        rows, columns = first, second
        if not len(rows) == len(columns) == len(data) or _outside(rows, shape[0]) or _outside(columns, shape[1]):
            raise Refused("a sparse matrix with indices that do not fit it")
        result = csr_array(coo_array((data, (rows, columns)), shape=shape))
    else:
        outer, inner = shape if layout == "csr" else shape[::-1]
        ends = len(second) == outer + 1 and second[0] == 0 and second[-1] == len(first) == len(data)
        if not ends or np.any(np.diff(second) < 0) or _outside(first, inner):
            raise Refused("a sparse matrix with indices that do not fit it")
        result = csr_array((csr_array if layout == "csr" else csc_array)((data, first, second), shape=shape))
    result.sum_duplicates()
    return result


def _outside(indices: np.ndarray, length: int) -> bool:
    return bool(len(indices)) and (int(indices.min()) < 0 or int(indices.max()) >= length)
