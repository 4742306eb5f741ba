"""Games and linear programs in one form that LP codes take, and the way back.

    min c'x   s.t.  row_lower <= A x <= row_upper,  lower <= x <= upper;      multipliers y of L = c'x + y'(A x - side)

| problem | variables | rows |
|---|---|---|
| game min max x'A y | (x, t), cost t | A'x - t <= 0, sum x = 1; the multipliers of the first are y |
| sequence form | (x, v), cost -f'v | A'x + F'v <= 0, E x = e; the multipliers are y and w |
| linear program | as it is | as they are |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import block_array, csc_array, csr_array, hstack, vstack

from solverkit.errors import Unsuitable
from solverkit.kinds.base import Point
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.structure import Game, LinearProgram, SequenceForm


@dataclass(frozen=True)
class Program:
    """A linear program, and what its answer means for the problem."""

    c: np.ndarray  # (n,)
    A: csc_array  # (m, n)
    row_lower: np.ndarray
    row_upper: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    back: Callable[[np.ndarray, np.ndarray], np.ndarray]  # (x, y) -> u

    def point(self, problem: Inclusion, x: np.ndarray, y: np.ndarray) -> Point:
        """The problem's point of an answer."""
        return problem.blocks(self.back(np.clip(x, self.lower, self.upper), y))


def program_of(problem: Inclusion, method: str) -> Program:
    """The program that a problem is. Raises Unsuitable where it is none."""
    structure = problem.structure
    if isinstance(structure, Game):
        return _game(structure.matrix)
    if isinstance(structure, SequenceForm):
        return _sequence(structure)
    if isinstance(structure, LinearProgram):
        s = structure
        return Program(s.c, csc_array(s.A), s.row_lower, s.row_upper, s.lower, s.upper, _stacked)
    raise Unsuitable(
        f"method {method!r} solves games and linear programs; problem {problem.name!r} is of form {problem.form!r}. "
        f"See `solverkit methods`"
    )


def _stacked(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.concatenate([x, y])


def _game(A: Any) -> Program:
    p, q = A.shape
    rows = hstack([csr_array(A.T), csr_array(-np.ones((q, 1)))])
    total = csr_array(np.concatenate([np.ones(p), [0.0]])[None])
    infinite = np.inf

    def back(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.concatenate([_strategy(x[:p]), _strategy(y[:q])])

    return Program(
        c=np.concatenate([np.zeros(p), [1.0]]),
        A=csc_array(vstack([rows, total])),
        row_lower=np.concatenate([np.full(q, -infinite), [1.0]]),
        row_upper=np.concatenate([np.zeros(q), [1.0]]),
        lower=np.concatenate([np.zeros(p), [-infinite]]),
        upper=np.full(p + 1, infinite),
        back=back,
    )


def _strategy(v: np.ndarray) -> np.ndarray:
    """v without what its tolerance let it be: not negative, of sum 1."""
    v = np.maximum(v, 0.0)
    total = v.sum()
    return v / total if total > 0 else np.full(len(v), 1 / len(v))


def _sequence(s: SequenceForm) -> Program:
    p, q = s.matrix.shape
    r, k = len(s.e), len(s.f)
    A = block_array([[csr_array(s.matrix).T, csr_array(s.F).T], [csr_array(s.E), None]])
    return Program(
        c=np.concatenate([np.zeros(p), -s.f]),
        A=csc_array(A),
        row_lower=np.concatenate([np.full(q, -np.inf), s.e]),
        row_upper=np.concatenate([np.zeros(q), s.e]),
        lower=np.concatenate([np.zeros(p), np.full(k, -np.inf)]),
        upper=np.full(p + k, np.inf),
        back=lambda x, y: np.concatenate([np.maximum(x[:p], 0), x[p:], np.maximum(y[:q], 0), y[q : q + r]]),
    )
