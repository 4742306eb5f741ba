"""From the data of a form to an `Inclusion`, for problem files and Python alike.

Each raises ValueError with one sentence where the data do not fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import block_array, csr_array, issparse

from solverkit.kinds.base import Block
from solverkit.kinds.inclusion.bilinear import MatrixOperator
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.structure import Game, LinearProgram, SequenceForm
from solverkit.operators.proximal import Box, Conjugate, Simplex

INFINITE = 1e20  # a bound of a linear program from here on is none


def matrix_game(name: str, payoff: Any, expect: Mapping[str, Any] | None = None) -> Inclusion:
    """min_x max_y x'A y on two simplices, starting from uniform strategies."""
    A = _matrix(payoff, "the payoff")
    p, q = A.shape
    operator = MatrixOperator.of(A)
    return Inclusion(
        name,
        (Block("x", (p,), np.full(p, 1 / p)), Block("y", (q,), np.full(q, 1 / q))),
        operator,
        (Simplex(1.0), Simplex(1.0)),
        form="game",
        structure=Game(operator.matrix),
        expect=dict(expect or {}),
    )


def sequence_game(
    name: str, payoff: Any, E: Any, e: Any, F: Any, f: Any, expect: Mapping[str, Any] | None = None
) -> Inclusion:
    """min_x max_y x'A y over { x >= 0, E x = e } and { y >= 0, F y = f }, with multipliers:

        min_{x >= 0, v} max_{y >= 0, w}  x'A y + w'(E x - e) + v'(F y - f)

    which is bilinear in (x, v) and (y, w) with matrix [[A, E'], [F, 0]], c = (0, -f), b = (0, e).
    """
    A = _matrix(payoff, "the payoff")
    p, q = A.shape
    E, F = _matrix(E, "E", columns=p), _matrix(F, "F", columns=q)
    e, f = _vector(e, E.shape[0], "e"), _vector(f, F.shape[0], "f")
    matrix = csr_array(block_array([[csr_array(A), csr_array(E).T], [csr_array(F), None]]))
    x, y = np.zeros(p + len(f)), np.zeros(q + len(e))
    return Inclusion(
        name,
        (Block("x", x.shape, x), Block("y", y.shape, y)),
        MatrixOperator.of(matrix, np.concatenate([np.zeros(p), -f]), np.concatenate([np.zeros(q), e])),
        (_first_nonnegative(p, len(f)), _first_nonnegative(q, len(e))),
        form="sequence-form",
        structure=SequenceForm(A, csr_array(E), e, csr_array(F), f),
        expect=dict(expect or {}),
    )


def program(
    name: str,
    c: Any,
    A: Any,
    row_lower: Any,
    row_upper: Any,
    lower: Any = 0.0,
    upper: Any = np.inf,
    constant: float = 0.0,
    maximize: bool = False,
    names: tuple[Sequence[str], Sequence[str]] = ((), ()),
    expect: Mapping[str, Any] | None = None,
) -> Inclusion:
    """min c'x + constant s.t. row_lower <= A x <= row_upper, lower <= x <= upper, with multipliers y of the rows:

        min_x max_y  c'x + y'A x - sigma(y) + indicator of the bounds at x,     sigma the support function of the rows

    which is bilinear with matrix A' and the sets Box(lower, upper) and Conjugate(Box(row_lower, row_upper)).
    `maximize` maximizes c'x + constant instead.
    """
    A = _matrix(A, "A")
    m, n = A.shape
    sign = -1.0 if maximize else 1.0
    cost = sign * _vector(c, n, "c")
    rows, bounds = _sides(row_lower, row_upper, m, "row"), _sides(lower, upper, n, "variable")
    structure = LinearProgram(
        cost, A, *rows, *bounds, sign * float(constant), tuple(names[0]), tuple(names[1]), maximize
    )
    x, y = np.clip(np.zeros(n), *bounds), np.zeros(m)
    return Inclusion(
        name,
        (Block("x", (n,), x), Block("y", (m,), y)),
        MatrixOperator.of(A.T, cost),
        (Box(*bounds), Conjugate(Box(*rows))),
        form="linear-program",
        structure=structure,
        expect=dict(expect or {}),
    )


def _sides(lower: Any, upper: Any, length: int, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Both sides of rows or variables, which leave room for a number."""
    low = _open(_vector(lower, length, f"the lower sides of {what}s", infinite=True))
    high = _open(_vector(upper, length, f"the upper sides of {what}s", infinite=True))
    wrong = np.flatnonzero((low > high) | (low == np.inf) | (high == -np.inf))
    if wrong.size:
        k = int(wrong[0])
        raise ValueError(f"{what} {k} has lower side {low[k]:g} and upper side {high[k]:g}, which leave no room")
    return low, high


def _open(side: np.ndarray) -> np.ndarray:
    """Huge sides as infinities."""
    return np.where(np.abs(side) >= INFINITE, np.copysign(np.inf, side), side)


def _first_nonnegative(count: int, free: int) -> Box:
    return Box(np.concatenate([np.zeros(count), np.full(free, -np.inf)]), np.inf)


def _matrix(value: Any, what: str, columns: int | None = None) -> Any:
    """A finite matrix, csr_array or ndarray of float64."""
    A = csr_array(value, dtype=float) if issparse(value) else np.asarray(value, dtype=float)
    if A.ndim != 2 or 0 in A.shape:
        raise ValueError(f"{what} is a matrix; one of shape {A.shape} was given")
    if columns is not None and A.shape[1] != columns:
        raise ValueError(f"{what} has {A.shape[1]} columns; it needs {columns}")
    if not np.isfinite(A.data if isinstance(A, csr_array) else A).all():
        raise ValueError(f"{what} holds NaN or infinity")
    return A


def _vector(value: Any, length: int, what: str, infinite: bool = False) -> np.ndarray:
    """A vector of `length`, or a number for all entries."""
    v = np.asarray(value, dtype=float)
    if v.shape not in ((), (length,)):
        raise ValueError(f"{what} has shape {v.shape}; it needs {length} entries")
    if np.isnan(v).any() or not (infinite or np.isfinite(v).all()):
        raise ValueError(f"{what} holds {'NaN' if infinite else 'NaN or infinity'}")
    return np.array(np.broadcast_to(v, length))
