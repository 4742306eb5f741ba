"""sketched-newton in paper mode: outer iterations beside the authors' records, and sketch-and-project steps.

Left: mode=paper, inner=exact against the published result files of arXiv 2305.18379 (Gaussian vectors), 26 problems.
Right: inner steps with Kaczmarz and Gaussian sketches, and what another implementation of the same algorithm took.
"""

from __future__ import annotations

from typing import Any

import solverkit as sk
from tests.figures.nonlinear._table import shipped

AUTHORS = {
    "hs7": 10, "hs6": 9, "bt5": 5, "bt10": 7, "bt11": 7, "bt12": 5, "hs40": 3, "hs42": 4, "hs47": 14, "hs50": 8,
    "hs56": 5, "hs77": 8, "hs78": 4, "hs79": 4, "mwright": 6, "orthregb": 42, "hs28": 1, "hs48": 1, "hs51": 1, "bt3": 1,
    "genhs28": 1, "bt2": 12, "bt6": 9, "bt9": 12, "hs52": 2, "hs100lnp": 9,
}  # fmt: skip
"""Outer iterations of the authors' runs; hs6 to hs52 where their records have them."""

SKETCHED = {
    "hs40": (7.6e3, 4.8e3), "hs78": (1.0e4, 7.9e3), "bt5": (2.4e4, 1.4e4), "hs48": (8.4e2, 8.0e2),
    "hs42": (6.5e3, 2.1e4), "hs56": (1.9e4, 4.2e4), "hs79": (2.0e4, 3.6e4), "hs28": (1.2e4, 2.3e3),
    "hs7": (1.9e5, 9.7e4), "hs77": (7.4e4, 3.8e5),
}  # fmt: skip
"""Inner steps with Kaczmarz and with Gaussian sketches."""


def paper(name: str, inner: str) -> Any:
    """A run in paper mode."""
    return sk.solve(shipped(name), method="sketched-newton", options={"mode": "paper", "inner": inner}, max_iter=200)


def main() -> None:
    print("| problem | here | authors | |\n|---|---|---|---|")
    equal = 0
    for name, count in AUTHORS.items():
        here = paper(name, "exact").nit
        equal += here == count
        print(f"| {name} | {here} | {count} | {'' if here == count else f'{here - count:+d}'} |")
    print(f"\nequal on {equal} of {len(AUTHORS)}\n")
    print("| problem | Kaczmarz: outer, steps | recorded | Gaussian: outer, steps | recorded |\n|---|---|---|---|---|")
    for name, recorded in SKETCHED.items():
        cells = []
        for inner, steps in zip(("kaczmarz", "gaussian"), recorded, strict=True):
            result = paper(name, inner)
            cells.append(f"{result.nit}, {result.trace[-1]['report']['inner']:.1e} | {steps:.1e}")
        print(f"| {name} | {' | '.join(cells)} |")
