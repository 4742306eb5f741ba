"""Parts of a sequence's form: square sparse matrices, tables with one row a step, contexts; finite, of one size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from scipy.sparse import csr_array

from solverkit.kinds.linear_sequence.limits import MAX_RECORDED, too_large
from solverkit.kinds.linear_sequence.pattern import Pattern

if TYPE_CHECKING:
    from solverkit.kinds.base import Source

Keys = tuple[str | int, ...]


class Unusable(Exception):
    """A defect was recorded, and nothing can be built on what it spoils."""


class Tables:
    """Reads what stands below one key of a file. A defect is recorded at its place and raises `Unusable`."""

    def __init__(self, source: Source, form: str) -> None:
        self.source = source
        self.form = form

    def refuse(self, keys: Keys, message: str) -> NoReturn:
        """Record what is wrong at `keys` below the form, and leave."""
        self.source.defect((self.form, *keys), message)
        raise Unusable

    def sparse(self, value: Any, *keys: str | int) -> csr_array:
        """A square matrix: the name of data, a list, or a matrix itself. Explicit zeros stay."""
        held = self._held(value)
        shape = tuple(getattr(held, "shape", ())) or (np.shape(held) if isinstance(held, list | tuple) else ())
        before = len(self.source.defects)
        matrix = self.source.matrix(value, shape[-1] if shape else 1, (self.form, *keys))
        if len(self.source.defects) > before:
            raise Unusable
        if matrix.shape[0] != matrix.shape[1]:
            self.refuse(keys, f"has shape {matrix.shape}; the matrices of a sequence are square")
        found = csr_array(matrix, dtype=float)
        self._finite(found.data, keys)
        return found

    def union(self, matrices: Sequence[csr_array], places: Sequence[Keys]) -> tuple[Pattern, np.ndarray]:
        """The pattern that holds all entries of all matrices, and the values of each in it, (J, nnz)."""
        n = matrices[0].shape[0]
        for matrix, keys in zip(matrices, places, strict=True):
            if matrix.shape != (n, n):
                self.refuse(keys, f"has shape {matrix.shape}, and the first matrix {(n, n)}")
        marked = [csr_array((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=(n, n)) for matrix in matrices]
        pattern, _ = Pattern.of(sum(marked[1:], start=marked[0]))
        code = pattern.rows.astype(np.int64) * n + pattern.indices
        parts = np.zeros((len(matrices), pattern.nnz))
        for part, matrix in zip(parts, matrices, strict=True):
            own, values = Pattern.of(matrix)
            part[np.searchsorted(code, own.rows.astype(np.int64) * n + own.indices)] = values
        return pattern, parts

    def vector(self, value: Any, *keys: str | int) -> np.ndarray:
        """(T,) float64."""
        shape = np.shape(self._held(value))
        if len(shape) != 1 or shape[0] < 1:
            self.refuse(keys, f"has shape {shape}; needs (T,), one number for each system")
        return self._filled(value, shape, keys)

    def table(self, value: Any, key: str, rows: int | None, columns: int, column: str) -> np.ndarray:
        """(rows, columns) float64. `rows` None: as many as there are; otherwise one row, or a number, fills all.

        `column` says what a column stands for.
        """
        held = self._held(value)
        if hasattr(held, "tocsr"):
            self.refuse((key,), "a sparse matrix cannot stand here; give a dense array")
        shape = np.shape(held)
        whole = len(shape) == 2 and shape[0] >= 1 and shape[1] == columns
        fills = rows is not None and (len(shape) < 2 or shape[0] in (1, rows)) and shape[-1:] in ((), (1,), (columns,))
        if not (whole and rows in (None, shape[0])) and not fills:
            wanted = f"({'T' if rows is None else rows}, {columns})"
            self.refuse((key,), f"has shape {shape}; needs {wanted}, one row a system, one column for {column}")
        goal = (shape[0] if rows is None else rows, columns)
        return self._filled(value, goal, (key,))

    def context(self, form: Any, T: int) -> tuple[np.ndarray, tuple[str, ...]]:
        """(T, k) and k names; k = 0 where the form has no context."""
        if form.context is None:
            if form.context_names:
                self.refuse(("context_names",), "names of a context that is not given")
            return np.zeros((T, 0)), ()
        shape = np.shape(self._held(form.context))
        if len(shape) not in (1, 2) or shape[0] != T:
            self.refuse(("context",), f"has shape {shape}; needs ({T},) or ({T}, k), one row a system")
        context = self._filled(form.context, shape, ("context",)).reshape(T, -1)
        count = context.shape[1]
        names = tuple(form.context_names or (["context"] if count == 1 else [f"context{k}" for k in range(count)]))
        if len(names) != count or len(set(names)) != count:
            self.refuse(("context_names",), f"needs {count} different names, one for each column of the context")
        return context, names

    def sized(self, T: int, pattern: Pattern, rows: int, key: str) -> None:
        """Refuse what does not fit: solutions, and `rows` recorded matrices with T right-hand sides."""
        problem = too_large(T, pattern.n)
        if not problem and rows * pattern.nnz + T * pattern.n > MAX_RECORDED:
            problem = f"more than {MAX_RECORDED} numbers in matrices and right-hand sides; cut the sequence"
        if problem:
            self.refuse((key,), problem)

    def _held(self, value: Any) -> Any:
        """What a name stands for. After a defect, a text that is no name may be data that could not be read."""
        if not isinstance(value, str):
            return value
        if value not in self.source.data and self.source.defects:
            raise Unusable
        return self.source.data.get(value, value)

    def _filled(self, value: Any, shape: tuple[int, ...], keys: Keys) -> np.ndarray:
        """The value broadcast to a shape. Data that has it already is used as it is, without a copy."""
        held = self._held(value)
        if isinstance(held, np.ndarray) and held.shape == shape and held.dtype == float:
            table = held
        else:
            before = len(self.source.defects)
            table = self.source.array(value, shape, (self.form, *keys))
            if len(self.source.defects) > before:
                raise Unusable
        self._finite(table, keys)
        return table

    def _finite(self, array: np.ndarray, keys: Keys) -> None:
        if not np.isfinite(array).all():
            index = ",".join(str(k) for k in np.argwhere(~np.isfinite(array))[0])
            self.refuse(keys, f"the entry [{index}] is not finite")
