"""sketched-newton with its defaults beside IPOPT: the 41 equality problems and the inequalities, at 1e-8.

Both read the same CasADi graphs, IPOPT at C speed (functions=native); times are of the solve alone, the least of five.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import solverkit as sk
from solverkit.errors import SolverKitError
from tests.figures.nonlinear._table import EQUALITIES, INEQUALITIES, shipped

METHODS: dict[str, dict[str, Any]] = {"sketched-newton": {}, "ipopt": {"functions": "native"}}
REPEATS = 5


def best(problem: Any, method: str) -> Any:
    """The fastest of some runs."""
    options = METHODS[method] or None
    runs = [sk.solve(problem, method=method, tol=1e-8, max_iter=500, options=options) for _ in range(REPEATS)]
    return min(runs, key=lambda run: run.timing["solve"])


def compare(names: Sequence[str]) -> None:
    """One table and its medians."""
    print("| problem |" + "".join(f" {method}: status, iterations, calls, ms |" for method in METHODS))
    print("|---|" + "---|" * len(METHODS))
    medians: dict[str, list[tuple[float, float, float]]] = {method: [] for method in METHODS}
    certified = dict.fromkeys(METHODS, 0)
    for name in names:
        cells, problem = [], shipped(name)
        for method in METHODS:
            run = best(problem, method)
            calls, time = sum(run.counts.values()), 1e3 * run.timing["solve"]
            medians[method].append((run.nit, calls, time))
            certified[method] += run.success
            cells.append(f"{run.point_status.name}, {run.nit}, {calls}, {time:.1f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    for method in METHODS:
        iterations, calls, time = np.median(np.array(medians[method]), axis=0)
        print(
            f"\n{method}: {certified[method]} of {len(names)} certified; medians: {iterations:g} iterations, "
            f"{calls:g} oracle calls, {time:.2f} ms"
        )


def main() -> None:
    try:
        compare(EQUALITIES)
        print()
        compare(INEQUALITIES)
    except SolverKitError as error:
        print(error)
