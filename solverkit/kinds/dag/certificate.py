"""The independent check of a learnt graph: every condition recomputed in float64 from the problem's data.

| term | value | tolerance |
|---|---|---|
| acyclic | variables on a cycle, by topological sort: exact | 0 |
| knowledge | forbidden edges that are there, and required ones that would close a cycle | 0 |
| order | where the point has an order: edges and required edges that go backward in it | 0 |
| stationarity | KKT residual of the NOTEARS problem with |W|; of bic: of the fit on the graph | 10 tol |
| neighbourhood | how much the best swap or insertion in the order improves the score, relative to it | tol |
| oracles | where samples are kept: X'(X v) / n against S v for random v | 1e-8 |
| neighbourhood | of bic: how much a refit and the best addition, deletion or reversal of an edge improve it | tol |

Least squares without penalty or knowledge is checked exhaustively in O(d^3) (`neighbourhood.py`), bic exhaustively by
closed forms (`graph_moves.py`). Every other score refits the variables between the two positions (`orders.py`): all
moves where they are at most `EXHAUSTIVE`, otherwise all neighbours' swaps and a seeded sample, which the term's note
says. The networks of `mlp` are checked for stationarity alone, and the note of that term says so.

A certified graph is a local optimum: nothing is claimed about the best graph of all, nor about causes.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.base import Certificate, Point, Term
from solverkit.kinds.dag import orders, stationarity
from solverkit.kinds.dag.acyclic import topological_order
from solverkit.kinds.dag.graph_moves import best_graph_move
from solverkit.kinds.dag.neighbourhood import best_move
from solverkit.kinds.dag.problem import HIDDEN, ORDER, OUTPUT, WEIGHTS, Dag
from solverkit.kinds.dag.root import exact_root
from solverkit.kinds.dag.scores import edge_price, residual_variances
from solverkit.kinds.dag.varsortability import varsortability

EXHAUSTIVE = 3000
"""Moves that are tried by refits."""

PRICES = 1000
"""Prices of an edge that an improvement of bic is relative to, at most."""

LARGEST_SORTED = 200
"""Variables up to which varsortability is reported: on a dense graph it costs O(d^4)."""

PROBES, MOMENTS = 2, 1e-8
"""Random vectors along which the Gram matrix is held against the samples, and how well it has to fit."""

Facts = dict[str, float | str | bool]


def certify(problem: Dag, point: Point, tol: float = 1e-6, seed: int = 0) -> Certificate:
    """The verdict on a point. Never raises: what cannot be computed is UNVERIFIED and says why."""
    try:
        W = _weights(problem, point)
        order = _order(problem, point)
        if problem.score == "mlp":
            _networks(problem, point)
        with np.errstate(all="ignore"):
            return _certify(problem, W, order, point, float(tol), seed)
    except KeyError as error:
        return Certificate((), unverified=f"block {error} is missing")
    except ValueError as error:
        return Certificate((), unverified=str(error))
    except Exception as error:  # whatever the data provoke becomes part of the verdict
        return Certificate((), unverified=f"{type(error).__name__}: {error}")


def _weights(problem: Dag, point: Point) -> np.ndarray:
    W = np.asarray(point[WEIGHTS], dtype=float)
    if W.shape != (problem.d, problem.d):
        raise ValueError(f"block '{WEIGHTS}' has shape {W.shape}; problem {problem.name!r} has {problem.d} variables")
    if not np.isfinite(W).all():
        raise ValueError("the weights are not finite")
    return W


def _networks(problem: Dag, point: Point) -> None:
    """ValueError where the networks are not those of the problem."""
    d = problem.d
    for name, shape in ((HIDDEN, (d, problem.hidden, d)), (OUTPUT, (d, problem.hidden))):
        if np.shape(point[name]) != shape:
            raise ValueError(f"block '{name}' has shape {np.shape(point[name])}, not {shape}")


def _order(problem: Dag, point: Point) -> np.ndarray | None:
    if ORDER not in point:
        return None
    given = np.asarray(point[ORDER], dtype=float)
    if given.shape != (problem.d,) or not np.array_equal(np.sort(given), np.arange(problem.d)):
        raise ValueError(f"block '{ORDER}' is no permutation of 0, ..., {problem.d - 1}")
    return given.astype(int)


def _certify(problem: Dag, W: np.ndarray, order: np.ndarray | None, point: Point, tol: float, seed: int) -> Certificate:
    if not (np.isfinite(problem.gram).all() and (np.diag(problem.gram) >= 0).all()):
        # LAPACK does not return from least squares on what is not a number
        return Certificate((), unverified="the Gram matrix is not finite, or has a negative variance")
    edges, required = W != 0, problem.known.required
    facts: Facts = {"edges": float(edges.sum())}
    found = topological_order(edges)
    terms = [Term("acyclic", _on_cycles(edges), 0.0, feasibility=True)]
    broken = float((edges & problem.known.forbidden & ~np.eye(problem.d, dtype=bool)).sum())
    joint = topological_order(edges | required)
    if found is not None and joint is None:
        broken += _on_cycles(edges | required)
    terms.append(Term("knowledge", broken, 0.0, feasibility=True))
    if order is not None:
        terms.append(Term("order", _backward(edges | required, order), 0.0, feasibility=True))
    if joint is None or not all(term.ok for term in terms):
        return Certificate(tuple(terms), facts)
    score = problem.objective({**point, WEIGHTS: W})
    if not np.isfinite(score):
        return Certificate((), facts, f"the score is {score}: a variable is an exact function of its parents")
    facts["score"] = score
    if edges.any() and problem.d <= LARGEST_SORTED:
        facts["varsortability"] = varsortability(problem.gram, edges)
    if problem.samples is not None:
        terms.append(Term("oracles", _moments(problem, problem.samples, seed), MOMENTS))
    terms += _optimality(problem, W, joint if order is None else order, point, score, tol, seed)
    return Certificate(tuple(terms), facts)


def _moments(problem: Dag, X: np.ndarray, seed: int) -> float:
    """How far the Gram matrix is from that of the samples, in units of each variable's size, along random vectors."""
    size = np.sqrt(np.diag(problem.gram))
    v = np.random.default_rng(seed).choice([-1.0, 1.0], (problem.d, PROBES)) / size[:, None]
    left = (X.T @ (X @ v) / problem.n - problem.gram @ v) / size[:, None]
    return float(np.abs(left).max(initial=0.0)) / problem.d


def _on_cycles(edges: np.ndarray) -> float:
    """How many variables are left when all that lie on no cycle, nor below one, are taken away."""
    left = np.ones(len(edges), dtype=bool)
    while True:
        free = left & ~edges[left].any(axis=0)
        if not free.any():
            return float(left.sum())
        left &= ~free


def _backward(edges: np.ndarray, order: np.ndarray) -> float:
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    return float((edges & (place[:, None] >= place[None, :])).sum())


def _optimality(
    problem: Dag, W: np.ndarray, order: np.ndarray, point: Point, score: float, tol: float, seed: int
) -> list[Term]:
    if problem.score == "mlp":
        return [_network_term(problem, W, point, tol)]
    if problem.score == "bic":
        gain, note = _graph_gain(problem, W, score)
        return [
            Term("stationarity", stationarity.refit(problem, W), 10 * tol),
            Term("neighbourhood", gain, tol, note=note),
        ]
    gain, note = _order_gain(problem, W, order, score, seed)
    return [Term("stationarity", stationarity.kkt(problem, W), 10 * tol), Term("neighbourhood", gain, tol, note=note)]


def _graph_gain(problem: Dag, W: np.ndarray, score: float) -> tuple[float, str]:
    """How much a refit and the best change of an edge improve bic, and what to say of it.

    Relative to 1, or to `PRICES` prices of an edge where that is less: of ten million samples an edge is worth no more
    than 1e-6.
    """
    best = best_graph_move(problem, W != 0)
    own = np.maximum(residual_variances(problem.gram, W), np.finfo(float).tiny)
    price = edge_price(problem)
    refit = 0.5 * float(np.log(own).sum()) + price * np.count_nonzero(W) - score
    size = min(1.0, PRICES * max(np.log(problem.n), 1.0) / (2 * problem.n))
    note = "" if best.move == "none" else f"{best.move} {problem.names[best.i]} -> {problem.names[best.j]}"
    return (max(refit, 0.0) - best.change) / size, note


def _order_gain(problem: Dag, W: np.ndarray, order: np.ndarray, score: float, seed: int) -> tuple[float, str]:
    """How much the best move improves the score, relative to it, and what to say of it."""
    plain = problem.score == "least-squares" and problem.l1 == 0
    exact = exact_root(problem) if plain else None
    if exact is not None:
        score = 0.5 * float(((exact - exact @ W) ** 2).sum())
    size = max(abs(score), np.finfo(float).tiny)
    few = 3 * problem.d * problem.d // 2 <= EXHAUSTIVE
    if plain and problem.known.trivial and not (few and exact is not None):
        try:
            best = best_move(problem.gram, order)
            said = "" if best.move == "none" else f"{best.move} of positions {best.source} and {best.target}"
            return (score - best.score) / size, said
        except np.linalg.LinAlgError:
            pass  # dependent columns: the plain way below needs no factor
    return _refitted_gain(problem, orders.NodeScores(problem, exact), order, score, seed)


def _refitted_gain(
    problem: Dag, nodes: orders.NodeScores, order: np.ndarray, score: float, seed: int
) -> tuple[float, str]:
    parts = np.array([nodes.at(order, place) for place in range(problem.d)])
    best, tried = float(parts.sum()), 0
    for move in orders.moves(problem.d, EXHAUSTIVE, np.random.default_rng(seed)):
        candidate = move.apply(order)
        tried += 1
        if not problem.known.allows(candidate):
            continue
        low, high = sorted((move.source, move.target))
        changed = sum(nodes.at(candidate, place) for place in range(low, high + 1))
        best = min(best, float(parts.sum() - parts[low : high + 1].sum() + changed))
    every = 3 * problem.d * (problem.d - 1) // 2 - 2 * (problem.d - 1)
    note = "" if tried == every else f"{tried} of {every} moves tried"
    return (score - best) / max(abs(score), np.finfo(float).tiny), note


def _network_term(problem: Dag, W: np.ndarray, point: Point, tol: float) -> Term:
    hidden, output = (np.asarray(point[name], dtype=float) for name in (HIDDEN, OUTPUT))
    norms = np.sqrt((hidden**2).sum(axis=1)).T  # (input, variable)
    if not np.allclose(norms, W, rtol=1e-8, atol=1e-12):
        raise ValueError(f"block '{WEIGHTS}' does not hold the norms of the first layers in '{HIDDEN}'")
    value = stationarity.networks(problem, hidden, output, W != 0)
    return Term("stationarity", value, 10 * tol, note="of the networks; other orders were not tried")
