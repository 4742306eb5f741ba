"""Unequal noise, standardized columns: bic beside least squares and beside the rules without a search."""

from __future__ import annotations

import time

import numpy as np

import solverkit as sk
from solverkit.kinds.dag.markov import cpdag
from solverkit.kinds.dag.metrics import shd
from solverkit.kinds.dag.prune import pruned
from tests.figures.dag._models import unequal_noise

WAYS: tuple[tuple[str, str, str, dict], ...] = (
    ("bic, as it is shipped", "bic", "topological-swaps", {}),
    ("bic, one order", "bic", "topological-swaps", {"restarts": 1, "kicks": 0}),
    ("least squares, pruned", "least-squares", "topological-swaps", {}),
    ("top-down, pruned", "least-squares", "top-down", {}),
    ("sort-and-regress, pruned", "least-squares", "sort-and-regress", {}),
)


def main() -> None:
    print("| d | method | median s | score less the truth's, median (max) | SHD | SHD of Markov classes |")
    print("|---|---|---|---|---|---|")
    for d, seeds in ((20, 5), (50, 3)):
        for name, score, method, options in WAYS:
            rows = []
            for seed in range(seeds):
                problem = unequal_noise(d, seed, score)
                assert problem.truth is not None
                began = time.process_time()
                result = sk.solve(problem, method=method, options=options)
                spent = time.process_time() - began
                graph = pruned(problem, result.point["W"]) != 0
                gap = result.fun - problem.score_of(problem.truth) if score == "bic" else np.nan
                true = problem.truth != 0
                rows.append((spent, gap, shd(graph, true), shd(cpdag(graph), cpdag(true))))
            spent_, gaps, near, classes = np.array(rows, dtype=float).T
            said = f"{np.median(gaps):.3g} ({gaps.max():.3g})" if score == "bic" else "-"
            print(
                f"| {d} | {name} | {np.median(spent_):.2g} | {said} | {near.mean():.1f} | {classes.mean():.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
