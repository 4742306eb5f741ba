"""Structure learning as scikit-learn users expect it: `fit(X)` gives an object with `adjacency_` and its kin.

    import solverkit as sk
    learnt = sk.dag.fit(frame, score="bic")
    learnt.adjacency_, learnt.feature_names_in_, learnt.graph_

The answer carries its certificate, as every other result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.api import solve, solve_many
from solverkit.errors import UsageError
from solverkit.kinds.dag.build import dag
from solverkit.kinds.dag.drawing import draw
from solverkit.kinds.dag.export import digraph
from solverkit.kinds.dag.findings import files, graph_of
from solverkit.kinds.dag.markov import cpdag
from solverkit.kinds.dag.metrics import Distances, distances
from solverkit.kinds.dag.problem import ORDER, WEIGHTS, Dag
from solverkit.kinds.dag.varsortability import varsortability

if TYPE_CHECKING:
    from networkx import DiGraph
    from pandas import DataFrame

    from solverkit.engine.result import Result

__all__ = ["Learnt", "fit"]


@dataclass(frozen=True, eq=False)
class Learnt:
    """A learnt graph: the certified answer, and the pruned graph that one reads."""

    problem_: Dag
    result_: Result
    adjacency_: np.ndarray  # (d, d) pruned weights, [i, j] of the edge i -> j
    frequencies_: np.ndarray | None = field(default=None)  # (d, d) share of bootstraps that have the edge

    @property
    def weights_(self) -> np.ndarray:
        """(d, d): the answer as it was certified, dense where every earlier variable is a parent."""
        return self.result_.point[WEIGHTS]

    @property
    def order_(self) -> np.ndarray | None:
        """(d,) int: an order of the variables, where the method gives one."""
        order = self.result_.point.get(ORDER)
        return None if order is None else order.astype(int)

    @property
    def feature_names_in_(self) -> np.ndarray:
        """(d,) names: the columns' of a data frame."""
        return np.array(self.problem_.names, dtype=object)

    @property
    def n_features_in_(self) -> int:
        """d."""
        return self.problem_.d

    @property
    def score_(self) -> float:
        """The score of `weights_`."""
        return float(self.result_.fun)

    @cached_property
    def cpdag_(self) -> np.ndarray:
        """(d, d) bool: the Markov class of `adjacency_`; both directions where it leaves them open."""
        return cpdag(self.adjacency_ != 0)

    @cached_property
    def varsortability_(self) -> float:
        """Of `adjacency_`: near 1 where sorting columns by variance would nearly find it."""
        return varsortability(self.problem_.gram, self.adjacency_ != 0)

    @property
    def graph_(self) -> DiGraph:
        """A `networkx.DiGraph` of `adjacency_` on the variables' names."""
        return digraph(self.adjacency_, self.problem_.names)

    def to_frame(self) -> DataFrame:
        """`adjacency_` as a pandas data frame: rows are causes, columns effects."""
        from pandas import DataFrame

        names = list(self.problem_.names)
        return DataFrame(self.adjacency_, index=names, columns=names)

    def distances(self, truth: np.ndarray) -> Distances:
        """SHD, SID, precision and recall of `adjacency_` against a true graph, (d, d)."""
        return distances(self.adjacency_, np.asarray(truth))

    def save(self, folder: str | Path) -> Path:
        """Write result.json and point.npz, graph.graphml, edges.csv and graph.svg."""
        path = self.result_.save(folder)
        for name, text in (files(self.problem_, self.result_.point) | self._picture()).items():
            (Path(folder) / name).write_text(text)
        return path

    def _picture(self) -> dict[str, str]:
        if self.frequencies_ is None:
            return {}
        return {"graph.svg": draw(self.adjacency_, self.problem_.names, self.frequencies_)}

    def _repr_svg_(self) -> str:
        """The picture, in a notebook."""
        return draw(self.adjacency_, self.problem_.names, self.frequencies_)

    def __repr__(self) -> str:
        edges = np.count_nonzero(self.adjacency_)
        return f"Learnt({edges} edges among {self.problem_.d} variables, {self.result_.point_status.name})"


def fit(
    X: Any,
    *,
    score: str = "least-squares",
    method: str | None = None,
    options: Mapping[str, Any] | None = None,
    penalty: Mapping[str, float] | None = None,
    standardize: bool = False,
    forbidden: Sequence[Sequence[str]] = (),
    required: Sequence[Sequence[str]] = (),
    tiers: Sequence[Sequence[str]] = (),
    bootstraps: int = 0,
    jobs: int = 1,
    tol: float = 1e-6,
    max_time: float | None = None,
    seed: int = 0,
) -> Learnt:
    """Learn a graph from samples.

    X : (n, d) array, or a pandas data frame whose columns name the variables
    score : least-squares (equal noise, units matter), bic (units do not), logistic (0 and 1), mlp (nonlinear)
    method, options : as of `solverkit.solve`; the method of highest priority that fits where none is named
    forbidden, required, tiers : what is known of the edges, by names
    bootstraps : how often to learn again from resampled rows; `frequencies_` are the shares of edges
    jobs : worker processes for them

    Raises InvalidProblem, UsageError before any work; what the graph is worth stands in `result_.certificate`.
    """
    if bootstraps < 0:
        raise UsageError(f"bootstraps is a number, 0 or more; {bootstraps} was given")
    asked: dict[str, Any] = {
        "score": score,
        "penalty": penalty,
        "standardize": standardize,
        "forbidden": forbidden,
        "required": required,
        "tiers": tiers,
    }
    problem = dag(X, **asked)
    how: dict[str, Any] = {"options": options, "tol": tol, "max_time": max_time, "seed": seed}
    result = solve(problem, method, **how)
    frequencies = None
    if bootstraps:
        frequencies = _frequencies(problem, result.method, how, bootstraps, jobs, seed)
    return Learnt(problem, result, graph_of(problem, result.point), frequencies)


def _frequencies(
    problem: Dag, method: str, how: Mapping[str, Any], bootstraps: int, jobs: int, seed: int
) -> np.ndarray:
    """Share of bootstraps whose pruned graph has each edge, (d, d); of those that gave an answer."""
    rng = np.random.default_rng([seed, 2])
    again = [_resampled(problem, rng) for _ in range(bootstraps)]
    answers = [answer for answer in solve_many(again, method, jobs=jobs, **how) if hasattr(answer, "point")]
    shares = [graph_of(other, answer.point) != 0 for other, answer in zip(again, answers, strict=False)]
    return np.mean(shares, axis=0) if shares else np.full((problem.d, problem.d), np.nan)


def _resampled(problem: Dag, rng: np.random.Generator) -> Dag:
    """The problem of as many rows drawn anew, centred where the whole was."""
    from dataclasses import replace

    assert problem.samples is not None  # `dag` was given samples
    rows = problem.samples[rng.integers(len(problem.samples), size=len(problem.samples))]
    if problem.score != "logistic" and np.allclose(problem.samples.mean(axis=0), 0, atol=1e-8):
        rows = rows - rows.mean(axis=0)
    return replace(problem, samples=rows, gram=rows.T @ rows / len(rows), truth=None)
