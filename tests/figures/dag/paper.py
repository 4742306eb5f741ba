"""The paper's candidate sets against the whole neighbourhood, both scored by closed forms; random orders, 5 seeds."""

from __future__ import annotations

import numpy as np

from solverkit_dag.precedence import Precedence
from solverkit_dag.search.candidates import Candidates, Sizes
from solverkit_dag.search.closed_form import ClosedForm
from tests.figures.dag._models import certified, distance, equal_noise, order_score, searched, true_order

SEEDS = 5
SCRIPTS = {50: Sizes(150, 1225, 15), 100: Sizes(150, 2500, 15)}


def main() -> None:
    print("| d | candidates | sizes | version | median s | rounds | gap mean (max) | certified | SHD mean |")
    print("|---|---|---|---|---|---|---|---|---|")
    for d in (50, 100):
        ways: list[tuple[str, Sizes | None, str]] = [
            ("paper", Sizes.automatic(d), "2024"),
            ("paper", SCRIPTS[d], "2022"),
            ("all", None, ""),
        ]
        for name, sizes, version in ways:
            rows = []
            for seed in range(SEEDS):
                problem = equal_noise(d, seed)
                free = Precedence.of(problem.known)
                gram = problem.gram
                search = ClosedForm(gram, free) if sizes is None else Candidates(gram, free, sizes, version)
                done = searched(search, np.random.default_rng(1000 + seed).permutation(d).astype(np.int64))
                gap = done.chain.score - order_score(problem, true_order(problem))
                sound = certified(problem, done.chain)
                rows.append((done.seconds, done.steps, gap, sound, distance(problem, done.chain.order)))
            spent, steps, gaps, sound_, shds = np.array(rows, dtype=float).T
            said = "" if sizes is None else f"{sizes.small} / {sizes.large} / {sizes.no_large}"
            print(
                f"| {d} | {name} | {said} | {version} | {np.median(spent):.2g} | {np.median(steps):.0f} "
                f"| {gaps.mean():.3g} ({gaps.max():.3g}) | {int(sound_.sum())}/{SEEDS} | {shds.mean():.1f} |"
            )


if __name__ == "__main__":
    main()
