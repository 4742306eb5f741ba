"""Problems whose answers are known without the code under test, one form for all kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from solverkit.kinds.base import Certificate, Point

TOL = 1e-6

Certify = Callable[[Any, Point, float, int], Certificate]


def nothing(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """No sorts of its own."""
    return iter(())


@dataclass(frozen=True)
class Subject:
    """A problem, an answer, and how far a flat vector is from any answer.

    `error` is 0 at an answer, in units in which more than 1 is wrong, by the definition that its kind writes down;
    infinite where the vector is no candidate at all. `own` gives the wrong vectors that only this problem has. Up to an
    error of `right`, a tenth of what the certificate at TOL lets pass, a refusal is a false one.
    """

    name: str
    problem: Any
    answer: np.ndarray
    error: Callable[[np.ndarray], float]
    certify: Certify
    blocks: Callable[[np.ndarray], Point]
    own: Callable[[np.random.Generator], Iterator[tuple[str, np.ndarray]]] = nothing
    right: float = 0.0

    def verdict(self, vector: np.ndarray, tol: float = TOL) -> Certificate:
        """The certificate of a flat vector."""
        return self.certify(self.problem, self.blocks(vector), tol, 0)
