"""A small problem for each method."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import solverkit as sk
from solverkit.errors import MissingPackage
from solverkit.registry import registry

PROBLEMS = Path(__file__).parents[2] / "problems"
DEFAULT = {
    "bilevel": "bard-1988-ex1",
    "composite": "fused-lasso",
    "dag": "gram-d10",
    "inclusion": "matching-pennies-quadratic",
    "linear-sequence": "spring-chain",
    "nonlinear": "hs71",
}
OTHER = {
    "implicit-gradient": "exponential-tail",
    "penalty": "lampariello-sagratella-2017-ex32",
    "bsvrb": "multi-task-blocks",
    "bo-rep": "exponential-tail",
    "nested": "colson-2002-bipa4",
    "highs-simplex": "rock-paper-scissors",
    "highs-ipm": "rock-paper-scissors",
    "highs-pdlp": "rock-paper-scissors",
    "cvxpy": "rock-paper-scissors",
}


@dataclass(frozen=True)
class Chosen:
    """A method and the problem that it is tried on."""

    method: str
    kind: str
    path: Path

    def __str__(self) -> str:
        return self.method

    def load(self) -> Any:
        """The problem, anew."""
        return sk.load(self.path)


@cache
def chosen() -> tuple[Chosen, ...]:
    """All methods whose packages are here, by kind and name."""
    found = []
    for kind in sorted(DEFAULT):
        for spec in registry.methods(kind):
            try:
                registry.resolve(spec)
            except MissingPackage:
                continue
            name = OTHER.get(spec.name, DEFAULT[kind])
            found.append(Chosen(spec.name, kind, PROBLEMS / kind / name / "problem.yaml"))
    return tuple(found)
