"""Constrained nonlinear problems.

    min_x f(x)   s.t.   lower <= c(x) <= upper,   lowest <= x <= highest

with the Lagrangian  L(x, y, z) = f(x) + y'c(x) + z'x.  A multiplier y_i is >= 0 where c_i meets its upper bound, <= 0
where it meets its lower one, 0 where it meets neither, and free for an equality (lower_i = upper_i); z likewise for the
bounds on x. A point may carry them as the blocks `MULTIPLIERS` and `BOUND_MULTIPLIERS`; they are a suggestion, which
the certificate checks like everything else.

Oracles take the flat vector x, blocks in the order of the file, each ravelled in C order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from solverkit.kinds.base import Block, Point, Problem, Weighted, flat_vector, named_blocks

if TYPE_CHECKING:
    from solverkit.expressions.function import Function

MULTIPLIERS = "multipliers"
"""Name of the point's block of y, (m,)."""

BOUND_MULTIPLIERS = "bound_multipliers"
"""Name of the point's block of z, (n,)."""

FARKAS = "farkas"
"""Name of the point's block of a proof of infeasibility, (m,): weights of the rows, see `infeasibility.py`."""

RAY = "ray"
"""Name of the point's block of a proof of unboundedness, (n,): a direction, see `infeasibility.py`."""

RESERVED = frozenset({MULTIPLIERS, BOUND_MULTIPLIERS, FARKAS, RAY})
"""Names that no variable may have."""

ONE = np.ones(1)

Matrix: TypeAlias = Any
"""csr_array or ndarray, as the function that it comes from says; both know `@` and `.T`."""


@dataclass(frozen=True, eq=False)
class Nonlinear(Problem):
    """An immutable nonlinear problem; see the module for the form.

    `objective_function` has one output, `constraint_function` m of them, or is None where m = 0. Both are `Function`s
    (`expressions/function.py`), except that `jacobian` and `hessian` may return dense arrays, and that a function
    which has products with its Hessian but no Hessian says so by `products_only = True`.
    """

    kind: ClassVar[str] = "nonlinear"
    oracles: ClassVar[Mapping[str, str | Weighted]] = {
        "value": "nfev",
        "gradient": "njev",
        "constraints": "ncev",
        "jacobian": "njev",
        "dense_jacobian": "njev",
        "vjp": "njev",
        "jvp": "njev",
        "hessian": "nhev",
        "dense_hessian": "nhev",
        "hvp": "nhvp",
        "hessian_diagonal": "nhvp",
    }

    name: str
    variables: tuple[Block, ...]
    objective_function: Function
    constraint_function: Function | None
    lower: np.ndarray  # (m,) of c, -inf where open
    upper: np.ndarray  # (m,) of c, +inf where open
    lowest: np.ndarray  # (n,) of x
    highest: np.ndarray  # (n,) of x
    row_names: tuple[str, ...] = ()  # (m,) `balance` or `balance[3]`
    differences: tuple[str, ...] = ()  # which derivatives are finite differences, as the user asked: "gradient", ...
    expect: Mapping[str, Any] = field(default_factory=dict)

    # -- sizes and blocks

    @cached_property
    def n(self) -> int:
        """Length of x."""
        return sum(block.size for block in self.variables)

    @property
    def m(self) -> int:
        """Number of rows of c."""
        return len(self.lower)

    def flat(self, point: Point) -> np.ndarray:
        """x of a point, (n,) float64. KeyError names a missing block, ValueError one of a wrong shape."""
        return flat_vector(self.variables, point, self.name)

    def blocks(self, x: np.ndarray) -> Point:
        """Named blocks of x: the inverse of `flat`, copies."""
        return named_blocks(self.variables, x)

    # -- oracles

    def value(self, x: np.ndarray) -> float:
        """f(x)."""
        return float(self.objective_function.value(x)[0])

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """grad f, (n,)."""
        return self.objective_function.gradient(x)

    def constraints(self, x: np.ndarray) -> np.ndarray:
        """c(x), (m,)."""
        return np.zeros(0) if self.constraint_function is None else self.constraint_function.value(x)

    def jacobian(self, x: np.ndarray) -> Matrix:
        """J = dc/dx, (m, n), sparse or dense; the sparsity pattern is the same at every x."""
        if self.constraint_function is None:
            return csr_array((0, self.n))
        return self.constraint_function.jacobian(x)

    def vjp(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """J'y, (n,), without forming J."""
        return np.zeros(self.n) if self.constraint_function is None else self.constraint_function.vjp(x, y)

    def jvp(self, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """J d, (m,), without forming J."""
        return np.zeros(0) if self.constraint_function is None else self.constraint_function.jvp(x, direction)

    def hessian(self, x: np.ndarray, y: np.ndarray, weight: float = 1.0) -> Matrix:
        """weight Hess f + sum_i y_i Hess c_i, (n, n), both triangles; sparse unless a part is dense."""
        objective = self.objective_function.hessian(x, weight * ONE)
        if self.constraint_function is None or self.affine:
            return objective
        return objective + self.constraint_function.hessian(x, y)

    def dense_jacobian(self, x: np.ndarray) -> np.ndarray:
        """J as an ndarray, (m, n): much cheaper than `jacobian` on small problems from expressions."""
        function = self.constraint_function
        fast = getattr(function, "dense_jacobian", None)
        return _dense(self.jacobian(x)) if fast is None else fast(x)

    def dense_hessian(self, x: np.ndarray, y: np.ndarray, weight: float = 1.0) -> np.ndarray:
        """`hessian` as an ndarray, (n, n): the same for small problems."""
        total = _dense_hessian(self.objective_function, x, weight * ONE)
        if self.constraint_function is None or self.affine:
            return total
        return total + _dense_hessian(self.constraint_function, x, y)

    def hvp(self, x: np.ndarray, y: np.ndarray, direction: np.ndarray, weight: float = 1.0) -> np.ndarray:
        """(weight Hess f + sum_i y_i Hess c_i) d, (n,)."""
        product = self.objective_function.hvp(x, weight * ONE, direction)
        if self.constraint_function is None or self.affine:
            return product
        return product + self.constraint_function.hvp(x, y, direction)

    def hessian_diagonal(self, x: np.ndarray, y: np.ndarray, weight: float = 1.0) -> np.ndarray:
        """The diagonal of `hessian`, (n,), for the price of a product; where `provides` has `hessian-diagonal`."""
        function: Any = self.objective_function
        return function.hessian_diagonal(x, weight * ONE)

    # -- the common protocol

    @property
    def affine(self) -> bool:
        """Every constraint is affine, by proof."""
        function = self.constraint_function
        return function is None or (function.degree is not None and function.degree <= 1)

    @cached_property
    def provides(self) -> frozenset[str]:
        """`gradient`, `jacobian`, `hvp`; `hessian` where it can be formed; structure where it is proven."""
        functions = [f for f in (self.objective_function, self.constraint_function) if f is not None]
        names = {"gradient", "jacobian", "hvp"}
        if not any(getattr(function, "products_only", False) for function in functions):
            names.add("hessian")
        if self.affine:
            names.add("affine-constraints")
            if hasattr(self.objective_function, "hessian_diagonal"):
                names.add("hessian-diagonal")
        degree = self.objective_function.degree
        if degree is not None and degree <= 2:
            names.add("quadratic-objective")
        if bool(np.all(self.lower == self.upper)):
            names.add("equalities-only")
        if bool(np.all(np.isneginf(self.lowest)) and np.all(np.isposinf(self.highest))):
            names.add("no-bounds")
        return frozenset(names)

    def start(self, rng: np.random.Generator) -> Point:
        """The start of the file, whatever the seed: nonlinear files name their start."""
        return {block.name: block.start.copy() for block in self.variables}

    def objective(self, point: Point) -> float:
        """f at a point."""
        return self.value(self.flat(point))

    @property
    def oracle_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """All of them."""
        n, m = self.n, self.m
        vectors = dict.fromkeys(("gradient", "vjp", "hvp", "hessian_diagonal"), (n,))
        rows = {"constraints": (m,), "jvp": (m,), "jacobian": (m, n), "dense_jacobian": (m, n)}
        return {"value": (), "hessian": (n, n), "dense_hessian": (n, n)} | vectors | rows

    @property
    def expected(self) -> Mapping[str, Any]:
        """The file's `expect:` section."""
        return self.expect

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256(b"nonlinear 1")
        for block in self.variables:
            digest.update(repr((block.name, block.shape)).encode())
            digest.update(np.ascontiguousarray(block.start, dtype=float).tobytes())
        digest.update(self.objective_function.digest().encode())
        if self.constraint_function is not None:
            digest.update(self.constraint_function.digest().encode())
        for bound in (self.lower, self.upper, self.lowest, self.highest):
            digest.update(b"|" + np.ascontiguousarray(bound, dtype=float).tobytes())
        return digest.hexdigest()

    def fingerprint(self) -> str:
        """Hex sha256 of blocks, functions and bounds."""
        return self._fingerprint

    def to(self, device: str, dtype: str) -> Nonlinear:
        """Functions on another device or in another precision."""
        objective, constraints = self.objective_function.to(device, dtype), self.constraint_function
        moved = None if constraints is None else constraints.to(device, dtype)
        if objective is self.objective_function and moved is constraints:
            return self
        return replace(self, objective_function=objective, constraint_function=moved)


def _dense(matrix: Matrix) -> np.ndarray:
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


def _dense_hessian(function: Function, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    fast = getattr(function, "dense_hessian", None)
    return _dense(function.hessian(x, weights)) if fast is None else fast(x, weights)
