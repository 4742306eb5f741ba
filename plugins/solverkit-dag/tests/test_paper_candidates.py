"""`candidates: paper` against the paper's loop written with least-squares refits: the same orders, round by round."""

from __future__ import annotations

import numpy as np
import pytest
from dag_cases import dag, linear_model, swapped

import solverkit as sk
from solverkit.kinds.dag.knowledge import Knowledge
from solverkit_dag.precedence import Precedence
from solverkit_dag.search.candidates import GRID, Candidates, Sizes

FREE = Precedence.of(Knowledge.none(12))


class Reference:
    """The loop of the paper for linear models: X alone, `lstsq` for every node, a matrix inverse for grad h."""

    def __init__(self, X: np.ndarray, order: np.ndarray, sizes: Sizes, version: str) -> None:
        self.X, self.order, self.sizes, self.version, self.used = X, order.copy(), sizes, version, 0

    def fit(self, order: np.ndarray) -> tuple[np.ndarray, float]:
        W = np.zeros((len(order), len(order)))
        for k in range(1, len(order)):
            W[order[:k], order[k]] = np.linalg.lstsq(self.X[:, order[:k]], self.X[:, order[k]], rcond=None)[0]
        return W, 0.5 * float(np.square(self.X - self.X @ W).sum()) / len(self.X)

    def round(self) -> bool:
        """Whether the order changed."""
        W, score = self.fit(self.order)
        small, large = self.sets(W)
        if self.take(small, score):
            return True
        if self.used < self.sizes.no_large and self.take([pair for pair in large if pair not in small], score):
            self.used += 1
            return True
        return False

    def sets(self, W: np.ndarray) -> tuple[list, list]:
        d, order = len(W), self.order
        slope = np.linalg.inv(np.eye(d) - abs(W)).T  # grad h
        pairs = [(a, b) for a in range(d) for b in range(a + 1, d)]
        total = {(a, b): slope[order[b], order[a]] for a, b in pairs}
        total = {pair: 0.0 if abs(value) < 1e-12 else value for pair, value in total.items()}
        if self.version == "2024":
            return tuple(self.quantile(total, size) for size in (self.sizes.small, self.sizes.large))  # type: ignore
        chosen = []
        for size in (self.sizes.small, self.sizes.large):
            counts = [abs(sum(value <= tau for value in total.values()) - size) for tau in GRID]
            chosen.append([p for p in pairs if total[p] <= GRID[counts.index(min(counts))]])
        if len(chosen[1]) < self.sizes.large - 100:
            chosen[1] = sorted(pairs, key=lambda p: (total[p], p))[: self.sizes.large]
        return chosen[0], chosen[1]

    @staticmethod
    def quantile(total: dict, size: int) -> list:
        tau = sorted(total.values())[min(size, len(total)) - 1]
        return [pair for pair, value in total.items() if value <= tau]

    def take(self, pairs: list, score: float) -> bool:
        """Every pair refitted; improving ones accepted best first where intervals are disjoint."""
        better = []
        for a, b in sorted(pairs):
            other = self.fit(swapped(self.order, a, b))[1]
            if other < score * (1 - 1e-12):
                better.append((other, a, b))
        busy: set[int] = set()
        for _, a, b in sorted(better):
            if not busy & set(range(a, b + 1)):
                busy |= set(range(a, b + 1))
                self.order[[a, b]] = self.order[[b, a]]
        return bool(busy)


@pytest.mark.parametrize("version", ["2024", "2022"])
@pytest.mark.parametrize(("seed", "sizes"), [(0, Sizes.automatic(12)), (1, Sizes(12, 40, 3)), (2, Sizes(8, 66, 15))])
def test_the_trajectory_is_that_of_refits(seed: int, sizes: Sizes, version: str) -> None:
    X = linear_model(12, seed)[0]
    order = np.random.default_rng(seed).permutation(12)
    reference = Reference(X, order, sizes, version)
    search = Candidates(X.T @ X / len(X), FREE, sizes, version)
    chain = search.begin(order)
    rounds = 0
    while reference.round():
        search.advance(chain)
        np.testing.assert_array_equal(chain.order, reference.order)
        assert not chain.settled
        rounds += 1
    search.advance(chain)
    assert chain.settled
    assert chain.stage == reference.used
    assert rounds >= 1


def test_sizes_are_those_of_the_repository() -> None:
    assert [Sizes.automatic(d).large for d in (50, 100, 200)] == [588, 1980, 6475]
    assert Sizes.automatic(30) == Sizes(45, int(30**0.5 * 29 * np.log10(30)), 1)


def test_with_all_pairs_it_ends_at_a_local_optimum_over_swaps() -> None:
    X = linear_model(12, 4)[0]
    options = {"candidates": "paper", "s_small": 66, "s_large": 66}
    result = sk.solve(dag(X), method="topological-swaps", options=options)
    order = result.point["order"].astype(int)
    scores = [
        Reference(X, order, Sizes(1, 1, 1), "2024").fit(swapped(order, a, b))[1] for a in range(12) for b in range(a)
    ]
    assert min(scores) >= result.fun * (1 - 1e-10)


def test_an_end_at_the_candidates_that_is_no_local_optimum_is_no_claim() -> None:
    endings = set()
    for seed in range(6):
        problem = dag(linear_model(15, seed)[0])
        options = {"candidates": "paper", "s_small": 4, "s_large": 8}
        result = sk.solve(problem, method="topological-swaps", options=options)
        endings.add((result.termination.name, result.point_status.name))
    assert ("STALLED", "FEASIBLE") in endings
    assert ("CONVERGED", "FEASIBLE") not in endings


def test_other_scores_are_refused() -> None:
    problem = dag(linear_model(5, 0)[0], score="bic")
    with pytest.raises(sk.errors.UsageError, match="candidates: paper"):
        sk.solve(problem, method="topological-swaps", options={"candidates": "paper"})
