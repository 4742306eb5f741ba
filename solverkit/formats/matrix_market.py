"""MatrixMarket files: coordinate and array, real, integer and pattern, general, symmetric and skew-symmetric.

A reader of our own, because SciPy's is not safe on files from elsewhere: it crashes on `1 1 1e` at the end of a file,
reads half a number as a whole one, and accepts NaN, duplicates and any dimensions without a word.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.formats.files import Refused
from solverkit.formats.numpy_files import MAX_LENGTH
from solverkit.formats.tables import Line, fields, lines, table

BANNER = "%%matrixmarket"
CHOICES = {
    2: ("matrix",),
    3: ("coordinate", "array"),
    4: ("real", "double", "integer", "pattern"),
    5: ("general", "symmetric", "skew-symmetric"),
}
"""The words of the first line by position; complex matrices are not read."""

MAX_DENSE = 100_000_000


def read_mtx(content: bytes, whole: bool) -> Any:
    """A csr_array of a coordinate file; an array of an array file, a vector where it has one column."""
    rows = lines(content, whole)
    layout, values, symmetry = _banner(rows[0])
    rest = [row for row in rows[1:] if not row.text.lstrip().startswith("%")]
    if not rest:
        raise Refused("the line with the sizes is missing", rows[-1].number + 1, 1)
    size_line, body = rest[0], rest[1:]
    sizes = _sizes(size_line, 3 if layout == "coordinate" else 2)
    if symmetry != "general" and sizes[0] != sizes[1]:
        raise Refused(f"a {symmetry} matrix is square, not {sizes[0]} x {sizes[1]}", size_line.number, 1)
    end = rows[-1].number + 1
    if layout == "array":
        if values == "pattern":
            raise Refused("a pattern has no array form", rows[0].number, 1)
        return _dense(body, sizes, symmetry, values, size_line, end)
    return _coordinate(body, sizes, symmetry, values, end)


def _banner(line: Line) -> tuple[str, str, str]:
    words = [(word.lower(), column) for word, column in fields(line, None)]
    if words[0][0] != BANNER or line.number != 1:
        raise Refused("a MatrixMarket file begins with %%MatrixMarket", line.number, 1)
    if len(words) != 5:
        raise Refused("the first line has five words, as in %%MatrixMarket matrix coordinate real general", 1, 1)
    for (word, column), choices in zip(words[1:], CHOICES.values(), strict=True):
        if word not in choices:
            raise Refused(f"'{word[:30]}' is not read (choices: {', '.join(choices)})", 1, column)
    return words[2][0], words[3][0], words[4][0]


def _sizes(line: Line, count: int) -> list[int]:
    words = fields(line, None)
    if len(words) != count:
        raise Refused(f"needs {count} sizes, not {len(words)}", line.number, 1)
    sizes = []
    for position, (word, column) in enumerate(words):
        limit = MAX_LENGTH if position < 2 else MAX_DENSE
        if not (word.isascii() and word.isdigit()) or len(word) > 15:
            raise Refused(f"'{word[:30]}' is not a size", line.number, column)
        if not (1 if position < 2 else 0) <= int(word) <= limit:
            raise Refused(f"the size {word}; from 1 to {limit}", line.number, column)
        sizes.append(int(word))
    return sizes


def _check_count(body: list[Line], count: int, end: int) -> None:
    if len(body) < count:
        raise Refused(f"{len(body)} entries where {count} are promised: the file may be cut", end, 1)
    if len(body) > count:
        raise Refused(f"more entries than the {count} that are promised", body[count].number, 1)


def _check_whole(values: np.ndarray, body: list[Line], field: int, kind: str) -> None:
    """Integers are whole numbers."""
    wrong = np.flatnonzero(values != np.round(values))
    if kind == "integer" and wrong.size:
        line = body[wrong[0]]
        raise Refused("not a whole number, in a file of integers", line.number, fields(line, None)[field][1])


def _dense(body: list[Line], sizes: list[int], symmetry: str, kind: str, line: Line, end: int) -> np.ndarray:
    rows, columns = sizes
    if rows * columns > MAX_DENSE:
        raise Refused(f"{rows} x {columns} numbers; an array has at most {MAX_DENSE}", line.number, 1)
    if symmetry == "general":
        count = rows * columns
    else:
        count = rows * (rows + 1) // 2 if symmetry == "symmetric" else rows * (rows - 1) // 2
    _check_count(body, count, end)
    values = table(body, None, 1)[:, 0] if body else np.zeros(0)
    _check_whole(values, body, 0, kind)
    if symmetry == "general":
        full = values.reshape((rows, columns), order="F").copy()
        return full[:, 0].copy() if columns == 1 else full
    full = np.zeros((rows, rows))
    above = np.triu_indices(rows, 0 if symmetry == "symmetric" else 1)  # the lower triangle by columns
    full[above[1], above[0]] = values
    full[above] = values if symmetry == "symmetric" else -values
    return full


def _coordinate(body: list[Line], sizes: list[int], symmetry: str, kind: str, end: int) -> Any:
    from scipy.sparse import coo_array, csr_array

    rows, columns, count = sizes
    _check_count(body, count, end)
    width = 2 if kind == "pattern" else 3
    entries = table(body, None, width) if body else np.zeros((0, width))
    values = np.ones(count) if kind == "pattern" else entries[:, 2]
    _check_whole(values, body, 2, kind)
    for field, (length, name) in enumerate(((rows, "row"), (columns, "column"))):
        index = entries[:, field]
        wrong = np.flatnonzero((index != np.round(index)) | (index < 1) | (index > length))
        if wrong.size:
            line = body[wrong[0]]
            word, column = fields(line, None)[field]
            raise Refused(f"the {name} {word[:30]}; from 1 to {length}", line.number, column)
    i, j = entries[:, 0].astype(np.int64) - 1, entries[:, 1].astype(np.int64) - 1
    above = np.flatnonzero(i < j if symmetry == "symmetric" else i <= j)
    if symmetry != "general" and above.size:
        raise Refused(f"a {symmetry} file lists the lower triangle only", body[above[0]].number, 1)
    _check_duplicates(i, j, columns, body)
    if symmetry != "general":
        off = i != j
        sign = 1.0 if symmetry == "symmetric" else -1.0
        i, j, values = np.r_[i, j[off]], np.r_[j, i[off]], np.r_[values, sign * values[off]]
    return csr_array(coo_array((values, (i, j)), shape=(rows, columns)))


def _check_duplicates(i: np.ndarray, j: np.ndarray, columns: int, body: list[Line]) -> None:
    code = i * columns + j
    order = np.argsort(code, kind="stable")
    again = order[1:][np.diff(code[order]) == 0]
    if again.size:
        k = int(again.min())
        first = int(np.flatnonzero(code == code[k])[0])
        message = f"the entry ({i[k] + 1}, {j[k] + 1}) is there already, in line {body[first].number}"
        raise Refused(message, body[k].number, 1)
