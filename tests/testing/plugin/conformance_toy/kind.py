"""min x'Qx / 2 - c'x: a kind with two oracles, an exact certificate, and functions to go around the oracles with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel

from conformance_toy import KIND
from solverkit.errors import UsageError
from solverkit.plugin import Certificate, Kind, Point, Problem, Source, Term


@dataclass(frozen=True)
class Product:
    """x -> Qx, the function that the oracles are made of."""

    matrix: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.matrix @ x


@dataclass(frozen=True, eq=False)
class Quadratic(Problem):
    """min x'Qx / 2 - c'x over x in R^n, Q positive definite."""

    kind: ClassVar[str] = KIND
    oracles: ClassVar[Mapping[str, str]] = {"value": "nfev", "gradient": "njev"}

    name: str
    product: Product
    vector: np.ndarray
    origin: np.ndarray
    expect: Mapping[str, Any] = field(default_factory=dict)

    def value(self, x: np.ndarray) -> float:
        """x'Qx / 2 - c'x."""
        return float(0.5 * x @ self.product(x) - self.vector @ x)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Qx - c."""
        return self.product(x) - self.vector

    @property
    def provides(self) -> frozenset[str]:
        return frozenset({"gradient"})

    @property
    def expected(self) -> Mapping[str, Any]:
        return self.expect

    def start(self, rng: np.random.Generator) -> Point:
        return {"x": self.origin.copy()}

    def objective(self, point: Point) -> float:
        return self.value(np.asarray(point["x"], dtype=float))

    def fingerprint(self) -> str:
        parts = (self.product.matrix, self.vector, self.origin)
        return hashlib.sha256(b"|".join(np.asarray(part, float).tobytes() for part in parts)).hexdigest()

    def to(self, device: str, dtype: str) -> Quadratic:
        if device != "cpu":
            raise UsageError(f"the toy kind runs on the CPU, not on {device!r}")
        if self.vector.dtype == dtype:
            return self
        matrix, vector, origin = (a.astype(dtype) for a in (self.product.matrix, self.vector, self.origin))
        return replace(self, product=Product(matrix), vector=vector, origin=origin)


class ToyKind(Kind):
    """Certified where the gradient is small against 1 + |c|."""

    name = KIND

    @property
    def schema(self) -> type[BaseModel]:
        return BaseModel

    def build(self, file: Any, source: Source) -> Problem:
        raise UsageError("the toy kind is made in Python")

    def certify(self, problem: Quadratic, point: Point, tol: float, seed: int) -> Certificate:
        x = np.asarray(point["x"], dtype=float)
        residual = float(np.linalg.norm(problem.product.matrix @ x - problem.vector))
        scaling = 1.0 + float(np.linalg.norm(problem.vector))
        return Certificate((Term("stationarity", residual, tol, scaling),), {"objective": problem.value(x)})

    def examples(self) -> list[Quadratic]:
        """The problems that the kit tries where its user names none."""
        return [small()]


def small() -> Quadratic:
    """Four variables, with its answer."""
    matrix = np.diag([1.0, 2.0, 3.0, 4.0]) + 0.1
    answer = np.array([1.0, -1.0, 2.0, 0.5])
    vector = matrix @ answer
    expect = {"objective": float(-0.5 * vector @ answer), "point": {"x": answer.tolist()}, "tolerance": 1e-4}
    return Quadratic("small", Product(matrix), vector, np.full(4, 3.0), expect)


def unanswered() -> Quadratic:
    """The same, without an expected answer."""
    return replace(small(), name="unanswered", expect={})
