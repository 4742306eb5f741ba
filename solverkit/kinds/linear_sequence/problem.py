"""Sequences of sparse linear systems with one pattern.

    A_t x_t = b_t,   t = 0, ..., T - 1,   A_t of (n, n),   b_t possibly a function of x_{t-1}

with a context vector for each system: what is known of it before it is solved (a shift, a step size, a coefficient).
There is no objective. A point has one block `x` of shape (T, n), row t the solution of system t, rows that were not
reached zero; it may carry the blocks `COST` and `ARM`, by which a method tells what each system cost and which of its
parameters was used.

| here | paper (arXiv 2310.02246) | meaning |
|---|---|---|
| system | A_t, b_t, c_t | matrix, right-hand side, context |
| rtol | epsilon | relative residual that is asked for |
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.base import Point, Problem, Weighted
from solverkit.kinds.linear_sequence.pattern import Pattern
from solverkit.kinds.linear_sequence.structure import Structure
from solverkit.kinds.linear_sequence.systems import System, Systems

SOLUTIONS = "x"
"""Name of the point's block of solutions, (T, n)."""

COST = "cost"
"""Name of the block of what each system cost its method, in the method's own units, (T,)."""

ARM = "arm"
"""Name of the block of which parameter each system was solved with, as the method numbers them, (T,)."""

ITERATIONS = "niter"
"""What methods charge for their inner work: one for each sweep or Krylov iteration."""

SETUPS = "nsetup"
"""What methods charge for each factorization or preconditioner that they build."""


@dataclass(frozen=True, eq=False)
class LinearSequence(Problem):
    """An immutable sequence of linear systems; see the module for the form."""

    kind: ClassVar[str] = "linear-sequence"
    oracles: ClassVar[Mapping[str, str | Weighted]] = {"system": "nsys"}

    name: str
    systems: Systems
    structure: Structure
    rtol: float | None = None  # ||b_t - A_t x_t|| <= rtol ||b_t||; None: what the run asks for
    grid: tuple[int, ...] | None = None  # the unknowns are a regular grid in C order, and A_t couples neighbours only
    shifts: np.ndarray | None = None  # (T,) c_t, where A_t = A + c_t I by construction
    expect: Mapping[str, Any] = field(default_factory=dict)

    # -- sizes

    @property
    def T(self) -> int:
        """Number of systems."""
        return self.systems.T

    @property
    def n(self) -> int:
        """Unknowns of each system."""
        return self.systems.pattern.n

    @property
    def pattern(self) -> Pattern:
        """The pattern that all matrices share."""
        return self.systems.pattern

    @property
    def context_names(self) -> tuple[str, ...]:
        """Names of the context's entries."""
        return self.systems.context_names

    @property
    def depends(self) -> bool:
        """Whether b_t depends on x_{t-1}, so that the systems can only be solved in order."""
        return self.systems.depends

    @property
    def initial(self) -> np.ndarray:
        """(n,) the solution before the first one; zeros where the problem has none. A warm start for t = 0."""
        return self.systems.initial

    def target(self, tol: float) -> float:
        """The relative residual that counts as solved: the file's, or a smaller one that the run asks for."""
        return tol if self.rtol is None else min(self.rtol, tol)

    # -- oracles

    def system(self, t: int, previous: np.ndarray | None = None) -> System:
        """The system number t.

        previous : (n,) the solution of system t - 1, of no effect where t = 0 or where the sequence does not depend on
            it. UsageError where it is needed and missing.
        """
        if not 0 <= t < self.T:
            raise UsageError(f"problem {self.name!r} has the systems 0 to {self.T - 1}; {t} was asked for")
        if t == 0 or not self.depends:
            return self.systems.system(t, self.initial)
        if previous is None:
            raise UsageError(f"system {t} of {self.name!r} depends on the solution before it: give previous=x[{t - 1}]")
        return self.systems.system(t, previous)

    # -- the common protocol

    @cached_property
    def provides(self) -> frozenset[str]:
        """What is known of every matrix, and of how the sequence is made.

        `symmetric`, `positive-diagonal`, `nonzero-diagonal` (see `structure`), `constant` (one matrix), `shifted`
        (A + c_t I), `stencil` (`grid` is known), `context`, `independent` (no b_t depends on x_{t-1}).
        """
        flags = {
            "symmetric": self.structure.symmetric,
            "positive-diagonal": self.structure.positive_diagonal,
            "nonzero-diagonal": self.structure.nonzero_diagonal,
            "constant": self.systems.constant,
            "shifted": self.shifts is not None,
            "stencil": self.grid is not None,
            "context": len(self.context_names) > 0,
            "independent": not self.depends,
        }
        return frozenset(name for name, holds in flags.items() if holds)

    def start(self, rng: np.random.Generator) -> Point:
        """Zeros, whatever the seed."""
        return {SOLUTIONS: np.zeros((self.T, self.n))}

    @property
    def expected(self) -> Mapping[str, Any]:
        """The file's `expect:` section."""
        return self.expect

    @cached_property
    def _fingerprint(self) -> str:
        text = f"linear-sequence 1 {self.rtol!r} {self.systems.digest()}"
        return hashlib.sha256(text.encode()).hexdigest()

    def fingerprint(self) -> str:
        """Hex sha256 of the systems and of the residual that is asked for."""
        return self._fingerprint

    def to(self, device: str, dtype: str) -> LinearSequence:
        """This problem: systems are made on the CPU in float64, and a method that computes elsewhere moves what it
        needs. UsageError for another precision, and for a device where the matrices are no stencils."""
        if dtype != "float64":
            raise UsageError(f"linear sequences are given in float64, not {dtype}: leave dtype out")
        if device != "cpu" and self.grid is None:
            raise UsageError(f"only stencils on a regular grid run on {device}, and {self.name!r} names no grid")
        return self
