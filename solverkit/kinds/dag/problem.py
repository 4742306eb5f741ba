"""Structure learning: the directed acyclic graph, and its weights, that explain samples best.

    min_W  score(W)   s.t.  the graph of W is acyclic, and keeps to what is known of the edges

W is (d, d); W[i, j] != 0 is the edge i -> j, so a linear model says X = X W + noise. A point has the block `W` and may
carry `order`, a permutation of 0, ..., d - 1 in which every edge goes forward; a method that searches orders gives it.

The sufficient statistic of linear Gaussian scores is the Gram matrix S = X'X / n of the (centred) samples.

| here | paper (arXiv 2305.17277) | meaning |
|---|---|---|
| gram | X'X / n | (d, d) |
| score | Q | what is minimized, see `Score` |
| W | W(Theta) | weighted adjacency |
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

WEIGHTS = "W"
"""Name of the point's block of weights, (d, d)."""

ORDER = "order"
"""Name of the optional block of an order, (d,): position k holds the variable order[k]."""

SCORES = ("least-squares", "bic", "logistic", "mlp")
"""What a score is:

least-squares  (1/2) trace((I - W)' S (I - W)): noise of equal variances
bic            Gaussian likelihood with a variance for each variable, and (log n) / 2 an edge
logistic       binary variables
mlp            one hidden layer for each variable
"""


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What is known of the edges beforehand, as (d, d) masks: forbidden[i, j] excludes i -> j, required[i, j] has it.

    Tiers are forbidden edges from a later tier to an earlier one. The required edges are acyclic and not forbidden.
    """

    forbidden: np.ndarray  # (d, d) bool, diagonal True
    required: np.ndarray  # (d, d) bool

    @cached_property
    def trivial(self) -> bool:
        """Whether nothing is known."""
        return not self.required.any() and int(self.forbidden.sum()) == len(self.forbidden)


@dataclass(frozen=True, eq=False)
class Dag(Problem):
    """An immutable structure learning problem; see the module for the form."""

    kind: ClassVar[str] = "dag"
    oracles: ClassVar[Mapping[str, str | Weighted]] = {"score_of": "nfev", "score_gradient": "njev"}

    name: str
    names: tuple[str, ...]  # (d,) the variables'
    gram: np.ndarray  # (d, d) S, float64
    n: int  # samples behind it
    samples: np.ndarray | None = None  # (n, d) X, centred as `gram` is; None where only a Gram matrix was given
    score: str = "least-squares"  # one of SCORES
    l1: float = 0.0  # weight of sum |W_ij| beside the score
    knowledge: Knowledge | None = None
    truth: np.ndarray | None = None  # (d, d) the true weights or adjacency, where a generator or the file knows them
    expect: Mapping[str, Any] = field(default_factory=dict)

    @property
    def d(self) -> int:
        """Number of variables."""
        return len(self.names)

    @cached_property
    def known(self) -> Knowledge:
        """`knowledge`, or that nothing is known."""
        if self.knowledge is not None:
            return self.knowledge
        return Knowledge(np.eye(self.d, dtype=bool), np.zeros((self.d, self.d), dtype=bool))

    # -- oracles

    def score_of(self, W: np.ndarray) -> float:
        """The penalized score of given weights (of `least-squares` and `logistic`: at W; of `bic`: of the graph of W,
        refitted). Implemented in `scores.py`."""
        from solverkit.kinds.dag.scores import score_of

        return score_of(self, W)

    def score_gradient(self, W: np.ndarray) -> np.ndarray:
        """Gradient of the smooth part of the score with respect to W, (d, d)."""
        from solverkit.kinds.dag.scores import score_gradient

        return score_gradient(self, W)

    # -- the common protocol

    @cached_property
    def provides(self) -> frozenset[str]:
        """The score's name; `gram` (a linear Gaussian score), `samples`, `knowledge`, `truth`."""
        flags = {
            self.score: True,
            "gram": self.score in ("least-squares", "bic"),
            "samples": self.samples is not None,
            "knowledge": not self.known.trivial,
            "truth": self.truth is not None,
        }
        return frozenset(name for name, holds in flags.items() if holds)

    def start(self, rng: np.random.Generator) -> Point:
        """The empty graph, in a random order that respects the required edges and tiers."""
        from solverkit.kinds.dag.orders import random_order

        return {WEIGHTS: np.zeros((self.d, self.d)), ORDER: random_order(self.known, rng).astype(float)}

    def objective(self, point: Point) -> float:
        """The score at a point."""
        return self.score_of(np.asarray(point[WEIGHTS], dtype=float))

    @property
    def expected(self) -> Mapping[str, Any]:
        """The file's `expect:` section."""
        return self.expect

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256(f"dag 1 {self.names!r} {self.n} {self.score} {self.l1!r}".encode())
        for array in (self.gram, self.samples):
            if array is not None:
                digest.update(np.ascontiguousarray(array, dtype=float).tobytes())
        digest.update(self.known.forbidden.tobytes() + self.known.required.tobytes())
        return digest.hexdigest()

    def fingerprint(self) -> str:
        """Hex sha256 of data, score and knowledge."""
        return self._fingerprint

    def to(self, device: str, dtype: str) -> Dag:
        """This problem: a method that computes elsewhere moves what it needs. UsageError for float32, in which ratios
        of variances along an order are lost."""
        if dtype != "float64":
            raise UsageError(f"structure learning is done in float64, not {dtype}: leave dtype out")
        return self
