"""LIBSVM files: `label index:value index:value ...`, one sample a line, indices ascending from 1 (or from 0)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.formats.files import Refused
from solverkit.formats.numpy_files import MAX_LENGTH
from solverkit.formats.tables import fields, lines, number


def read_libsvm(content: bytes, key: str | None, features: int | None, whole: bool) -> Any:
    """The samples X, a csr_array (rows, features), or with key `y` the labels (rows,).

    features : number of columns; by default the largest index. Indices count from 0 if a 0 is among them
    """
    if key not in (None, "X", "y"):
        raise Refused(f"has no '{key[:64]}' (arrays here: X, y)")
    labels: list[float] = []
    indices: list[int] = []
    values: list[float] = []
    ends = [0]
    for line in lines(content, whole):
        words = [word for word in fields(line, None)]
        comment = next((k for k, (word, _) in enumerate(words) if word.startswith("#")), len(words))
        if comment == 0:
            continue
        labels.append(number(words[0][0], line.number, words[0][1]))
        last = -1
        for word, column in words[1:comment]:
            name, colon, value = word.partition(":")
            if not colon or not (name.isascii() and name.isdigit()) or len(name) > 15:
                raise Refused(f"'{word[:30]}' is not index:value", line.number, column)
            index = int(name)
            if index <= last:
                raise Refused(f"the index {index} after {last}; indices ascend", line.number, column)
            if index > (MAX_LENGTH if features is None else features):
                limit = f"at most {MAX_LENGTH}" if features is None else f"the file is said to have {features} features"
                raise Refused(f"the index {index}; {limit}", line.number, column)
            indices.append(index)
            values.append(number(value, line.number, column + len(name) + 1))
            last = index
        ends.append(len(indices))
    if not labels:
        raise Refused("there are no samples in it")
    return np.array(labels) if key == "y" else _matrix(indices, values, ends, features)


def _matrix(indices: list[int], values: list[float], ends: list[int], features: int | None) -> Any:
    from scipy.sparse import csr_array

    columns = np.array(indices, dtype=np.int64)
    columns -= 0 if columns.size and columns.min() == 0 else 1
    width = features or (int(columns.max()) + 1 if columns.size else 1)
    if columns.size and columns.max() >= width:
        raise Refused(f"has indices from 0 to {columns.max()}, more than {width} features")
    return csr_array((np.array(values, dtype=float), columns, np.array(ends)), shape=(len(ends) - 1, width))
