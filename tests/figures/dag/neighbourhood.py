"""All swaps and insertions of an order: time, agreement with refits, and what refits or small factors would cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.linalg import cholesky
from scipy.linalg.lapack import dposv

from solverkit.kinds.dag.generators import linear_sem
from solverkit_dag.kernels.factor import factor
from solverkit_dag.kernels.neighbourhood import insertions, swaps

SIZES = (50, 100, 200, 500, 1000)
SAMPLED = {"refit": 3, "gram": 5, "block": 30}  # swaps that are timed the other ways; all swaps by extrapolation

LARGEST_REFIT = 500  # one swap takes minutes above


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median of processor time: on a busy machine the clock on the wall counts others' work."""
    spent = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return float(np.median(spent))


def by_refit(X: np.ndarray, order: np.ndarray, a: int, b: int) -> float:
    """Least squares on the samples for every node between, as the paper's code does: (1/2) sum of variances."""
    total = 0.0
    for k in range(a, b + 1):
        target = X[:, order[k]]
        if k:
            w = np.linalg.lstsq(X[:, order[:k]], target, rcond=None)[0]
            target = target - X[:, order[:k]] @ w
        total += 0.5 * float(target @ target) / len(X)
    return total


def by_gram(S: np.ndarray, order: np.ndarray, a: int, b: int) -> float:
    """The same from the Gram matrix, one solve for each node."""
    total = 0.0
    for k in range(a, b + 1):
        before, u = order[:k], order[k]
        cross = S[before, u]
        explained = float(cross @ dposv(S[np.ix_(before, before)], cross)[1]) if k else 0.0
        total += 0.5 * (float(S[u, u]) - explained)
    return total


def by_block(upper: np.ndarray, a: int, b: int) -> float:
    """One small factorization for each swap, of the conditional covariance between the positions."""
    block = upper[a : b + 1, a : b + 1]
    C = block.T @ block
    C[[0, -1]] = C[[-1, 0]]
    C[:, [0, -1]] = C[:, [-1, 0]]
    return 0.5 * float(np.square(np.diag(cholesky(C, check_finite=False))).sum())


def elsewise(X: np.ndarray, S: np.ndarray, order: np.ndarray, upper: np.ndarray) -> tuple[dict[str, float], float]:
    """Seconds a swap by each other way, and the largest disagreement with ours, relative to the score."""
    change, rng = swaps(upper), np.random.default_rng(0)
    square = np.square(np.diag(upper))
    costs, error, d = {}, 0.0, len(order)
    for way, count in SAMPLED.items():
        if way == "refit" and d > LARGEST_REFIT:
            costs[way] = float("nan")
            continue
        spent, count = 0.0, count if d <= 200 else 1
        for _ in range(count):
            a, b = np.sort(rng.choice(d, 2, replace=False)).tolist()
            other = order.copy()
            other[[a, b]] = other[[b, a]]
            work = {
                "refit": partial(by_refit, X, other, a, b),
                "gram": partial(by_gram, S, other, a, b),
                "block": partial(by_block, upper, a, b),
            }[way]
            began = time.process_time()
            found = work()
            spent += time.process_time() - began
            error = max(error, abs(2 * found - square[a : b + 1].sum() - change[a, b]) / square.sum())
        costs[way] = spent / count
    return costs, float(error)


def main() -> None:
    print("| d | pairs | swaps ms | insertions ms | factor ms | error | refits / ours | Gram / ours | block / ours |")
    print("|---|---|---|---|---|---|---|---|---|")
    for d in SIZES:
        X = linear_sem(d=d, edges=4, n=max(1000, 2 * d), seed=1)["X"]
        X = X - X.mean(axis=0)
        S = X.T @ X / len(X)
        order = np.random.default_rng(0).permutation(d)
        upper, inverse = factor(S, order)
        swaps(upper), insertions(upper, inverse)  # compilation
        ours, moved = seconds(partial(swaps, upper)), seconds(partial(insertions, upper, inverse))
        factored, pairs = seconds(partial(factor, S, order)), d * (d - 1) // 2
        costs, error = elsewise(X, S, order, upper)
        ratios = " | ".join(f"{costs[way] * pairs / ours:.1e}" for way in SAMPLED)
        times = f"{1e3 * ours:.3g} | {1e3 * moved:.2g} | {1e3 * factored:.2g}"
        print(f"| {d} | {pairs} | {times} | {error:.0e} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
