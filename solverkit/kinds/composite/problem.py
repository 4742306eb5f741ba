"""Composite convex problems: smooth, plus nonsmooth, plus simple.

    min_x  Psi(x) = f(x) + h(x) + chi(x)

with f convex and smooth and perhaps dear, h either structured, g(K x) = max_y <K x, y> - g*(y), or known by
subgradients, and chi simple and strongly convex, the set X in it. h may be absent. x is one flat block.

A point has the block of x under its name in the file. Methods may add what a lower bound of Psi is made of:

    l(z, y) = min_u f(z) + <grad f(z), u - z> + <K'y, u> - g*(y) + chi(u)  <=  min Psi

`ANCHOR`, a z near the minimizer (x itself where it is missing; an average of the points at which a method took
gradients), and `DUAL`, y; or where h has no structure `CUTS`, points at which h is linearized, with `WEIGHTS` on the
simplex.

| here | paper (arXiv 2602.04161) | meaning |
|---|---|---|
| smooth, structured or nonsmooth, simple | f, h, chi | parts of the objective |
| forward, adjoint | K, K' | |
| simple.strong | mu | |
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.base import Block, Point, Problem, Weighted, flat_vector, named_blocks

if TYPE_CHECKING:
    from solverkit.kinds.composite.parts import Nonsmooth, Simple, Smooth, Structured

ANCHOR = "anchor"
"""Name of the block z at which f is linearized for the lower bound, of the shape of x."""

DUAL = "dual"
"""Name of the block y of the lower bound, (m,)."""

CUTS = "cuts"
"""Name of the block of points at which an h without structure is linearized for the lower bound, (J, n)."""

WEIGHTS = "weights"
"""Name of the block of their weights, (J,), on the simplex."""


def _batch(x: np.ndarray, samples: np.ndarray) -> int:
    return len(samples)


@dataclass(frozen=True, eq=False)
class Composite(Problem):
    """An immutable composite problem; see the module for the form. `structured` or `nonsmooth` is there, or neither."""

    kind: ClassVar[str] = "composite"
    oracles: ClassVar[Mapping[str, str | Weighted]] = {
        "smooth_value": "nfev",
        "smooth_gradient": "njev",
        "smooth_both": "njev",
        "smooth_batch_gradient": Weighted("ncomp", _batch),
        "nonsmooth_value": "nfev",
        "subgradient": "nsub",
        "batch_subgradient": Weighted("nsub", _batch),
        "forward": "nmul",
        "adjoint": "nmul",
        "dual_prox": "nprox",
        "simple_step": "nprox",
    }

    name: str
    variable: Block
    smooth: Smooth
    simple: Simple
    structured: Structured | None = None
    nonsmooth: Nonsmooth | None = None
    expect: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Length of x."""
        return self.variable.size

    def flat(self, point: Point) -> np.ndarray:
        """x of a point, (n,) float64. KeyError where it is missing, ValueError where its shape is wrong."""
        return flat_vector((self.variable,), point, self.name)

    def blocks(self, x: np.ndarray) -> Point:
        """The point of a flat x: the inverse of `flat`, a copy."""
        return named_blocks((self.variable,), x)

    # -- oracles of f

    def smooth_value(self, x: np.ndarray) -> float:
        """f(x)."""
        return self.smooth.value(x)

    def smooth_gradient(self, x: np.ndarray) -> np.ndarray:
        """grad f(x), (n,)."""
        return self.smooth.gradient(x)

    def smooth_both(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """f(x) and grad f(x): counted as one gradient."""
        return self.smooth.value_and_gradient(x)

    def smooth_batch_gradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """The mean of the gradients of some terms of f, (n,)."""
        return self.smooth.batch_gradient(x, samples)

    # -- oracles of h

    def nonsmooth_value(self, x: np.ndarray) -> float:
        """h(x); 0 where there is none. Of a structured h this is one product with K."""
        if self.structured is not None:
            return float(self.structured.outer.value(self.structured.forward(x)))
        return 0.0 if self.nonsmooth is None else self.nonsmooth.value(x)

    def subgradient(self, x: np.ndarray) -> np.ndarray:
        """A subgradient of h, (n,): of a structured h K'y with y the least-norm maximizer."""
        if self.structured is not None:
            from solverkit.kinds.composite.subgradients import maximizer

            return self.structured.adjoint(maximizer(self.structured.outer, self.structured.forward(x)))
        return np.zeros(self.n) if self.nonsmooth is None else self.nonsmooth.subgradient(x)

    def batch_subgradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """The mean of subgradients of some terms of h, (n,)."""
        if self.nonsmooth is None:
            raise UsageError(f"h of {self.name!r} is no mean over samples")
        return self.nonsmooth.batch_subgradient(x, samples)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """K x, (m,)."""
        return self._structured.forward(x)

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """K'y, (n,)."""
        return self._structured.adjoint(y)

    def dual_prox(self, v: np.ndarray, step: float) -> np.ndarray:
        """prox_{step g*}(v) = v - step prox_{g / step}(v / step), (m,)."""
        from solverkit.kinds.composite.dual_steps import dual_step

        return dual_step(self._structured.outer, v, step)

    @property
    def _structured(self) -> Structured:
        if self.structured is None:
            raise UsageError(f"h of {self.name!r} is not given as g(K x)")
        return self.structured

    # -- oracles of chi

    def simple_step(self, g: np.ndarray, centre: np.ndarray, weight: float) -> np.ndarray:
        """argmin_u <g, u> + chi(u) + weight V(centre, u), (n,)."""
        return self.simple.step(g, centre, weight)

    # -- the common protocol

    @cached_property
    def provides(self) -> frozenset[str]:
        """`gradient` always; `structured`, `subgradient`, `samples` and `nonsmooth-samples`, `strongly-convex`,
        `lipschitz`, `quadratic`, `euclidean` or `entropy`."""
        flags = {
            "gradient": True,
            "structured": self.structured is not None,
            "subgradient": self.structured is not None or self.nonsmooth is not None,
            "samples": self.smooth.count > 1,
            "nonsmooth-samples": self.nonsmooth is not None and self.nonsmooth.count > 1,
            "strongly-convex": self.simple.strong > 0,
            "lipschitz": self.smooth.lipschitz is not None,
            "quadratic": self.smooth.quadratic,
            self.simple.geometry: True,
        }
        return frozenset(name for name, holds in flags.items() if holds)

    def start(self, rng: np.random.Generator) -> Point:
        """The start of the file, whatever the seed."""
        return {self.variable.name: self.variable.start.copy()}

    def objective(self, point: Point) -> float:
        """Psi at a point; infinite outside of X."""
        x = self.flat(point)
        return self.smooth.value(x) + self.nonsmooth_value(x) + self.simple.value(x)

    @property
    def oracle_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """All but that of the pair of value and gradient."""
        vectors = (
            "smooth_gradient",
            "smooth_batch_gradient",
            "subgradient",
            "batch_subgradient",
            "adjoint",
            "simple_step",
        )
        rows = {} if self.structured is None else dict.fromkeys(("forward", "dual_prox"), (self.structured.rows,))
        return {"smooth_value": (), "nonsmooth_value": ()} | dict.fromkeys(vectors, (self.n,)) | rows

    @property
    def expected(self) -> Mapping[str, Any]:
        """The file's `expect:` section."""
        return self.expect

    @cached_property
    def _fingerprint(self) -> str:
        block = self.variable
        digest = hashlib.sha256(repr(("composite 1", block.name, block.shape)).encode())
        digest.update(np.ascontiguousarray(block.start, dtype=float).tobytes())
        for part in (self.smooth, self.structured, self.nonsmooth, self.simple):
            digest.update(b"|" if part is None else part.digest().encode())
        return digest.hexdigest()

    def fingerprint(self) -> str:
        """Hex sha256 of the variable and all parts."""
        return self._fingerprint

    def to(self, device: str, dtype: str) -> Composite:
        """f and K on another device or in another precision; simple parts take what they are given."""
        smooth = self.smooth.to(device, dtype)
        structured = None if self.structured is None else self.structured.to(device, dtype)
        if smooth is self.smooth and structured is self.structured:
            return self
        return replace(self, smooth=smooth, structured=structured)
