"""Structure learning: the directed acyclic graph, and its weights, that explain samples best.

    min_W  score(W)   s.t.  the graph of W is acyclic, and keeps to what is known of the edges

W is (d, d); W[i, j] != 0 is the edge i -> j, so a linear model says X = X W + noise. A point has the block `W` and may
carry `order`, a permutation of 0, ..., d - 1 in which every edge goes forward; a method that searches orders gives it.

The sufficient statistic of linear Gaussian scores is the Gram matrix S = X'X / n of the (centred) samples.

| here | paper (arXiv 2305.17277) | meaning |
|---|---|---|
| gram | X'X / n | (d, d) |
| score | Q | what is minimized, see `SCORES` |
| W | W(Theta) | weighted adjacency |

The nonlinear score has one network for each variable j, x_j ~ output[j]' s(hidden[j] x), s the logistic function, and
W[i, j] = ||hidden[j][:, i]||: such a point has the blocks `hidden` (d, h, d) and `output` (d, h) too.
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
from solverkit.kinds.dag import scores
from solverkit.kinds.dag.knowledge import Knowledge

WEIGHTS = "W"
"""Name of the point's block of weights, (d, d)."""

ORDER = "order"
"""Name of the optional block of an order, (d,): order[k] is the variable at position k, as a float."""

HIDDEN = "hidden"
"""Name of the block of first layers of the nonlinear score, (d, h, d): variable, hidden unit, input."""

OUTPUT = "output"
"""Name of the block of its second layers, (d, h)."""

SCORES = ("least-squares", "bic", "logistic", "mlp")
"""What a score is, a sample:

least-squares  (1/2) trace((I - W)' S (I - W)), noise of equal variances; plus l1 sum |W|
bic            (1/2) sum_j log v_j + edge_cost (log n) / (2 n) |E|, v_j the residual variance of j on its parents
logistic       (1/n) sum (log(1 + exp(XW)) - X * XW), X in {0, 1}; plus l1 sum |W|
mlp            (1/2n) ||X - f(X)||^2 + l1 sum |hidden| + (l2/2) (sum hidden^2 + sum output^2)
"""


@dataclass(frozen=True, eq=False)
class Dag(Problem):
    """An immutable structure learning problem; see the module for the form."""

    kind: ClassVar[str] = "dag"
    oracles: ClassVar[Mapping[str, str | Weighted]] = {
        "score_of": "nfev",
        "score_gradient": "njev",
        "network_score": "nfev",
    }

    name: str
    names: tuple[str, ...]  # (d,) the variables'
    gram: np.ndarray  # (d, d) S, float64
    n: int  # samples behind it
    samples: np.ndarray | None = None  # (n, d) X, centred as `gram` is; None where only a Gram matrix was given
    score: str = "least-squares"  # one of SCORES
    l1: float = 0.0
    l2: float = 0.0
    edge_cost: float = 1.0  # of bic: in units of (log n) / 2 an edge
    hidden: int = 40  # of mlp: units a network
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
        return Knowledge.none(self.d) if self.knowledge is None else self.knowledge

    # -- oracles

    def score_of(self, W: np.ndarray) -> float:
        """The penalized score of W, (d, d): at W; of `bic` that of the graph of W, refitted. UsageError for `mlp`."""
        return scores.linear(self, W)

    def score_gradient(self, W: np.ndarray) -> np.ndarray:
        """Gradient of the smooth part of the score with respect to W, (d, d); of `bic` with the variances profiled out
        and no edge's cost. UsageError for `mlp`."""
        return scores.gradient(self, W)

    def network_score(self, hidden: np.ndarray, output: np.ndarray) -> float:
        """The penalized score of networks, `hidden` (d, h, d) and `output` (d, h). Of `mlp` alone."""
        return scores.networks(self, hidden, output)

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
        return {WEIGHTS: np.zeros((self.d, self.d)), ORDER: self.known.order(rng).astype(float)}

    def objective(self, point: Point) -> float:
        """The score at a point."""
        if self.score == "mlp" and HIDDEN in point and OUTPUT in point:
            return self.network_score(np.asarray(point[HIDDEN], dtype=float), np.asarray(point[OUTPUT], dtype=float))
        return float("nan") if self.score == "mlp" else self.score_of(np.asarray(point[WEIGHTS], dtype=float))

    @property
    def oracle_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Scores and their gradient."""
        return {"score_of": (), "network_score": (), "score_gradient": (self.d, self.d)}

    @property
    def expected(self) -> Mapping[str, Any]:
        """The file's `expect:` section."""
        return self.expect

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256(f"dag 1 {self.names!r} {self.n} {self.score}".encode())
        digest.update(repr((self.l1, self.l2, self.edge_cost, self.hidden)).encode())
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
