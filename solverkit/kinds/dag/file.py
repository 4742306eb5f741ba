"""From a validated problem file to a structure learning problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.kinds.base import Block
from solverkit.kinds.dag.knowledge import Knowledge
from solverkit.kinds.dag.problem import ORDER, WEIGHTS, Dag
from solverkit.kinds.expectation import expected
from solverkit.text import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from solverkit.kinds.base import Source
    from solverkit.kinds.dag.schema import DagFile

CONSTANT = 1e-14
"""A column is constant where its deviation is below this share of its largest entry."""


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
    if file.score == "logistic":
        return _binary(file, source, X)
    center = file.center is not False
    apart = X - X.mean(axis=0)
    deviation = np.sqrt((apart**2).mean(axis=0))
    flat = np.flatnonzero(deviation <= CONSTANT * np.abs(X).max(axis=0, initial=0.0))
    if flat.size:
        named = ", ".join(_label(file, k) for k in flat[:5])
        source.defect(("samples",), f"constant columns explain nothing and are explained by nothing: remove {named}")
        return None
    X = apart if center else X
    return X / deviation if file.standardize else X


def _binary(file: DagFile, source: Source, X: np.ndarray) -> np.ndarray | None:
    if file.center or file.standardize:
        source.defect(("center" if file.center else "standardize",), "has no meaning for binary samples", key=True)
        return None
    wrong = np.argwhere((X != 0) & (X != 1))
    if wrong.size:
        i, j = wrong[0]
        source.defect(("samples",), f"the score logistic is for 0 and 1, and [{i},{j}] is {X[i, j]}")
        return None
    return X


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
            source.defect(path, f"{what}; it must be the name of a table of data, rows by columns")
        return None
    before = len(source.defects)
    matrix = source.matrix(value, columns, path)
    if len(source.defects) > before:
        return None
    table = np.asarray(matrix.todense() if hasattr(matrix, "todense") else matrix, dtype=float)
    wrong = np.argwhere(~np.isfinite(table))
    if wrong.size:
        i, j = wrong[0]
        source.defect(path, f"[{i},{j}] is {table[i, j]}: remove or fill in missing values first")
        return None
    return table


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


def _label(file: DagFile, column: int) -> str:
    names = file.variables
    return names[column] if names is not None and column < len(names) else f"column {column}"


def _names(file: DagFile, source: Source, d: int) -> tuple[str, ...]:
    if file.variables is None:
        return tuple(f"x{k}" for k in range(d))
    if len(file.variables) != d:
        if not source.defects:
            source.defect(("variables",), f"names {len(file.variables)} variables, and the data have {d} columns")
        return tuple(f"x{k}" for k in range(d))
    seen: set[str] = set()
    for k, name in enumerate(file.variables):
        if not name or len(name) > 200:
            source.defect(("variables", k), "a name has 1 to 200 characters")
        if name in seen:
            source.defect(("variables", k), f"'{name[:64]}' is named twice")
        seen.add(name)
    return tuple(file.variables)


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
