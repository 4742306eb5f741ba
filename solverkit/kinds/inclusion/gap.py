"""Exact duality gaps of games, in float64 from the matrix alone.

For strategies x and y, the value of the game lies between what each can secure,

    min_x' x'A y  <=  value  <=  max_y' x'A y',        gap = the difference,

so a gap is a proof, whatever method made the strategies. They are first made feasible, exactly up to rounding: what
that moves is the violation, and the gap is that of the feasible ones.

| strategies | made feasible by | best responses |
|---|---|---|
| simplex | clip at 0, then divide by the sum | the largest entry of A'x, the least of A y |
| { x >= 0, E x = e } | the nearest point in the 1-norm, a linear program | a linear program each |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import block_array, csr_array

from solverkit.kinds.inclusion.structure import Game, SequenceForm


@dataclass(frozen=True)
class Bracket:
    """What the two strategies prove of the value."""

    lower: float  # what y secures
    upper: float  # what x secures
    violation: float  # how far the strategies were from feasible ones, relative

    @property
    def gap(self) -> float:
        """upper - lower, not below 0 but for rounding; NaN where one of them is."""
        return float(np.maximum(self.upper - self.lower, 0.0))


def game_bracket(game: Game, u: np.ndarray) -> Bracket:
    """Of two mixed strategies; NaN where one has no positive entry."""
    p = game.matrix.shape[0]
    (x, one), (y, two) = _mixed(u[:p]), _mixed(u[p:])
    return Bracket(float((game.matrix @ y).min()), float((game.matrix.T @ x).max()), max(one, two))


def _mixed(x: np.ndarray) -> tuple[np.ndarray, float]:
    """(a strategy in the simplex, the larger of the most negative entry and the error of the sum)."""
    positive = np.maximum(x, 0.0)
    total = float(positive.sum())
    violation = max(float((-x).max(initial=0.0)), abs(float(x.sum()) - 1), abs(total - 1))
    return (positive / total if total > 0 else np.full_like(x, np.nan)), violation


def sequence_bracket(game: SequenceForm, u: np.ndarray) -> Bracket:
    """Of two realization plans. ValueError where a linear program has no answer, as over an unbounded polytope."""
    x, y = game.strategies(u)
    (x, one), (y, two) = _plan(x, game.E, game.e), _plan(y, game.F, game.f)
    upper = -_least(-(game.matrix.T @ x), game.F, game.f)
    return Bracket(_least(game.matrix @ y, game.E, game.e), upper, max(one, two))


def _least(cost: np.ndarray, E: Any, e: np.ndarray) -> float:
    """min cost'x over { x >= 0, E x = e }."""
    from scipy.optimize import linprog

    size = float(np.abs(cost).max(initial=0.0)) or 1.0
    found = linprog(cost / size, A_eq=E, b_eq=e, bounds=(0, None), method="highs")
    if found.status != 0:
        raise ValueError(f"a best response cannot be found: {found.message}")
    return float(found.fun) * size


def _plan(x: np.ndarray, E: Any, e: np.ndarray) -> tuple[np.ndarray, float]:
    """(the nearest point of { x >= 0, E x = e } in the 1-norm, its largest distance relative to 1 + max |x|)."""
    from scipy.optimize import linprog

    positive = np.maximum(x, 0.0)
    size = 1 + float(np.abs(x).max(initial=0.0))
    short = e - E @ positive
    reach = np.abs(csr_array(E)) @ positive + np.abs(e) + 1
    moved = float((-x).max(initial=0.0))
    if np.all(np.abs(short) <= 1e-14 * reach):
        return positive, moved / size
    n = len(x)
    equations = block_array([[csr_array(E), -csr_array(E)]])
    bounds = np.column_stack([np.zeros(2 * n), np.concatenate([np.full(n, np.inf), positive])])
    unit = float(np.abs(short).max())  # the moves in units of what is missing, so that small ones are exact too
    bounds[:, 1] /= unit
    found = linprog(np.ones(2 * n), A_eq=equations, b_eq=short / unit, bounds=bounds, method="highs")
    if found.status != 0:
        raise ValueError(f"no strategy is near the point: {found.message}")
    step = unit * (found.x[:n] - found.x[n:])
    return np.maximum(positive + step, 0.0), max(moved, float(np.abs(step).max())) / size
