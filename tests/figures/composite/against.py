"""Gradients of f, K-products and time to certified gaps of 1e-2, 1e-3 and 1e-4 (relative): sliding against the others.

Fused lasso of 100 unknowns on a box, conditions 1e2 and 1e4, from zeros. Each cell: gradients / pairs of products /
seconds. A method that is not there within its limit of time shows the gap it certifies.
"""

from __future__ import annotations

from typing import Any

import solverkit as sk
from tests.figures.composite._models import fused_lasso

METHODS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("accelerated-gradient-sliding", "accelerated, production", {}),
    ("accelerated-gradient-sliding", "accelerated, paper", {"mode": "paper"}),
    ("gradient-sliding", "subgradients", {}),
    ("restarted-sliding", "restarted", {}),
    ("smoothed-fista", "smoothed FISTA", {}),
    ("smoothed-fista", "smoothed FISTA, eta falling", {"decreasing": True}),
    ("condat-vu", "Condat-Vu", {}),
)
LIMIT = 12.0


def main() -> None:
    print("| L/mu | method | 1e-2 | 1e-3 | 1e-4 |")
    print("|---|---|---|---|---|")
    for condition in (1e2, 1e4):
        problem = fused_lasso(condition)
        for method, name, options in METHODS:
            cells = []
            for tol in (1e-2, 1e-3, 1e-4):
                result = sk.solve(problem, method=method, options=options, tol=tol, max_time=LIMIT)
                term = result.certificate["gap"]
                short = "" if result.success else f" ({term.value / term.scaling:.1g})"
                pairs = result.counts["nmul"] // 2
                cells.append(f"{result.counts['njev']} / {pairs} / {result.timing['solve']:.2f} s{short}")
                if short:
                    break
            print(f"| {condition:.0e} | {name} | {' | '.join(cells)} |", flush=True)
