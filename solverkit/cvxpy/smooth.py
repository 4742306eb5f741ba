"""A CVXPY problem of smooth atoms as a nonlinear problem of ours, and its answer back.

    min f(x)   s.t.   affine rows, by their matrix;   g(x) <= 0, convex and smooth;   ||u(x)|| <= t(x)

| second-order cone | rows | multiplier of the cone, from mu and nu |
|---|---|---|
| t constant | u'u - t**2 <= 0 | (2 mu t, -2 mu u) |
| t affine | u'u / t - t <= 0, -t <= 0 | (mu (u'u / t**2 + 1) + nu, -2 mu u / t) |

Both are convex; u'u <= t**2 with a variable t is not, and would look so to second-order tests. norm(u) <= t is such a
cone, with the multiplier 2 mu t or 2 mu. Domains that atoms ask for (log(u): u >= 0) are rows too, where they are
affine; they have no multiplier in CVXPY.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from solverkit.cvxpy.affine import coefficients
from solverkit.cvxpy.atoms import REMEDY, Atoms, block_shape, plus
from solverkit.cvxpy.bounds import Split, split
from solverkit.cvxpy.epigraphs import Smoothed
from solverkit.cvxpy.program import row_and_bound_multipliers
from solverkit.cvxpy.start import inside
from solverkit.errors import UsageError
from solverkit.expressions.compile import compile_function
from solverkit.expressions.tree import Chain, Negative, Number, Power, Tree
from solverkit.formats.nl.problem import NlProblem
from solverkit.kinds.base import Block, Point
from solverkit.kinds.nonlinear.affine import Affine, densified
from solverkit.kinds.nonlinear.problem import RESERVED
from solverkit.kinds.nonlinear.rows import Part, joined

ROWS = ("Inequality", "NonPos", "NonNeg", "Equality", "Zero")


@dataclass(frozen=True, eq=False)
class Cone:
    """Where the multipliers of a second-order cone are: mu among the curved rows, nu among the affine ones."""

    constraint: Any
    curved: slice
    affine: slice | None  # None where t is constant

    def dual(self, curved: np.ndarray, affine: np.ndarray) -> np.ndarray:
        """(count, 1 + length), a cone a row, as CVXPY's solvers give it. The variables have their values."""
        t, u = members(self.constraint)
        mu = curved[self.curved]
        heights = np.broadcast_to(np.asarray(t.value, dtype=float).ravel(), mu.shape)
        columns = np.asarray(u.value, dtype=float).reshape(-1, len(mu), order="F")
        if self.affine is None:
            return np.vstack([2 * mu * heights, -2 * mu * columns]).T
        slopes = columns / np.where(heights > 0, heights, np.inf)
        return np.vstack([mu * ((slopes**2).sum(axis=0) + 1) + affine[self.affine], -2 * mu * slopes]).T


@dataclass(frozen=True, eq=False)
class Smooth:
    """The problem, and where CVXPY's variables and constraints are in it."""

    problem: NlProblem
    smoothed: Smoothed
    names: dict[int, tuple[str, tuple[int, ...]]]  # id of a variable -> (block, its shape)
    affine: tuple[tuple[int, slice, tuple[int, ...]], ...]  # (id of a constraint, its affine rows, its shape)
    curved: tuple[tuple[int, slice, tuple[int, ...]], ...]  # the same of those that are not affine
    cones: tuple[Cone, ...]
    rows: Split  # of the affine rows

    def primal(self, point: Point) -> dict[int, np.ndarray]:
        """Values by the id of the variable."""
        return {key: np.asarray(point[name]).reshape(shape) for key, (name, shape) in self.names.items()}

    def duals(self, point: Point, seed: int) -> dict[int, np.ndarray]:
        """Multipliers by the id of the constraint, in CVXPY's signs. The variables have their values."""
        y, z = row_and_bound_multipliers(self.problem, point, seed)
        kept = len(self.rows.kept)
        affine, curved = self.rows.multipliers(y[:kept], z), y[kept:]
        found = {key: affine[at].reshape(shape) for key, at, shape in self.affine}
        found |= {key: curved[at].reshape(shape) for key, at, shape in self.curved}
        return found | {cone.constraint.id: cone.dual(curved, affine) for cone in self.cones}


def smooth(smoothed: Smoothed, name: str, maximize: bool) -> Smooth:
    """The nonlinear problem. UsageError names an atom or a constraint that has no place in it."""
    return _Writer(smoothed).problem(name, maximize)


class _Writer:
    """Gathers rows."""

    def __init__(self, smoothed: Smoothed) -> None:
        self.smoothed, model = smoothed, smoothed.problem
        self.model = model
        self.names = block_names(model.variables())
        self.atoms = Atoms(self.names)
        self.matrices: list[csr_array] = []
        self.lower: list[np.ndarray] = []
        self.upper: list[np.ndarray] = []
        self.trees: list[Tree] = []
        self.lengths: list[int] = []
        self.affine: list[tuple[int, slice, tuple[int, ...]]] = []
        self.curved: list[tuple[int, slice, tuple[int, ...]]] = []
        self.cones: list[Cone] = []

    def problem(self, name: str, maximize: bool) -> Smooth:
        model = self.model
        objective = self.atoms.vector(model.objective.expr)
        data = dict(self.atoms.data)
        expressions = [model.objective.expr, *(arg for part in model.constraints for arg in part.args)]
        for e in expressions:
            for room in e.domain:
                if type(room).__name__ in ROWS and room.args[-1].variables() and _difference(room).is_affine():
                    self._affine_rows(room)  # first: a user's own bound of the same size then gets the multiplier
        for constraint in model.constraints:
            self._constraint(constraint)
        sizes = {key: int(np.prod(shape, dtype=int)) for key, (_, shape) in self.names.items()}
        n, m = sum(sizes.values()), sum(len(side) for side in self.lower)
        A = csr_array(vstack(self.matrices)) if self.matrices else csr_array((0, n))
        lower, upper = (np.concatenate([np.zeros(0), *sides]) for sides in (self.lower, self.upper))
        rows = split(A, lower, upper, *self._box())
        shapes = {block: block_shape(shape) for block, shape in self.names.values()}
        parts = []
        if len(rows.kept):
            function: Any = densified(Affine(A[rows.kept]))
            names = tuple(f"row[{row}]" for row in rows.kept)
            parts.append(Part(function, lower[rows.kept], upper[rows.kept], names))
        if self.trees:
            function = compile_function(self.trees, shapes, self.atoms.data)
            count = sum(self.lengths)
            names = tuple(f"row[{m + k}]" for k in range(count))
            parts.append(Part(function, np.full(count, -np.inf), np.zeros(count), names))
        constraints, low, high, names = joined(parts, n)
        problem = NlProblem(
            name=name,
            variables=tuple(Block(block, shape, np.zeros(shape)) for block, shape in shapes.items()),
            objective_function=compile_function(objective, shapes, data),
            constraint_function=constraints,
            lower=low,
            upper=high,
            lowest=rows.lowest,
            highest=rows.highest,
            row_names=names,
            maximize=maximize,
        )
        return Smooth(
            inside(problem, A, lower, upper, bool(self.cones)),
            self.smoothed,
            self.names,
            tuple(self.affine),
            tuple(self.curved),
            tuple(self.cones),
            rows,
        )

    def _constraint(self, constraint: Any) -> None:
        kind = type(constraint).__name__
        if kind == "SOC":
            self._cone(constraint)
        elif kind not in ROWS:
            raise UsageError(f"the constraint {str(constraint)[:80]} is a cone ({kind}) that no kind has: {REMEDY}")
        elif _difference(constraint).is_affine():
            self.affine.append((constraint.id, self._affine_rows(constraint), constraint.shape))
        elif kind in ("Equality", "Zero"):
            raise UsageError(f"the equality {str(constraint)[:80]} is not affine, so that the problem is not convex")
        else:
            sides = constraint.args if len(constraint.args) == 2 else (constraint.args[0], None)
            tree = self._difference_tree(sides, kind, constraint.size)
            self.curved.append((constraint.id, self._rows(tree, constraint.size), constraint.shape))

    def _difference_tree(self, sides: Any, kind: str, size: int) -> Tree:
        """left - right as a vector of `size` elements; a number on one side is stretched."""
        parts = []
        for sign, side in zip((1, -1), sides, strict=True):
            if side is None or (side.is_constant() and not np.any(side.value)):
                continue
            part = self.atoms.vector(side if side.size == size else cp.promote(side, _shape_of(sides, size)))
            parts.append(part if sign > 0 else Negative(part))
        tree = plus(parts)
        return Negative(tree) if kind == "NonNeg" else tree

    def _rows(self, tree: Tree, count: int) -> slice:
        first = sum(self.lengths)
        self.trees.append(tree)
        self.lengths.append(count)
        return slice(first, first + count)

    def _affine_rows(self, constraint: Any) -> slice:
        """Rows of an affine constraint, for the side of CVXPY's expression."""
        kind, e = type(constraint).__name__, _difference(constraint)
        return self._linear(-e if kind == "NonNeg" else e, kind in ("Equality", "Zero"))

    def _linear(self, e: Any, equality: bool) -> slice:
        """e <= 0, or e == 0."""
        matrices, shift = coefficients(e)
        sizes = [(key, int(np.prod(shape, dtype=int))) for key, (_, shape) in self.names.items()]
        blocks = [matrices.get(key, csr_array((e.size, size))) for key, size in sizes]
        first = sum(len(side) for side in self.lower)
        self.matrices.append(csr_array(hstack(blocks)))
        self.upper.append(-shift + 0.0)
        self.lower.append(-shift + 0.0 if equality else np.full(e.size, -np.inf))
        return slice(first, first + e.size)

    def _cone(self, constraint: Any) -> None:
        t, u = members(constraint)
        count = int(t.size)
        squares = Power(self.atoms.vector(u), Number(2.0))
        index = np.arange(int(u.size)).reshape(u.shape)  # rows first
        places = index.reshape(-1, count) if count > 1 else index.reshape(-1, 1)
        lines = np.broadcast_to(np.arange(count), places.shape)
        total = csr_array((np.ones(u.size), (lines.ravel(), places.ravel())), shape=(count, int(u.size)))
        lengths, height = self.atoms.product(total, squares), self.atoms.vector(t)
        if t.is_constant() and np.all(np.asarray(t.value) >= 0):
            tree = Chain(lengths, (("-", Power(height, Number(2.0))),))
            self.cones.append(Cone(constraint, self._rows(tree, count), None))
            return
        tree = Chain(Chain(lengths, (("/", height),)), (("-", height),))
        curved = self._rows(tree, count)
        self.cones.append(Cone(constraint, curved, self._linear(-t, equality=False)))

    def _box(self) -> tuple[np.ndarray, np.ndarray]:
        """Bounds by the variables' attributes, elements rows first."""
        low, high = [np.zeros(0)], [np.zeros(0)]
        for variable in self.model.variables():
            given = variable.attributes
            sides = [np.full(variable.size, -np.inf), np.full(variable.size, np.inf)]
            if given.get("bounds") is not None:
                sides = [
                    np.array(np.broadcast_to(_fixed(side), variable.shape), dtype=float).ravel()
                    for side in given["bounds"]
                ]
            if given["nonneg"] or given["pos"]:
                sides[0] = np.maximum(sides[0], 0.0)
            if given["nonpos"] or given["neg"]:
                sides[1] = np.minimum(sides[1], 0.0)
            low.append(sides[0])
            high.append(sides[1])
        return np.concatenate(low), np.concatenate(high)


def _difference(constraint: Any) -> Any:
    """left - right of an (in)equality, the argument of the others."""
    args = constraint.args
    return args[0] - args[1] if len(args) == 2 else args[0]


def members(constraint: Any) -> tuple[Any, Any]:
    """(t, u) of a second-order cone, its vectors in the columns of u."""
    t, u = constraint.args
    return t, u.T if constraint.axis == 1 else u


def _shape_of(sides: Any, size: int) -> tuple[int, ...]:
    return next(tuple(side.shape) for side in sides if side is not None and side.size == size)


def _fixed(side: Any) -> Any:
    """A bound, which may be an expression of parameters."""
    value = side.value if hasattr(side, "value") else side
    return value.toarray() if hasattr(value, "toarray") else value


def block_names(variables: list[Any]) -> dict[int, tuple[str, tuple[int, ...]]]:
    """{id: (name of the block, shape)}: the user's names where they can be ours, x, x_1, ... elsewhere."""
    names: dict[int, tuple[str, tuple[int, ...]]] = {}
    taken = set(RESERVED)
    for variable in variables:
        given = variable.name()
        own = given.isidentifier() and given not in taken and given != f"var{variable.id}"
        count, name = 0, given if own else "x"
        while name in taken:
            count += 1
            name = f"x_{count}"
        taken.add(name)
        names[variable.id] = (name, tuple(variable.shape))
    return names
