"""Systems from a folder of MatrixMarket files.

    A_1.mtx, A_2.mtx, ...   the matrices, or A.mtx alone: the same one for all
    b_1.mtx, b_2.mtx, ...   the right-hand sides: array files of one column

The number is what counts: A_2 comes before A_10, and A_2 beside A_02 is refused. Every matrix has its right-hand side.
Other files in the folder are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.linear_sequence.called import Entry
from solverkit.kinds.linear_sequence.pattern import Pattern
from solverkit.kinds.linear_sequence.tables import Tables, Unusable
from solverkit.kinds.linear_sequence.tape import Tape

NAME = re.compile(r"([Ab])_([0-9]{1,9})\.mtx", re.ASCII)


def read_folder(folder: str, read: Tables) -> Tape:
    """Every system of the folder, one after another. Defects are recorded and raise `Unusable`."""
    files = read.source.matrices(folder, (read.form, "path"))
    if files is None:
        raise Unusable
    single = "A.mtx" if "A.mtx" in files else ""
    given, rights = _numbered(files, "A", read), _numbered(files, "b", read)
    if not rights:
        read.refuse(("path",), f"no b_1.mtx, b_2.mtx, ... in '{folder}'")
    if single and given:
        read.refuse(("path",), f"'{single}' and numbered matrices are both there: which is meant?")
    matrices = dict.fromkeys(rights, single) if single else given
    for number in sorted(set(rights) ^ set(matrices)):
        lonely, missing = (rights[number], "matrix") if number in rights else (matrices[number], "right-hand side")
        read.refuse(("path",), f"'{lonely}' has no {missing} of the same number")
    return _recorded([(matrices[number], rights[number]) for number in sorted(rights)], files, read)


def _numbered(files: Mapping[str, Any], letter: str, read: Tables) -> dict[int, str]:
    """The names of one letter by number."""
    found: dict[int, str] = {}
    for name in files:
        match = NAME.fullmatch(name)
        if match and match[1] == letter:
            number = int(match[2])
            if number in found:
                read.refuse(("path",), f"'{found[number]}' and '{name}' have the same number")
            found[number] = name
    return found


def _recorded(pairs: list[tuple[str, str]], files: Mapping[str, Callable[[], Any]], read: Tables) -> Tape:
    tape: Tape | None = None
    pattern: Pattern | None = None
    values, last = np.zeros(0), ""
    for matrix, right in pairs:
        if matrix != last:
            pattern, values = _pattern(files[matrix](), matrix, read)
            last = matrix
        assert pattern is not None
        rhs = files[right]()
        if rhs is None:
            raise Unusable
        if not isinstance(rhs, np.ndarray):
            read.refuse(("path",), f"'{right}' is a sparse matrix; a right-hand side is an array file of one column")
        new = Entry(pattern, values, rhs, None)
        tape = tape or Tape(new)
        try:
            tape.add(new)
        except UsageError as error:
            read.refuse(("path",), f"'{matrix}', '{right}': {error}")
    assert tape is not None
    return tape


def _pattern(matrix: Any, name: str, read: Tables) -> tuple[Pattern, np.ndarray]:
    if matrix is None:
        raise Unusable
    try:
        return Pattern.of(np.atleast_2d(matrix) if isinstance(matrix, np.ndarray) else matrix)
    except ValueError as error:
        read.refuse(("path",), f"'{name}': {error}")
