"""min (x - a)^2: certified where x is a within the tolerance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from bench_toy import KIND
from solverkit.kinds.fields import Scalar, Schema
from solverkit.plugin import Certificate, Kind, Point, Problem, Source, Term


@dataclass(frozen=True, eq=False)
class Line(Problem):
    """min (x - a)^2 over the reals."""

    kind: ClassVar[str] = KIND
    oracles: ClassVar[Mapping[str, str]] = {"distance": "nfev"}

    name: str
    answer: float
    expect: Mapping[str, Any] = field(default_factory=dict)

    def distance(self, x: np.ndarray) -> float:
        """x - a."""
        return float(x[0] - self.answer)

    @property
    def provides(self) -> frozenset[str]:
        return frozenset({"distance"})

    @property
    def expected(self) -> Mapping[str, Any]:
        return self.expect

    def start(self, rng: np.random.Generator) -> Point:
        return {"x": rng.standard_normal(1) + self.answer + 5.0}

    def objective(self, point: Point) -> float:
        return self.distance(point["x"]) ** 2

    def fingerprint(self) -> str:
        return hashlib.sha256(repr(self.answer).encode()).hexdigest()

    def to(self, device: str, dtype: str) -> Line:
        return self


class LineFile(Schema):
    """`answer: a`"""

    answer: Scalar


class LineKind(Kind):
    """Of the toy."""

    name = KIND

    @property
    def schema(self) -> type[LineFile]:
        return LineFile

    def build(self, file: Any, source: Source) -> Line:
        return Line(source.name, source.number(file.answer, ("answer",)), dict(source.expect))

    def certify(self, problem: Line, point: Point, tol: float, seed: int) -> Certificate:
        return Certificate((Term("distance", abs(problem.distance(point["x"])), tol),))
