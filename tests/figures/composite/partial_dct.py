"""An image of 64 x 64 from half of its cosine coefficients, TV: a cheap f, where sliding does not pay.

Certified relative gaps of 1e-2 and 1e-3; gradients / pairs of products / seconds, ratios in one run.
"""

from __future__ import annotations

from pathlib import Path

import solverkit as sk

PROBLEM = Path(__file__).parents[3] / "problems" / "composite" / "partial-dct" / "problem.yaml"


def main() -> None:
    problem = sk.load(PROBLEM)
    print("| method | 1e-2 | 1e-3 |")
    print("|---|---|---|")
    for method in ("accelerated-gradient-sliding", "condat-vu"):
        cells = []
        for tol in (1e-2, 1e-3):
            result = sk.solve(problem, method=method, tol=tol, max_time=40)
            term, counts = result.certificate["gap"], result.counts
            short = "" if result.success else f" ({term.value / term.scaling:.1g})"
            cells.append(f"{counts['njev']} / {counts['nmul'] // 2} / {result.timing['solve']:.1f} s{short}")
        print(f"| {method} | {' | '.join(cells)} |", flush=True)
