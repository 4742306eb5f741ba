"""Standardized columns, unequal noise, ER4, n = 1000: bic beside BOSS and GES, and beside the rules without a search.

Scores are the kind's bic of the graph that is left, less the true graph's; a negative one is better than the truth.
Runs that meet the limit, of wall time, count as not finished; GES gets two data sets, and none of the larger ones
where it finishes none of the smaller.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.dag.build import dag
from solverkit.kinds.dag.generators import linear_sem
from solverkit.kinds.dag.problem import Dag
from tests.figures.dag._peers import Ran, available, ran, say_what_is_missing

SIZES = {20: 5, 50: 2}
LIMITS = {"boss": 400.0, "ges": 60.0}
WAYS = (
    ("topological-swaps", "bic", "topological-swaps", {}),
    ("topological-swaps, one order", "bic", "topological-swaps", {"restarts": 1, "kicks": 0}),
    ("BOSS (causal-learn)", "bic", "boss", {}),
    ("GES (causal-learn)", "bic", "ges", {}),
    ("top-down", "bic", "top-down", {}),
    ("sort-and-regress", "bic", "sort-and-regress", {}),
    ("topological-swaps, least squares", "least-squares", "topological-swaps", {}),
    ("top-down, least squares", "least-squares", "top-down", {}),
    ("sort-and-regress, least squares", "least-squares", "sort-and-regress", {}),
)


def model(d: int, seed: int, score: str) -> Dag:
    made = linear_sem(d=d, edges=4, n=1000, seed=seed, least_deviation=0.5, most_deviation=2.0, standardize=1)
    return dag(made["X"], truth=made["W"], score=score)


def line(d: int, name: str, runs: list[Ran], gaps: list[float]) -> str:
    whole = [run for run in runs if run.finished]
    spent = f"{np.median([run.seconds for run in runs]):.2g}"
    if not whole:
        return f"| {d} | {name} | more than {spent} | 0/{len(runs)} | - | - | - | - |"
    near = np.mean([run.far.shd for run in whole if run.far])
    classes = np.mean([run.far.cpdag_shd for run in whole if run.far])
    sound = sum(run.certified for run in whole)
    gap = f"{np.median(gaps):.4f} ({np.max(gaps):.4f})"
    return f"| {d} | {name} | {spent} | {len(whole)}/{len(runs)} | {gap} | {near:.1f} | {classes:.1f} | {sound} |"


def main() -> None:
    say_what_is_missing()
    print("| d | method | median s | finished | score less truth's, median (max) | SHD | class SHD | certified |")
    print("|---|---|---|---|---|---|---|---|")
    patient = True
    for d, seeds in SIZES.items():
        for name, score, method, options in WAYS:
            if not available(method) or (method == "ges" and d > 20 and not patient):
                continue
            runs, gaps = [], []
            for seed in range(min(seeds, 2) if method == "ges" else seeds):
                judge = model(d, seed, "bic")
                run = ran(model(d, seed, score), method, LIMITS.get(method, 120.0), options)
                runs.append(run)
                if run.finished:
                    gaps.append(judge.score_of(run.graph) - judge.score_of(judge.truth))
            if method == "ges":
                patient = any(run.finished for run in runs)
            print(line(d, name, runs, gaps), flush=True)


if __name__ == "__main__":
    main()
