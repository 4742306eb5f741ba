"""From a validated problem file to a structure learning problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.kinds.base import Block
from solverkit.kinds.dag.knowledge import Knowledge
from solverkit.kinds.dag.problem import ORDER, WEIGHTS, Dag
from solverkit.kinds.expectation import expected
from solverkit.text import clean, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from solverkit.kinds.base import Source
    from solverkit.kinds.dag.schema import DagFile

CONSTANT = 1e-14
"""A column is constant where its deviation is below this share of its largest entry."""

LEAST, MOST = 1e-140, 1e140
"""Deviations and entries between which squares keep their digits."""


def build(file: DagFile, source: Source) -> Dag:
    """The problem of a file. Where there is a defect, it is recorded and a harmless stand-in comes back."""
    before = len(source.defects)
    data = _samples(file, source) if file.samples is not None else None
    gram, n = _gram(file, source, data)
    d = len(gram)
    names = _names(file, source, d)
    knowledge = _knowledge(file, source, names)
    numbers = {
        "l1": _least(source, file.penalty.l1, ("penalty", "l1")),
        "l2": _least(source, file.penalty.l2, ("penalty", "l2")),
        "edge_cost": _least(source, file.penalty.edges, ("penalty", "edges")),
    }
    hidden = source.number(file.hidden, ("hidden",))
    if not (1 <= hidden <= 10_000 and hidden == round(hidden)):
        source.defect(("hidden",), "must be a whole number from 1 to 10000")
    truth = None if file.truth is None else _square(source, file.truth, d, ("truth",))
    blocks = (Block(WEIGHTS, (d, d), np.zeros((d, d))), Block(ORDER, (d,), np.zeros(d)))
    return Dag(
        name=source.name,
        names=names,
        gram=gram,
        n=n,
        samples=data,
        score=file.score,
        hidden=int(hidden),
        knowledge=knowledge,
        truth=truth,
        expect=expected(source, blocks) if len(source.defects) == before else {},
        **numbers,
    )


def _samples(file: DagFile, source: Source) -> np.ndarray | None:
    """X, centred and scaled as asked; None after a defect."""
    if file.gram is not None or file.count is not None:
        source.defect(
            ("gram" if file.gram is not None else "count",), "goes without `samples`; leave one out", key=True
        )
        return None
    X = _table(source, file.samples, ("samples",))
    if X is None:
        return None
    if len(X) < 2:
        source.defect(("samples",), "there is one sample: nothing varies; bring at least two")
        return None
    if file.score == "logistic":
        return _binary(file, source, X)
    mean, largest = X.mean(axis=0), np.abs(X).max(axis=0)
    apart = X - mean
    deviation = np.sqrt(np.einsum("ij,ij->j", apart, apart) / len(X))
    if not _varies(file, source, deviation <= CONSTANT * largest):
        return None
    wrong = np.flatnonzero(~((deviation > LEAST) & (largest < MOST)))
    if wrong.size:
        named = ", ".join(_label(file, source, k) for k in wrong[:5])
        source.defect(("samples",), f"squares of {named} do not fit in float64: choose other units")
        return None
    if file.center is False:
        apart = X
    return apart / deviation if file.standardize else apart


def _varies(file: DagFile, source: Source, flat: np.ndarray) -> bool:
    """Whether no column is constant."""
    constant = np.flatnonzero(flat)
    if constant.size:
        named = ", ".join(_label(file, source, k) for k in constant[:5]) + (", ..." if constant.size > 5 else "")
        source.defect(("samples",), f"constant columns explain nothing and are explained by nothing: remove {named}")
    return not constant.size


def _binary(file: DagFile, source: Source, X: np.ndarray) -> np.ndarray | None:
    if file.center or file.standardize:
        source.defect(("center" if file.center else "standardize",), "has no meaning for binary samples", key=True)
        return None
    wrong = np.argwhere((X != 0) & (X != 1))
    if wrong.size:
        i, j = wrong[0]
        source.defect(("samples",), f"the score logistic is for 0 and 1, and [{i},{j}] is {X[i, j]}")
        return None
    return X if _varies(file, source, X.min(axis=0) == X.max(axis=0)) else None


def _gram(file: DagFile, source: Source, data: np.ndarray | None) -> tuple[np.ndarray, int]:
    """S and n; a stand-in after a defect."""
    stand_in = np.eye(1), 1
    if file.samples is not None:
        if data is None:
            return stand_in
        return data.T @ data / len(data), len(data)
    if file.gram is None:
        if not source.defects:
            source.defect(("kind",), "give `samples`, or `gram` and `count`", key=True)
        return stand_in
    if file.count is None:
        source.defect(("gram",), "needs `count`, the number of samples behind it", key=True)
        return stand_in
    if file.score not in ("least-squares", "bic"):
        source.defect(("score",), f"{file.score} needs `samples`: a Gram matrix does not determine it")
        return stand_in
    n = source.number(file.count, ("count",))
    if not (n >= 1 and n == round(n) and n < np.inf):
        source.defect(("count",), "must be a whole number, 1 or more")
        return stand_in
    S = _table(source, file.gram, ("gram",))
    if S is None:
        return stand_in
    problem = _covariance_problem(S)
    if problem:
        source.defect(("gram",), problem)
        return stand_in
    S = (S + S.T) / 2
    if file.standardize:
        scale = np.sqrt(np.diag(S))
        S = S / np.outer(scale, scale)
    return S, int(n)


def _covariance_problem(S: np.ndarray) -> str:
    """Why S cannot be a Gram matrix; empty where it can."""
    if S.shape[0] != S.shape[1]:
        return f"has shape {S.shape}; a Gram matrix is square"
    size = float(np.abs(S).max())
    if float(np.abs(S - S.T).max()) > 1e-10 * size:
        return "is not symmetric"
    if float(np.diag(S).min()) <= 0:
        k = int(np.argmin(np.diag(S)))
        return f"has {S[k, k]} at [{k},{k}]: a variable that never varies; remove it"
    scale = 1 / np.sqrt(np.diag(S))
    least = float(np.linalg.eigvalsh(S * np.outer(scale, scale))[0])
    return f"has the eigenvalue {least:.3g} (scaled): a Gram matrix has none below zero" if least < -1e-8 else ""


def _table(source: Source, value: Any, path: Sequence[str]) -> np.ndarray | None:
    """A dense two-dimensional finite array; None after a defect."""
    held = source.data.get(value) if isinstance(value, str) else value
    shape: tuple[int, ...] = () if held is None else np.shape(held)
    columns = shape[1] if len(shape) == 2 else 0
    if not columns:
        what = "no such data" if held is None else f"has shape {shape}"
        if not source.defects:
            source.defect(path, f"{what}; it must be a table of data, rows by columns")
        return None
    if not shape[0]:
        source.defect(path, f"has shape {shape}: there are no rows")
        return None
    before = len(source.defects)
    matrix = source.matrix(value, columns, path)
    if len(source.defects) > before:
        return None
    table = np.asarray(matrix.todense() if hasattr(matrix, "todense") else matrix, dtype=float)
    if np.isfinite(table).all():
        return table
    wrong = np.argwhere(~np.isfinite(table))
    i, j = wrong[0]
    others = f", as are {len(wrong) - 1} others" if len(wrong) > 1 else ""
    source.defect(path, f"[{i},{j}] is {table[i, j]}{others}: remove or fill in missing values first")
    return None


def _square(source: Source, value: Any, d: int, path: Sequence[str]) -> np.ndarray | None:
    table = _table(source, value, path)
    if table is not None and table.shape != (d, d):
        source.defect(path, f"has shape {table.shape}, and there are {d} variables")
        return None
    return table


def _least(source: Source, value: Any, path: Sequence[str]) -> float:
    number = source.number(value, path)
    if not 0 <= number < np.inf:
        source.defect(path, f"must be a number, 0 or more, not {number}")
        return 0.0
    return number


def _label(file: DagFile, source: Source, column: int) -> str:
    names = file.variables or _header(file, source)
    return repr(clean(names[column], 60)) if column < len(names) else f"column {column}"


def _names(file: DagFile, source: Source, d: int) -> tuple[str, ...]:
    """Those of `variables:`, else of the table's header, else x0, x1, ..."""
    numbered = tuple(f"x{k}" for k in range(d))
    if file.variables is not None:
        return tuple(file.variables) if _sound(source, file.variables, d) else numbered
    header = _header(file, source)
    if len(header) != d:
        return numbered
    wrong = next((told for _, told in _faults(header)), None)
    if wrong is not None:
        source.defect(("samples" if file.samples is not None else "gram",), f"the header: {wrong}; give `variables:`")
    return header


def _header(file: DagFile, source: Source) -> tuple[str, ...]:
    """The names that the table came with."""
    held = file.samples if file.samples is not None else file.gram
    return source.columns.get(held, ()) if isinstance(held, str) else ()


def _sound(source: Source, names: Sequence[str], d: int) -> bool:
    if len(names) != d:
        if not source.defects:
            source.defect(("variables",), f"names {len(names)} variables, and the data have {d} columns")
        return False
    for k, told in _faults(names):
        source.defect(("variables", k), told)
    return True


def _faults(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    """What is wrong with names, by place."""
    seen: set[str] = set()
    for k, name in enumerate(names):
        if not name or len(name) > 200:
            yield k, f"a name has 1 to 200 characters, not {len(name)}"
        if name in seen:
            yield k, f"'{name[:64]}' is named twice"
        seen.add(name)


def _knowledge(file: DagFile, source: Source, names: tuple[str, ...]) -> Knowledge | None:
    if not (file.forbidden or file.required or file.tiers):
        return None
    index = {name: k for k, name in enumerate(names)}
    before = len(source.defects)

    def place(name: str, *path: str | int) -> int:
        if name not in index:
            source.defect(path, f"no variable '{name[:64]}'{nearest(name, names)}")
        return index.get(name, 0)

    edges = {
        key: [(place(i, key, k), place(j, key, k)) for k, (i, j) in enumerate(getattr(file, key))]
        for key in ("forbidden", "required")
    }
    tiers = [[place(name, "tiers", k) for name in tier] for k, tier in enumerate(file.tiers)]
    held = [variable for tier in tiers for variable in tier]
    if len(set(held)) < len(held):
        source.defect(("tiers",), "a variable is in two tiers")
    if len(source.defects) > before:
        return None
    try:
        return Knowledge.of(len(names), edges["forbidden"], edges["required"], tiers)
    except ValueError as error:
        source.defect(("required",), str(error))
        return None
