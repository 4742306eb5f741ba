"""Linear assignment:  min over permutations p of  sum_i cost[i, p(i)]."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from solverkit.plugin import Point, Problem


@dataclass(frozen=True, eq=False)
class Assignment(Problem):
    """A point has one block `match`, (n,): the column of each row, as a float."""

    kind: ClassVar[str] = "assignment"
    oracles: ClassVar[Mapping[str, str]] = {"costs": "nfev"}

    name: str
    cost: np.ndarray  # (n, n)
    expect: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Rows, and columns."""
        return len(self.cost)

    def costs(self) -> np.ndarray:
        """The matrix, a copy."""
        return self.cost.copy()

    @property
    def provides(self) -> frozenset[str]:
        """Nothing that a method could require."""
        return frozenset()

    def start(self, rng: np.random.Generator) -> Point:
        """Row i has column i."""
        return {"match": np.arange(self.n, dtype=float)}

    def fingerprint(self) -> str:
        """Of the costs."""
        return hashlib.sha256(repr(self.cost.shape).encode() + self.cost.tobytes()).hexdigest()

    def to(self, device: str, dtype: str) -> "Assignment":
        """Nothing moves."""
        return self

    def objective(self, point: Point) -> float:
        """The sum; NaN where the block holds no columns."""
        columns = columns_of(point["match"], self.n)
        return float("nan") if columns is None else float(self.cost[np.arange(self.n), columns].sum())

    @property
    def expected(self) -> Mapping[str, Any]:
        """The file's `expect:`."""
        return self.expect


def columns_of(match: np.ndarray, n: int) -> np.ndarray | None:
    """The block as integers; None where it is no list of n columns."""
    if match.shape != (n,) or not np.all((match == np.round(match)) & (match >= 0) & (match < n)):
        return None
    return match.astype(int)
