"""What some inclusions are beyond F and G, so that their answers can be held against an exact duality gap.

| form | problem | u |
|---|---|---|
| Game | min_x max_y x'A y on two simplices | (x, y) |
| SequenceForm | the same over { x >= 0, E x = e } and { y >= 0, F y = f } | (x, v, y, w), multipliers v of F, w of E |
| LinearProgram | min c'x + constant, row_lower <= A x <= row_upper, lower <= x <= upper | (x, y), y multipliers |
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy.sparse import issparse

PLANS = 8
SAMPLE = 1_000_000


class Structure(Protocol):
    """A form with a value of its own."""

    def value(self, u: np.ndarray) -> float:
        """What the user calls the value at u."""
        ...

    def digest(self) -> str:
        """A text that is equal for equal forms."""
        ...


@dataclass(frozen=True, eq=False)
class Game:
    """min_x max_y x'A y, x in the simplex of R^p, y in that of R^q."""

    matrix: Any  # A, (p, q), float64

    def value(self, u: np.ndarray) -> float:
        """x'A y."""
        p = self.matrix.shape[0]
        return float(u[:p] @ (self.matrix @ u[p:]))

    @cached_property
    def scale(self) -> float:
        """The size of payoffs by which a gap is measured; see `payoff_scale`."""
        return payoff_scale(self.matrix)

    def digest(self) -> str:
        return "game"


@dataclass(frozen=True, eq=False)
class SequenceForm:
    """min_x max_y x'A y over { x >= 0, E x = e } and { y >= 0, F y = f }."""

    matrix: Any  # A, (p, q)
    E: Any  # (r, p)
    e: np.ndarray  # (r,)
    F: Any  # (s, q)
    f: np.ndarray  # (s,)

    def strategies(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(x, y) of u = (x, v, y, w)."""
        p, q = self.matrix.shape
        first = p + len(self.f)
        return u[:p], u[first : first + q]

    def value(self, u: np.ndarray) -> float:
        """x'A y."""
        x, y = self.strategies(u)
        return float(x @ (self.matrix @ y))

    @cached_property
    def scale(self) -> float:
        """x'|A| y, the size of what is paid, averaged over PLANS pairs of random vertices of the polytopes.

        The entries of A carry the probabilities of chance, so that their size alone says little."""
        from scipy.optimize import linprog

        rng = np.random.default_rng(0)
        means = []
        for matrix, rhs in ((self.E, self.e), (self.F, self.f)):
            costs = rng.uniform(0, 1, (PLANS, matrix.shape[1]))
            found = [linprog(cost, A_eq=matrix, b_eq=rhs, bounds=(0, None), method="highs").x for cost in costs]
            means.append(np.mean([plan for plan in found if plan is not None] or [np.zeros(len(costs[0]))], axis=0))
        size = float(means[0] @ (abs(self.matrix) @ means[1]))
        return size if size > 0 else payoff_scale(self.matrix)

    def digest(self) -> str:
        return f"sequence-form {self.matrix.shape}"


@dataclass(frozen=True, eq=False)
class LinearProgram:
    """min c'x + constant subject to row_lower <= A x <= row_upper, lower <= x <= upper; sides may be infinite."""

    c: np.ndarray  # (n,)
    A: Any  # (m, n)
    row_lower: np.ndarray  # (m,)
    row_upper: np.ndarray  # (m,)
    lower: np.ndarray  # (n,)
    upper: np.ndarray  # (n,)
    constant: float = 0.0
    columns: tuple[str, ...] = ()  # names of variables and rows, where a file gives them
    rows: tuple[str, ...] = ()
    maximize: bool = False  # the author's sense; c and constant are those of the minimization

    @cached_property
    def norms(self) -> tuple[np.ndarray, np.ndarray]:
        """Euclidean norms of the rows (m,) and columns (n,) of A."""
        squares = self.A * self.A
        rows, columns = (np.asarray(squares.sum(axis=axis), dtype=float).ravel() for axis in (1, 0))
        return np.sqrt(rows), np.sqrt(columns)

    def value(self, u: np.ndarray) -> float:
        """c'x + constant, in the author's sense."""
        value = float(self.c @ u[: len(self.c)]) + self.constant
        return -value if self.maximize else value

    def digest(self) -> str:
        return f"linear-program {self.constant!r} {self.maximize}"


def payoff_scale(matrix: Any) -> float:
    """Mean of |a - m| over the entries with a != m, m their median: what is at stake in a game of matrix A.

    It does not change when a constant is added to every payoff, follows their units, and a few huge entries do not
    move it. For entries in {-1, 0, 1} it is 1, for standard normal ones 0.8. A constant matrix has scale |m|, or 1.
    Of matrices with more than SAMPLE entries a fixed sample of so many is taken.
    """
    size = matrix.shape[0] * matrix.shape[1]
    if issparse(matrix):
        entries = _sample(matrix.data[matrix.data != 0])
        if 2 * matrix.nnz > size:
            return payoff_scale(matrix.toarray())
        return float(np.abs(entries).mean()) if len(entries) else 1.0
    entries = _sample(np.ravel(matrix))
    middle = float(np.median(entries))
    away = np.abs(entries - middle)
    away = away[away > 1e-14 * abs(middle)]
    return float(away.mean()) if len(away) else abs(middle) or 1.0


def _sample(entries: np.ndarray) -> np.ndarray:
    if len(entries) <= SAMPLE:
        return entries
    return entries[np.random.default_rng(0).integers(0, len(entries), SAMPLE)]
