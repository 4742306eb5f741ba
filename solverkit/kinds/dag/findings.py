"""What a user sees of an answer besides its certificate: the pruned graph as files, and sentences about it."""

from __future__ import annotations

import numpy as np

from solverkit.kinds.base import Point
from solverkit.kinds.dag.acyclic import topological_order
from solverkit.kinds.dag.drawing import draw
from solverkit.kinds.dag.export import edge_list, graphml
from solverkit.kinds.dag.markov import cpdag
from solverkit.kinds.dag.metrics import distances
from solverkit.kinds.dag.problem import WEIGHTS, Dag
from solverkit.kinds.dag.prune import pruned
from solverkit.kinds.dag.varsortability import varsortability

SORTED = 0.9
"""Varsortability from which on a warning is due."""

LARGEST = 200
"""Variables up to which an answer is remarked upon without being asked: pruning more of them takes seconds."""

DRAWN = 300
"""Edges up to which a graph is drawn: beyond them a picture shows nothing."""


def graph_of(problem: Dag, point: Point) -> np.ndarray:
    """The pruned weights of an answer, (d, d); zeros where the answer has a cycle."""
    W = np.asarray(point[WEIGHTS], dtype=float)
    return pruned(problem, W) if topological_order(W != 0) is not None else np.zeros_like(W)


def files(problem: Dag, point: Point) -> dict[str, str]:
    """`graph.graphml`, `edges.csv`, and `graph.svg` where it can be read."""
    W = graph_of(problem, point)
    undirected = None
    if problem.score == "bic":
        members = cpdag(W != 0)
        undirected = members & members.T
    made = {"graph.graphml": graphml(W, problem.names), "edges.csv": edge_list(W, problem.names, undirected)}
    if np.count_nonzero(W) <= DRAWN:
        made["graph.svg"] = draw(W, problem.names)
    return made


def remarks(problem: Dag, point: Point) -> list[str]:
    """Sentences: the pruned graph, how far sorting variances would go, and how far the truth is where it is known."""
    if problem.d > LARGEST:
        return []
    W = graph_of(problem, point)
    said = [f"pruned graph: {np.count_nonzero(W)} edges among {problem.d} variables"]
    share = varsortability(problem.gram, W != 0)
    if problem.score == "least-squares" and share >= SORTED:
        said.append(
            f"varsortability {share:.2f}: variances grow along the edges, so sorting columns by variance nearly finds "
            "this graph; where the columns' units are arbitrary, so is it (score: bic does not depend on them)"
        )
    if problem.n <= problem.d and problem.score == "least-squares":
        said.append(
            f"{problem.n} samples of {problem.d} variables: the last variables of any order are explained exactly, by "
            "noise; few edges of this graph mean anything"
        )
    if problem.truth is not None:
        found = distances(W, problem.truth)
        sid = f", SID {found.sid}" if found.sid >= 0 else ""
        said.append(
            f"against the truth: SHD {found.shd} (of the Markov classes {found.cpdag_shd}){sid}, "
            f"precision {found.precision:.3f}, recall {found.recall:.3f}"
        )
    return said
