"""Small problems of each form that `halpern` takes."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from solverkit.kinds.inclusion import game, inclusion, linear_program, saddle
from solverkit.kinds.inclusion.problem import Inclusion


def gaussian(p: int, q: int, seed: int) -> np.ndarray:
    """Standard normal payoffs."""
    return np.random.default_rng(seed).standard_normal((p, q))


def burglar(n: int, seed: int) -> np.ndarray:
    """Policeman and burglar (theta 0.8): what burglar i loses to the policeman at j."""
    houses = np.arange(n)
    wealth = np.abs(np.random.default_rng(seed).standard_normal(n))
    return wealth[:, None] * (1 - np.exp(-0.8 * np.abs(houses[:, None] - houses)))


def small_game() -> Inclusion:
    """A game that is not square."""
    return game(gaussian(12, 9, 3), name="gaussian")


def sparse_game() -> Inclusion:
    """Most payoffs are zero."""
    payoff = gaussian(15, 15, 4)
    return game(csr_array(np.where(np.abs(payoff) > 1, payoff, 0.0)), name="sparse")


def program() -> Inclusion:
    """Every kind of row and bound: the answer is (2, 1, -1), value -3."""
    return linear_program(
        [1.0, -2, 3],
        [[1.0, 1, 1], [1, -1, 0], [0, 1, 0]],
        [2.0, -5, -np.inf],
        [2.0, 1, 1],
        [-np.inf, 0, -1],
        [np.inf, np.inf, 4],
        name="program",
    )


def boxes() -> Inclusion:
    """A bilinear saddle over two boxes, with linear terms."""
    variables = {"shape": 3, "lower": -1, "upper": 1}
    return saddle({"x": variables}, {"y": variables}, "dot(x, y) + 0.3*sum(x) - 0.2*sum(y)", name="boxes")


def rotation() -> Inclusion:
    """Monotone, not cocoercive: a rotation and a little contraction, on a box."""
    data = {"M": np.array([[0.1, 1.0], [-1.0, 0.1]]), "b": np.array([0.3, 0.5])}
    return inclusion("M @ u - b", {"u": {"shape": 2, "lower": -5, "upper": 5}}, data=data, name="rotation")


def value_of(payoff: np.ndarray) -> float:
    """The value of a game by SciPy's linear programming."""
    p, q = payoff.shape
    found = linprog(
        np.append(np.zeros(p), 1.0),
        A_ub=np.column_stack([payoff.T, -np.ones(q)]),
        b_ub=np.zeros(q),
        A_eq=np.append(np.ones(p), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * p + [(None, None)],
    )
    return float(found.fun)


def least_value(problem: Inclusion) -> float:
    """The value of a linear program by SciPy."""
    s = problem.structure
    A = csr_array(s.A)
    above, below = np.isfinite(s.row_upper), np.isfinite(s.row_lower)
    found = linprog(
        s.c,
        A_ub=vstack([A[above], -A[below]]) if (above | below).any() else None,
        b_ub=np.concatenate([s.row_upper[above], -s.row_lower[below]]) if (above | below).any() else None,
        bounds=np.column_stack([s.lower, s.upper]),
    )
    assert found.status == 0, found.message
    return float(found.fun) + s.constant
