"""Algorithm 1 on a skew operator, Gaussian n = 500, eta = 1 / ||A||_F: unguarded, guarded, refused; and unknown L.

The theory needs cocoercivity, which no skew operator has: without a guard the residual rises from a few hundred epochs
on. The second table says what it costs not to know L on sums of two kinds.
"""

from __future__ import annotations

import numpy as np

import solverkit as sk
from solverkit.kinds.inclusion.build import game
from solverkit.kinds.inclusion.problem import Inclusion
from tests.figures.inclusion._component_runs import count, curve, table
from tests.figures.inclusion.components_rule import least_squares

MARKS = (100, 200, 500, 1000, 2000)


def main() -> None:
    problem = game(np.random.default_rng(0).standard_normal((500, 500)), name="gaussian")
    step = 1 / float(np.linalg.norm(problem.bilinear.matrix))
    common = {"algorithm": "page", "step": step, "block": 16}
    paper = {**common, "mode": "paper", "batch": 22}
    curves = {
        "paper, guard off": curve(problem, "vr-halpern", {**paper, "guard": "off"}, MARKS[-1]),
        "paper, guard (refuses)": curve(problem, "vr-halpern", paper, MARKS[-1]),
        "paper's step, guard switches": curve(problem, "vr-halpern", {**paper, "guard": "switch"}, MARKS[-1]),
        "production, guard": curve(problem, "vr-halpern", common, MARKS[-1]),
        "production, auto": curve(problem, "vr-halpern", {"block": 4}, MARKS[-1]),
    }
    table("gaussian game, n = 500", curves, MARKS)
    for name, one in curves.items():
        for line in one.log[:6]:
            print(f"  {name}: {line}")
    print("\nunknown L: epochs to tol = 1e-5, and what finding L and the step cost")
    for known in (True, False):
        sums = hidden(least_squares(2000, 20, 1.0), known)
        result = sk.solve(sums, method="vr-halpern", options={"algorithm": "page"}, tol=1e-5, max_time=30)
        first = result.trace[0]["counts"]
        total, paid = count(result.counts, sums), count(first, sums)
        print(f"  L {'known' if known else 'not known'}: {total:.0f} epochs, {paid:.1f} of them before the first step")


def hidden(problem: Inclusion, known: bool) -> Inclusion:
    """The same sum, its constants kept or forgotten."""
    if not known:
        problem.part.lipschitz = problem.part.mean_lipschitz = None
    return problem
