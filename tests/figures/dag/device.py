"""Orders of many bootstraps, descended together by torch, and one after the other by the compiled search.

Each bootstrap is a Gram matrix of resampled data with a random order. `descend` takes the best insertion, and the best
swap where none helps; `topological-swaps` with one order does the same moves in its own sequence. Scores are of the
local optima, as a mean over the bootstraps relative to that of the true graph.
"""

from __future__ import annotations

import time

import numpy as np
import torch

import solverkit as sk
from solverkit.kinds.dag.build import dag
from solverkit_dag.batched import descend

CASES = ((256, 20), (256, 50), (64, 200))  # bootstraps, variables
SHARE = 8  # of the bootstraps, one in so many is done by the compiled search, and the time scaled


def grams(count: int, d: int) -> np.ndarray:
    """Gram matrices (count, d, d) of resamples of a linear model with unit noise."""
    rng = np.random.default_rng(d)
    n = 5 * d
    W = np.triu(rng.uniform(0.5, 2.0, (d, d)) * rng.choice([-1, 1], (d, d)) * (rng.random((d, d)) < 2 / d), 1)
    X = rng.standard_normal((n, d)) @ np.linalg.inv(np.eye(d) - W)
    X = X[:, rng.permutation(d)]
    rows = rng.integers(0, n, (count, n))
    return np.stack([X[pick].T @ X[pick] / n for pick in rows])


def main() -> None:
    """The table."""
    torch.set_num_threads(1)
    print("| bootstraps | d | how | time | a second | mean score |\n|---|---|---|---|---|---|")
    for count, d in CASES:
        S = grams(count, d)
        rng = np.random.default_rng(0)
        orders = np.stack([rng.permutation(d) for _ in range(count)])
        part = count // SHARE
        runs = [
            sk.solve(dag(gram=one, count=5 * d), "topological-swaps", {"restarts": 1}, seed=k)
            for k, one in enumerate(S[: part + 1])
        ][1:]  # the first compiles
        seconds = sum(run.timing["solve"] for run in runs) * SHARE
        _print(count, d, "compiled, one core (a part, scaled)", seconds, np.mean([run.fun for run in runs]))
        for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
            if device == "cpu" and count * d**3 > 1e8:
                continue
            tensors = torch.as_tensor(S, device=device), torch.as_tensor(orders, device=device)
            descend(tensors[0][:2], tensors[1][:2], 3)
            begun = time.perf_counter()
            _, scores = descend(*tensors)
            score = float(scores.mean())
            seconds = time.perf_counter() - begun
            _print(count, d, f"torch, {'one core' if device == 'cpu' else 'GPU'}", seconds, score)


def _print(count: int, d: int, how: str, seconds: float, score: float) -> None:
    print(f"| {count} | {d} | {how} | {seconds:.2f} s | {count / seconds:.0f} | {score:.6g} |", flush=True)
