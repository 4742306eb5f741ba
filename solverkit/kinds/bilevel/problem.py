"""Bilevel problems, optimistic form, with constraints on both levels that may couple x and y.

    min_{x, y} F(x, y)   s.t.  x in X,  G(x, y) <= 0,  H(x, y) = 0,
                               y in argmin_{y in Y} { f(x, y) : g(x, y) <= 0,  h(x, y) = 0 }

Oracles take the flat vector z = (x, y), blocks in the order of the file, each ravelled in C order.

| here | paper (arXiv 2401.16164) | meaning |
|---|---|---|
| upper, upper_rows | F, - | upper objective; G then H |
| lower, lower_rows | f, g | lower objective; g then h |
| upper_set, lower_set | X, Y | simple sets |
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.sparse import csr_array

from solverkit.errors import UsageError
from solverkit.kinds.base import Block, Point, Problem, Weighted, flat_vector, named_blocks
from solverkit.kinds.rows import Rows
from solverkit.operators.sets import Free, SimpleSet

if TYPE_CHECKING:
    from solverkit.expressions.function import Function
    from solverkit.kinds.bilevel.summands import Summands

ONE = np.ones(1)


def _batch(z: np.ndarray, samples: np.ndarray) -> int:
    return len(samples)


def _batch_after_direction(z: np.ndarray, direction: np.ndarray, samples: np.ndarray) -> int:
    return len(samples)


@dataclass(frozen=True, eq=False)
class Bilevel(Problem):
    """An immutable bilevel problem; see the module for the form."""

    kind: ClassVar[str] = "bilevel"
    oracles: ClassVar[Mapping[str, str | Weighted]] = {
        "upper": "nfev",
        "upper_gradient": "njev",
        "upper_hvp": "nhvp",
        "upper_hessian": "nhev",
        "lower": "nfev",
        "lower_gradient": "njev",
        "lower_hvp": "nhvp",
        "lower_hessian": "nhev",
        "upper_rows": "ncev",
        "upper_rows_vjp": "njev",
        "upper_rows_jacobian": "njev",
        "upper_rows_hessian": "nhev",
        "lower_rows": "ncev",
        "lower_rows_vjp": "njev",
        "lower_rows_jacobian": "njev",
        "lower_rows_hvp": "nhvp",
        "lower_rows_hessian": "nhev",
        "upper_batch": Weighted("ncomp", _batch),
        "upper_batch_gradient": Weighted("ncomp", _batch),
        "upper_batch_hvp": Weighted("ncomp", _batch_after_direction),
        "lower_batch": Weighted("ncomp", _batch),
        "lower_batch_gradient": Weighted("ncomp", _batch),
        "lower_batch_hvp": Weighted("ncomp", _batch_after_direction),
    }

    name: str
    upper_blocks: tuple[Block, ...]
    lower_blocks: tuple[Block, ...]
    upper_function: Function
    lower_function: Function
    upper_constraints: Rows
    lower_constraints: Rows
    upper_set: SimpleSet = field(default_factory=Free)
    lower_set: SimpleSet = field(default_factory=Free)
    upper_summands: Summands | None = None  # where F is a mean over samples
    lower_summands: Summands | None = None  # where f is
    convex: bool | None = None  # what the author says of the lower level in y; None: nothing said
    expect: Mapping[str, Any] = field(default_factory=dict)

    # -- sizes and blocks

    @cached_property
    def n(self) -> int:
        """Length of x."""
        return sum(block.size for block in self.upper_blocks)

    @cached_property
    def m(self) -> int:
        """Length of y."""
        return sum(block.size for block in self.lower_blocks)

    def flat(self, point: Point) -> np.ndarray:
        """z = (x, y) of a point, (n + m,) float64. KeyError names a missing block, ValueError one of a wrong shape."""
        return flat_vector((*self.upper_blocks, *self.lower_blocks), point, self.name)

    def blocks(self, z: np.ndarray) -> Point:
        """Named blocks of z: the inverse of `flat`, copies."""
        return named_blocks((*self.upper_blocks, *self.lower_blocks), z)

    # -- oracles

    def upper(self, z: np.ndarray) -> float:
        """F(x, y)."""
        return float(self.upper_function.value(z)[0])

    def upper_gradient(self, z: np.ndarray) -> np.ndarray:
        """grad F, (n + m,)."""
        return self.upper_function.gradient(z)

    def upper_hvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Hessian of F times a direction, (n + m,)."""
        return self.upper_function.hvp(z, ONE, direction)

    def upper_hessian(self, z: np.ndarray) -> csr_array:
        """Hessian of F, sparse (n + m, n + m)."""
        return self.upper_function.hessian(z, ONE)

    def lower(self, z: np.ndarray) -> float:
        """f(x, y)."""
        return float(self.lower_function.value(z)[0])

    def lower_gradient(self, z: np.ndarray) -> np.ndarray:
        """grad f with respect to x and y, (n + m,)."""
        return self.lower_function.gradient(z)

    def lower_hvp(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Hessian of f times a direction, (n + m,)."""
        return self.lower_function.hvp(z, ONE, direction)

    def lower_hessian(self, z: np.ndarray) -> csr_array:
        """Hessian of f, sparse (n + m, n + m)."""
        return self.lower_function.hessian(z, ONE)

    def upper_rows(self, z: np.ndarray) -> np.ndarray:
        """G then H; `upper_constraints.inequalities` says where H begins."""
        return self.upper_constraints.value(z)

    def upper_rows_vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Jacobian of (G, H) transposed, times weights."""
        return self.upper_constraints.vjp(z, weights)

    def upper_rows_jacobian(self, z: np.ndarray) -> csr_array:
        """Jacobian of (G, H), sparse."""
        return self.upper_constraints.jacobian(z)

    def upper_rows_hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        """Weighted sum of the Hessians of the rows of (G, H)."""
        return self.upper_constraints.hessian(z, weights)

    def lower_rows(self, z: np.ndarray) -> np.ndarray:
        """g then h; `lower_constraints.inequalities` says where h begins."""
        return self.lower_constraints.value(z)

    def lower_rows_vjp(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Jacobian of (g, h) transposed, times weights: (n + m,)."""
        return self.lower_constraints.vjp(z, weights)

    def lower_rows_jacobian(self, z: np.ndarray) -> csr_array:
        """Jacobian of (g, h), sparse (p + q, n + m)."""
        return self.lower_constraints.jacobian(z)

    def lower_rows_hvp(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Weighted sum of the Hessians of the rows of (g, h), times a direction."""
        return self.lower_constraints.hvp(z, weights, direction)

    def lower_rows_hessian(self, z: np.ndarray, weights: np.ndarray) -> csr_array:
        """Weighted sum of the Hessians of the rows of (g, h)."""
        return self.lower_constraints.hessian(z, weights)

    # -- oracles of means over samples; `samples` as `Summands` takes them

    @property
    def upper_samples(self) -> int:
        """How many terms F is the mean of; 0 where it is not given as one."""
        return 0 if self.upper_summands is None else self.upper_summands.count

    @property
    def lower_samples(self) -> int:
        """How many terms f is the mean of; 0 where it is not given as one."""
        return 0 if self.lower_summands is None else self.lower_summands.count

    def upper_batch(self, z: np.ndarray, samples: np.ndarray) -> float:
        """F estimated from some of its terms."""
        return self._terms("upper", self.upper_summands).value(z, samples)

    def upper_batch_gradient(self, z: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """grad F estimated from some of its terms, (n + m,)."""
        return self._terms("upper", self.upper_summands).gradient(z, samples)

    def upper_batch_hvp(self, z: np.ndarray, direction: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Hessian of F, estimated from some of its terms, times a direction, (n + m,)."""
        return self._terms("upper", self.upper_summands).hvp(z, direction, samples)

    def lower_batch(self, z: np.ndarray, samples: np.ndarray) -> float:
        """f estimated from some of its terms."""
        return self._terms("lower", self.lower_summands).value(z, samples)

    def lower_batch_gradient(self, z: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """grad f estimated from some of its terms, (n + m,)."""
        return self._terms("lower", self.lower_summands).gradient(z, samples)

    def lower_batch_hvp(self, z: np.ndarray, direction: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Hessian of f, estimated from some of its terms, times a direction, (n + m,)."""
        return self._terms("lower", self.lower_summands).hvp(z, direction, samples)

    def _terms(self, level: str, summands: Summands | None) -> Summands:
        if summands is None:
            raise UsageError(f"the {level} objective of {self.name!r} is not given as a mean over samples")
        return summands

    # -- the common protocol

    @cached_property
    def provides(self) -> frozenset[str]:
        """`gradient`, `hvp`, `jacobian` always; `hessian` where it can be formed; structure where it is proven;
        `upper-samples`, `lower-samples`.

        `no-upper-rows`: x is in its set and nothing else. `uncoupled`: every row is affine and of one level alone.
        """
        names = {"gradient", "hvp", "jacobian"}
        rows = (self.upper_constraints.function, self.lower_constraints.function)
        functions = (self.upper_function, self.lower_function, *rows)
        if not any(getattr(function, "products_only", False) for function in functions):
            names.add("hessian")
        if self.lower_constraints.affine and self.upper_constraints.affine:
            names.add("affine-constraints")
        if self.lower_function.degree is not None and self.lower_function.degree <= 2:
            names.add("quadratic-lower")
        if self.lower_constraints.count == 0 and isinstance(self.lower_set, Free):
            names.add("unconstrained-lower")
        if self.upper_constraints.count == 0:
            names.add("no-upper-rows")
        if "affine-constraints" in names and self._uncoupled():
            names.add("uncoupled")
        if self.upper_summands is not None:
            names.add("upper-samples")
        if self.lower_summands is not None:
            names.add("lower-samples")
        return frozenset(names)

    def _uncoupled(self) -> bool:
        """No affine row of one level contains a variable of the other."""
        upper, lower = self.upper_constraints.touched, self.lower_constraints.touched
        return upper is not None and lower is not None and not (upper[self.n :].any() or lower[: self.n].any())

    def start(self, rng: np.random.Generator) -> Point:
        """The start of the file, whatever the seed: bilevel files name their start."""
        return {block.name: block.start.copy() for block in (*self.upper_blocks, *self.lower_blocks)}

    def objective(self, point: Point) -> float:
        """F at a point."""
        return self.upper(self.flat(point))

    @property
    def oracle_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Those of the objectives, and the vectors of length n + m."""
        values = ("upper", "lower", "upper_batch", "lower_batch")
        vectors = (*(f"{value}_{what}" for value in values for what in ("gradient", "hvp")),
                   "upper_rows_vjp", "lower_rows_vjp", "lower_rows_hvp")  # fmt: skip
        return dict.fromkeys(values, ()) | dict.fromkeys(vectors, (self.n + self.m,))

    @property
    def expected(self) -> Mapping[str, Any]:
        """The file's `expect:` section."""
        return self.expect

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256(b"bilevel 1")
        for level in (self.upper_blocks, self.lower_blocks):
            for block in level:
                digest.update(repr((block.name, block.shape)).encode())
                digest.update(np.ascontiguousarray(block.start, dtype=float).tobytes())
            digest.update(b"|")
        digest.update(self.upper_function.digest().encode() + self.lower_function.digest().encode())
        for rows in (self.upper_constraints, self.lower_constraints):
            digest.update(repr(rows.inequalities).encode())
            if rows.function is not None:
                digest.update(rows.function.digest().encode())
                digest.update(rows.index.tobytes() + rows.sign.tobytes() + rows.bound.tobytes())
        for summands in (self.upper_summands, self.lower_summands):
            if summands is not None:
                digest.update(summands.digest().encode())
        digest.update(self.upper_set.digest().encode() + self.lower_set.digest().encode())
        return digest.hexdigest()

    def fingerprint(self) -> str:
        """Hex sha256 of blocks, functions, constraints and sets."""
        return self._fingerprint

    def to(self, device: str, dtype: str) -> Bilevel:
        """Functions on another device or in another precision; sets stay on the CPU."""
        upper, lower = self.upper_function.to(device, dtype), self.lower_function.to(device, dtype)
        if upper is self.upper_function and lower is self.lower_function:
            return self
        return replace(
            self,
            upper_function=upper,
            lower_function=lower,
            upper_constraints=self.upper_constraints.to(device, dtype),
            lower_constraints=self.lower_constraints.to(device, dtype),
            upper_summands=None if self.upper_summands is None else self.upper_summands.to(device, dtype),
            lower_summands=None if self.lower_summands is None else self.lower_summands.to(device, dtype),
        )
