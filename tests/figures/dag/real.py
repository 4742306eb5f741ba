"""Sachs, and samples of the published networks ecoli70 and arth150: SHD and time, large and small samples, 10 seeds.

bic throughout, of the columns as they come; the rules without a search get an order from variances and the same score.
BOSS gets the smaller problems. Sachs is one table; its "truth" is a consensus of biologists.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solverkit.formats.load import load
from solverkit.kinds.dag.problem import Dag
from tests.figures.dag._peers import available, ran, say_what_is_missing

PROBLEMS = "problems/dag"
TABLES: tuple[tuple[str, int, int], ...] = (
    ("sachs", 7466, 1),
    ("ecoli70", 1000, 10),
    ("ecoli70", 100, 10),
    ("arth150", 1000, 10),
    ("arth150", 150, 10),
)
METHODS = (
    ("topological-swaps", "topological-swaps", False),
    ("topological-swaps, extended price", "topological-swaps", True),
    ("top-down", "top-down", False),
    ("sort-and-regress", "sort-and-regress", False),
    ("BOSS (causal-learn)", "boss", False),
)


def extended(problem: Dag) -> Dag:
    """With the price of an edge of Chen and Chen (2008): log n + 2 log d in place of log n."""
    return replace(problem, edge_cost=1 + 2 * float(np.log(problem.d)) / float(np.log(problem.n)))


def main() -> None:
    say_what_is_missing()
    print("| data | n | method | median s | SHD | class SHD | precision | recall | certified |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, n, seeds in TABLES:
        for label, method, dear in METHODS:
            if not available(method) or (method == "boss" and name != "sachs"):
                continue
            runs = []
            for seed in range(seeds):
                given = {} if name == "sachs" else {"n": n, "seed": seed}
                problem = load(f"{PROBLEMS}/{name}/problem.yaml", parameters=given)
                runs.append(ran(extended(problem) if dear else problem, method, 300.0))
            far = [run.far for run in runs if run.far]
            near, classes = np.mean([each.shd for each in far]), np.mean([each.cpdag_shd for each in far])
            shares = f"{np.mean([each.precision for each in far]):.2f} | {np.mean([each.recall for each in far]):.2f}"
            spent, sound = np.median([run.seconds for run in runs]), sum(run.certified for run in runs)
            print(
                f"| {name} | {n} | {label} | {spent:.2g} | {near:.1f} | {classes:.1f} | {shares} | {sound}/{seeds} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
