"""Linear and quadratic programs in CVXPY's own matrices, as problems of ours, and answers back in its order.

    min x'P x / 2 + q'x + r   s.t.   A x = b,   F x <= g,   lower <= x <= upper

is what CVXPY hands to solvers of quadratic programs. P = 0 is a linear program of the kind `inclusion`; anything is
one of the kind `nonlinear`. Multipliers y of L = f + y'(A x - b) + w'(F x - g) have the same signs in CVXPY and here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack

from solverkit.cvxpy.bounds import Split, split
from solverkit.errors import UsageError
from solverkit.formats.nl.problem import NlProblem
from solverkit.kinds.base import Block, Point, Problem
from solverkit.kinds.inclusion.build import linear_program
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.rays import INFEASIBILITY, UNBOUNDEDNESS
from solverkit.kinds.nonlinear.affine import Affine
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import least_squares, of_point
from solverkit.kinds.nonlinear.problem import FARKAS, RAY, Nonlinear
from solverkit.kinds.nonlinear.quadratic import Quadratic

ACTIVE = 1e-5
"""Scaled distance to a bound within which a row is active, for multipliers that a method does not give."""


@dataclass(frozen=True, eq=False)
class Program:
    """A problem, and what its rows and bounds were before."""

    problem: Problem
    rows: Split
    constant: float  # r
    sign: float  # -1 where the user's objective is the negative of f

    def value(self, point: Point) -> float:
        """f without its constant, at a point."""
        return self.sign * self.problem.objective(point) - self.constant

    def x(self, point: Point) -> np.ndarray:
        """(n,)"""
        return np.asarray(point["x"], dtype=float).ravel()

    def multipliers(self, point: Point, seed: int) -> np.ndarray:
        """Of the rows of A, then of F, (m,)."""
        if isinstance(self.problem, Inclusion):
            program: Any = self.problem.structure
            y = np.asarray(point["y"], dtype=float)
            return self.rows.multipliers(y[: len(self.rows.kept)], -(program.c + program.A.T @ y))
        assert isinstance(self.problem, Nonlinear)
        return self.rows.multipliers(*row_and_bound_multipliers(self.problem, point, seed))

    def farkas(self, point: Point) -> np.ndarray | None:
        """The same of a proof of infeasibility, where the point holds one: A'y + F'w = 0, b'y + g'w < 0, w >= 0."""
        name, matrix = self._proof(INFEASIBILITY, FARKAS)
        if name not in point:
            return None
        y = np.asarray(point[name], dtype=float)
        return self.rows.multipliers(y[: len(self.rows.kept)], -(matrix.T @ y))

    def ray(self, point: Point) -> np.ndarray | None:
        """(n,), a direction of a proof of unboundedness, where the point holds one."""
        name = self._proof(UNBOUNDEDNESS, RAY)[0]
        return np.asarray(point[name], dtype=float) if name in point else None

    def _proof(self, linear: str, other: str) -> tuple[str, Any]:
        problem: Any = self.problem
        if isinstance(problem, Inclusion):
            structure: Any = problem.structure
            return linear, structure.A
        rows = problem.constraint_function
        return other, csr_array((0, problem.n)) if rows is None else rows.A


def row_and_bound_multipliers(problem: Nonlinear, point: Point, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(y (m,), z (n,)): those of the answer, by least squares as in the certificate where the method gives none."""
    local = Local(problem, problem.flat(point), seed)
    found = of_point(local, point) or least_squares(local, ACTIVE)
    return found.y, found.z


def program(data: Mapping[str, Any], constant: float, kind: str, name: str, maximize: bool = False) -> Program:
    """The problem of the data that CVXPY's QpSolver.apply returns.

    constant : r, which CVXPY keeps apart
    kind : "inclusion" or "nonlinear"
    maximize : the user's objective is the negative

    Raises UsageError for a quadratic objective where `kind` has none."""
    P, q = csr_array(data["P"]), np.asarray(data["q"], dtype=float)
    A, b, F, g = data["A"], data["b"], data["F"], data["G"]
    matrix = csr_array(vstack([csr_array(A), csr_array(F)]))
    lower = np.concatenate([b, np.full(len(g), -np.inf)])
    upper = np.concatenate([b, g]).astype(float)
    lowest, highest = (_side(data.get(key), len(q), sign) for key, sign in (("lower_bounds", -1), ("upper_bounds", 1)))
    rows = split(matrix, lower, upper, lowest, highest)
    kept = csr_array(matrix[rows.kept])
    sides = lower[rows.kept], upper[rows.kept]
    sign = -1.0 if maximize else 1.0
    if kind == "inclusion":
        if P.count_nonzero():
            raise UsageError("the objective is quadratic, and the method for linear programs: take another")
        if not len(rows.kept):  # bounds alone: the kind wants a row, and 0'x <= inf is one
            kept, sides = csr_array((1, len(q))), (np.array([-np.inf]), np.array([np.inf]))
        problem: Problem = linear_program(
            sign * q, kept, *sides, rows.lowest, rows.highest, sign * constant, maximize=maximize, name=name
        )
        return Program(problem, rows, constant, sign)
    start = np.clip(np.zeros(len(q)), rows.lowest, rows.highest)
    return Program(
        NlProblem(
            name=name,
            variables=(Block("x", (len(q),), start),),
            objective_function=Quadratic(P, q, constant),
            constraint_function=Affine(kept) if len(rows.kept) else None,
            lower=sides[0],
            upper=sides[1],
            lowest=rows.lowest,
            highest=rows.highest,
            row_names=tuple(f"row[{row}]" for row in rows.kept),
            maximize=maximize,
        ),
        rows,
        constant,
        sign,
    )


def _side(given: Any, n: int, sign: int) -> np.ndarray:
    """Bounds on one side, (n,), infinite where there are none."""
    return np.full(n, sign * np.inf) if given is None else np.array(np.broadcast_to(given, (n,)), dtype=float)
