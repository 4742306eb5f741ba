"""Search over orders, equal noise, ER4, n = 1000: time, score against the true order's, SHD; 20 seeds."""

from __future__ import annotations

import time

import numpy as np

from solverkit_dag.initial import by_variance, top_down
from solverkit_dag.precedence import Precedence
from solverkit_dag.search.closed_form import ClosedForm
from tests.figures.dag._models import certified, distance, equal_noise, order_score, searched, true_order

SIZES, SEEDS = (50, 100, 200), 20


def main() -> None:
    print(
        "| d | from | median s | worst s | steps | at or below the true order | certified | gap mean (max) | SHD mean |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for d in SIZES:
        rows: dict[str, list[tuple[float, int, float, bool, int]]] = {}
        for seed in range(SEEDS):
            problem = equal_noise(d, seed)
            free, truth = Precedence.of(problem.known), order_score(problem, true_order(problem))
            random = np.random.default_rng(1000 + seed).permutation(d).astype(np.int64)
            search = ClosedForm(problem.gram, free)
            if not rows:
                searched(search, random)  # compilation
            others = [np.random.default_rng([seed, k]).permutation(d).astype(np.int64) for k in range(3)]
            starts = {
                "one random order": [random],
                "four random orders, as it is shipped": [random, *others],
                "variance sort": [by_variance(problem.gram, free)],
            }
            for name, orders in starts.items():
                runs = [searched(search, order) for order in orders]
                chain = min((run.chain for run in runs), key=lambda chain: chain.score)
                spent, steps = sum(run.seconds for run in runs), sum(run.steps for run in runs)
                gap, sound = chain.score - truth, certified(problem, chain)
                rows.setdefault(name, []).append((spent, steps, gap, sound, distance(problem, chain.order)))
            for name, rule in (("top-down, no search", top_down), ("variance sort, no search", by_variance)):
                began = time.process_time()
                order = rule(problem.gram, free)
                spent = time.process_time() - began
                chain = search.begin(order)
                sound = certified(problem, chain)
                rows.setdefault(name, []).append((spent, 0, chain.score - truth, sound, distance(problem, order)))
        for name, row in rows.items():
            times, counts, gaps, certificates, shds = np.array(row, dtype=float).T
            below = f"{int((gaps <= 1e-12).sum())}/{SEEDS}"
            print(
                f"| {d} | {name} | {np.median(times):.2g} | {times.max():.2g} | {np.median(counts):.0f} | {below} "
                f"| {int(certificates.sum())}/{SEEDS} | {gaps.mean():.3g} ({gaps.max():.3g}) | {shds.mean():.2f} |"
            )


if __name__ == "__main__":
    main()
