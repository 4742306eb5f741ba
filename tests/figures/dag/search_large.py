"""Search over orders of 500 and 1000 variables, from a random order, one thread."""

from __future__ import annotations

import numpy as np

from solverkit_dag.initial import top_down
from solverkit_dag.precedence import Precedence
from solverkit_dag.search.closed_form import ClosedForm
from tests.figures.dag._models import certified, distance, equal_noise, order_score, searched, true_order


def main() -> None:
    print("| d | n | seconds | steps | score | the true order's | top-down's | certified | SHD |")
    print("|---|---|---|---|---|---|---|---|---|")
    for d, n in ((500, 1000), (1000, 2000)):
        problem = equal_noise(d, 0, n)
        free = Precedence.of(problem.known)
        done = searched(ClosedForm(problem.gram, free), np.random.default_rng(1).permutation(d).astype(np.int64))
        truth = order_score(problem, true_order(problem))
        other = order_score(problem, top_down(problem.gram, free))
        far = distance(problem, done.chain.order) if d <= 500 else -1  # pruning is O(d^4): a minute at d = 1000
        numbers = f"{done.seconds:.2f} | {done.steps} | {done.chain.score:.4f} | {truth:.4f} | {other:.4f}"
        sound = "yes" if certified(problem, done.chain) else "no"
        print(f"| {d} | {n} | {numbers} | {sound} | {far if far >= 0 else '-'} |", flush=True)


if __name__ == "__main__":
    main()
