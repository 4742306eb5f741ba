"""Equal noise, ER4, n = 1000: time, scores and distances beside DAGMA, and beside the rules without a search.

refit: least squares on the edges that are left. order: least squares on everything before a variable in the answer's
order, which is what searches over orders minimize. Processor time of one thread; medians of 5, of DAGMA one run a data
set.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.dag.build import dag
from solverkit.kinds.dag.generators import linear_sem
from solverkit.kinds.dag.problem import Dag
from tests.figures.dag._models import order_score, true_order
from tests.figures.dag._peers import Ran, available, ran, say_what_is_missing

SIZES = {50: (1, 2), 100: (1,)}
WAYS = (("topological-swaps", 5), ("top-down", 5), ("sort-and-regress", 5), ("dagma", 1))


def row(d: int, name: str, found: list[list[Ran]], problems: list[Dag], ours: tuple[float, float]) -> str:
    """Means over data sets of the medians of each."""
    spent, own = times(found)
    last = [runs[-1] for runs in found]
    refit = np.mean([problem.score_of(run.graph) for problem, run in zip(problems, last, strict=True)])
    order = np.mean([order_score(problem, run.order) for problem, run in zip(problems, last, strict=True)])
    near = np.mean([[run.far.shd, run.far.cpdag_shd] for run in last if run.far], axis=0)
    costs = f"{own:.3g} | {spent:.3g} | {own / ours[1]:.3g} | {spent / ours[0]:.3g}"
    return f"| {d} | {name} | {costs} | {refit:.3f} | {order:.3f} | {near[0]:.1f} | {near[1]:.1f} |"


def times(found: list[list[Ran]]) -> tuple[float, float]:
    """Of the whole, and of the method alone."""
    whole = [np.median([run.seconds for run in runs]) for runs in found]
    own = [np.median([run.own for run in runs]) for runs in found]
    return float(np.mean(whole)), float(np.mean(own))


def main() -> None:
    say_what_is_missing()
    print(
        "| d | method | s alone | s with certificate, pruning | ratio alone | ratio | refit | order | SHD | class SHD |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for d, seeds in SIZES.items():
        problems = []
        for seed in seeds:
            made = linear_sem(d=d, edges=4, n=1000, seed=seed)
            problems.append(dag(made["X"], truth=made["W"]))
        ours = None
        for name, repeats in WAYS:
            if not available(name):
                continue
            ran(problems[0], name, 0.01 if name == "dagma" else 60.0)  # imports and compilation
            found = [[ran(problem, name, 3000.0) for _ in range(repeats)] for problem in problems]
            ours = ours or times(found)
            print(row(d, name, found, problems, ours), flush=True)
        true = [problem.score_of(_on_truth(problem)) for problem in problems]
        orders = [order_score(problem, true_order(problem)) for problem in problems]
        print(f"| {d} | (the true graph) | | | | | {np.mean(true):.3f} | {np.mean(orders):.3f} | 0 | 0 |", flush=True)


def _on_truth(problem: Dag) -> np.ndarray:
    from solverkit.kinds.dag.scores import refitted

    assert problem.truth is not None
    return refitted(problem.gram, problem.truth != 0)


if __name__ == "__main__":
    main()
