"""Small inclusions of every form whose answers are found without the code under test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import linprog

from solverkit.kinds.inclusion import (
    Inclusion,
    finite_sum,
    game,
    inclusion,
    linear_program,
    saddle,
    sequence_form,
)
from solverkit.kinds.inclusion.generators import kuhn_poker, quadratic_game


@dataclass(frozen=True)
class Case:
    """A problem, its only solution u, and how far a point is from solving it: 0 at u, in units of the data."""

    name: str
    problem: Inclusion
    u: np.ndarray
    error: Callable[[np.ndarray], float]


# -- games and linear programs, by linear programming


def equilibrium(A: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """(x, y, value) of min_x max_y x'A y on simplices, by one linear program for each player."""
    p, q = A.shape
    ones = np.ones
    first = linprog(
        np.append(np.zeros(p), 1.0),
        A_ub=np.hstack([A.T, -ones((q, 1))]),
        b_ub=np.zeros(q),
        A_eq=[np.append(ones(p), 0.0)],
        b_eq=[1.0],
        bounds=[(0, None)] * p + [(None, None)],
    )
    second = linprog(
        np.append(np.zeros(q), -1.0),
        A_ub=np.hstack([-A, ones((p, 1))]),
        b_ub=np.zeros(p),
        A_eq=[np.append(ones(q), 0.0)],
        b_eq=[1.0],
        bounds=[(0, None)] * q + [(None, None)],
    )
    return first.x[:p], second.x[:q], float(first.fun)


def game_case(scale: float = 1.0, shift: float = 0.0, seed: int = 3) -> Case:
    """A random 6 x 8 game."""
    A = np.random.default_rng(seed).standard_normal((6, 8))
    x, y, _ = equilibrium(A)

    def error(u: np.ndarray) -> float:
        x, y = u[:6], u[6:]
        broken = max(-u.min(), abs(x.sum() - 1), abs(y.sum() - 1))
        return max((x @ A).max() - (A @ y).min(), broken)

    return Case("game", game(scale * A + shift), np.concatenate([x, y]), error)


def kuhn_case() -> Case:
    """Kuhn poker, with multipliers from the linear programs of both players."""
    g = kuhn_poker()
    A, E, F = g["A"].toarray(), g["E"].toarray(), g["F"].toarray()
    p, q, r, s = *A.shape, len(E), len(F)
    least = linprog(  # min over x, v of -f'v with A'x + F'v <= 0: the best response of y, by its dual
        np.concatenate([np.zeros(p), -g["f"]]),
        A_ub=np.hstack([A.T, F.T]),
        b_ub=np.zeros(q),
        A_eq=np.hstack([E, np.zeros((r, s))]),
        b_eq=g["e"],
        bounds=[(0, None)] * p + [(None, None)] * s,
    )
    most = linprog(
        np.concatenate([np.zeros(q), g["e"]]),
        A_ub=np.hstack([-A, -E.T]),
        b_ub=np.zeros(p),
        A_eq=np.hstack([F, np.zeros((s, r))]),
        b_eq=g["f"],
        bounds=[(0, None)] * q + [(None, None)] * r,
    )

    def error(u: np.ndarray) -> float:
        x, y = u[:p], u[p + s : p + s + q]
        broken = max(-x.min(), -y.min(), np.abs(E @ x - g["e"]).max(), np.abs(F @ y - g["f"]).max())
        best = -linprog(-(A.T @ x), A_eq=F, b_eq=g["f"]).fun
        return max(best - linprog(A @ y, A_eq=E, b_eq=g["e"]).fun, broken)

    problem = sequence_form(A, E, g["e"], F, g["f"])
    return Case("sequence-form", problem, np.concatenate([least.x, most.x]), error)


def program_case(seed: int = 0, unit: float = 1.0, cost: float = 1.0, n: int = 8, m: int = 6) -> Case:
    """A random linear program with ranges, an equality, a free row and mixed bounds; x in units of `unit`."""
    rng = np.random.default_rng(seed)
    A, inner = rng.standard_normal((m, n)), rng.uniform(0.2, 0.8, n)
    activity = A @ inner
    low, high = activity - rng.uniform(0.1, 1, m), activity + rng.uniform(0.1, 1, m)
    low[0] = high[0] = activity[0]
    low[1], high[1] = -np.inf, np.inf
    high[2] = np.inf
    lower, upper = np.zeros(n), np.ones(n)
    upper[0], lower[1] = np.inf, -1.0
    c = rng.standard_normal(n)
    c[0] = abs(c[0])
    found = linprog(
        c,
        A_ub=np.vstack([A[1:], -A[1:]])[np.isfinite(np.concatenate([high[1:], -low[1:]]))],
        b_ub=np.concatenate([high[1:], -low[1:]])[np.isfinite(np.concatenate([high[1:], -low[1:]]))],
        A_eq=A[:1],
        b_eq=high[:1],
        bounds=np.column_stack([lower, upper]),
    )
    assert found.status == 0
    finite = np.flatnonzero(np.isfinite(np.concatenate([high[1:], -low[1:]])))
    y = np.zeros(m)
    y[0] = -found.eqlin.marginals[0]
    for k, marginal in zip(finite, found.ineqlin.marginals, strict=True):
        y[1 + k % (m - 1)] += -marginal if k < m - 1 else marginal
    problem = linear_program(cost * c, A, unit * low, unit * high, unit * lower, unit * upper, name=f"program-{seed}")

    def error(u: np.ndarray) -> float:
        x, y = u[:n] / unit, u[n:] / cost
        r = c + A.T @ y
        parts = [np.maximum(low - A @ x, A @ x - high), lower - x, x - upper]
        parts += [np.where(np.isinf(upper), -r, 0), np.where(np.isinf(high), y, 0), np.where(np.isinf(low), -y, 0)]
        with np.errstate(invalid="ignore"):
            dual = np.nansum(np.where(r > 0, r * lower, r * upper)) - np.nansum(np.where(y > 0, y * high, y * low))
        gap = abs(c @ x - dual) if np.isfinite(dual) else 0.0
        return max(gap, *(float(part.max()) for part in parts))

    return Case("linear-program", problem, np.concatenate([unit * found.x, cost * y]), error)


# -- affine inequalities on boxes, by trying every active set


def on_box(M: np.ndarray, q: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """The u in [lower, upper] with M u + q normal to the box at u. O(3^N N^3)."""
    for sides in product((0, 1, 2), repeat=len(q)):
        side = np.array(sides)
        u = np.where(side == 1, lower, np.where(side == 2, upper, 0.0))
        free = side == 0
        if not np.isfinite(u).all():
            continue
        if free.any():
            u[free] = np.linalg.solve(M[np.ix_(free, free)], -(q + M @ u)[free])
        F = M @ u + q
        inside = np.all(u >= lower - 1e-12) and np.all(u <= upper + 1e-12)
        if inside and np.all(F[side == 1] >= -1e-12) and np.all(F[side == 2] <= 1e-12):
            return u
    raise AssertionError("no solution")


def distance_case(name: str, problem: Inclusion, u: np.ndarray) -> Case:
    """A strongly monotone problem: the error is the distance to the solution."""
    return Case(name, problem, u, lambda v: float(np.abs(v - u).max()))


def saddle_case(scale: float = 1.0) -> Case:
    """A quadratic saddle problem on boxes."""
    rng = np.random.default_rng(5)
    P, Q, B = rng.standard_normal((3, 2, 2))
    P, Q = P @ P.T + 0.2 * np.eye(2), Q @ Q.T + 0.2 * np.eye(2)
    c, d = 2 * rng.standard_normal((2, 2))
    M = np.block([[P, B], [-B.T, Q]])
    u = on_box(M, np.concatenate([c, d]), np.array([0.0, 0, -1, -1]), np.array([np.inf, 2, 1, 1]))
    problem = saddle(
        {"x": {"shape": 2, "lower": 0, "upper": [np.inf, 2.0]}},
        {"y": {"shape": 2, "lower": -1, "upper": 1}},
        "s*(0.5*dot(x, P @ x) + dot(x, B @ y) + dot(c, x) - 0.5*dot(y, Q @ y) - dot(d, y))",
        data={"P": P, "Q": Q, "B": B, "c": c, "d": d},
        parameters={"s": scale},
    )
    return distance_case("saddle", problem, u)


def operator_case(scale: float = 1.0) -> Case:
    """A cubic and a skew part: roots by NumPy."""
    problem = inclusion(
        {"x": "s*(x + x**3 - 3*y)", "y": "s*(sum(3*x) + 2*y - 1)"},
        {"x": {"shape": 2, "lower": 0}, "y": {"shape": (), "upper": 5}},
        parameters={"s": scale},
        name="operator",
    )
    # x1 = x2 = t by symmetry, y = (1 - 6 t) / 2, t + t^3 - 3 y = 0
    roots = np.roots([1, 0, 10, -1.5])
    t = float(roots[np.abs(roots.imag) < 1e-9].real[0])
    return distance_case("operator", problem, np.array([t, t, (1 - 6 * t) / 2]))


def stiff_case() -> Case:
    """Two coordinates whose units differ by a million: each has a scale of its own."""
    problem = inclusion("k*(u - 1)", {"u": {"shape": 2}}, data={"k": [1e6, 1.0]})
    return distance_case("stiff", problem, np.ones(2))


def ball_case() -> Case:
    """A rotation and a pull towards a point outside of a ball, whose solution is by Newton on its multiplier."""
    M, q = np.array([[1.0, 2.0], [-2.0, 1.0]]), np.array([-3.0, 1.0])
    low, high = 0.0, 10.0
    for _ in range(200):
        middle = (low + high) / 2
        u = np.linalg.solve(M + middle * np.eye(2), -q)
        low, high = (middle, high) if np.linalg.norm(u) > 0.5 else (low, middle)
    form = {"u": {"shape": 2, "set": {"ball": {"radius": 0.5}}}}
    return distance_case("ball", inclusion("M @ u + q", form, data={"M": M, "q": q}), u)


def sum_case() -> Case:
    """Least squares against a player who raises the price of one direction, by samples: affine, solved directly."""
    rng = np.random.default_rng(1)
    X, b, d = rng.standard_normal((30, 3)), rng.standard_normal(30), rng.standard_normal((30, 3))
    problem = finite_sum(
        minimize={"w": {"shape": 3}},
        maximize={"y": {"shape": ()}},
        samples={"a": X, "b": b, "d": d},
        function="0.5*(dot(a, w) - b)**2 + y*(dot(d, w) - 1) - 0.5*y**2",
    )
    mean = d.mean(axis=0)
    M = np.block([[X.T @ X / 30, mean[:, None]], [-mean[None, :], np.ones((1, 1))]])
    return distance_case("finite-sum", problem, np.linalg.solve(M, np.append(X.T @ b / 30, -1.0)))


def matrices_case() -> Case:
    """The quadratic game as a mean of matrices, on a box."""
    g = quadratic_game(count=20, size=2, seed=2)
    lower, upper = np.full(4, -0.5), np.full(4, 0.5)
    u = on_box(g["M"].mean(axis=0), g["q"].mean(axis=0), lower, upper)
    problem = finite_sum(
        variables={"u": {"shape": 4, "lower": -0.5, "upper": 0.5}},
        data={"M": g["M"], "q": g["q"]},
        matrices={"matrices": "M", "offsets": "q"},
    )
    return distance_case("matrices", problem, u)


CASES = [
    game_case(),
    kuhn_case(),
    program_case(),
    saddle_case(),
    operator_case(),
    stiff_case(),
    ball_case(),
    sum_case(),
    matrices_case(),
]
