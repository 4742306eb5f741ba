"""Wrong answers to inclusions of every form, in several units: how many are certified.

Most points are damaged answers (`tests.inclusion.adversary`); NEAR of them are near misses: answers moved so little
that their error is just above LEAST, in all coordinates or in one.
"""

from __future__ import annotations

from collections import Counter

from solverkit.kinds.base import PointStatus
from solverkit.kinds.inclusion.certificate import certify
from tests.inclusion.adversary import near_misses, wrong_points
from tests.inclusion.cases import CASES, Case, game_case, operator_case, program_case, saddle_case

POINTS = 2000
NEAR = 100  # of them
LEAST = 1e-4  # error of a wrong point: gap, broken constraint or distance, in the units of the data
TOL = 1e-6
UNITS: list[tuple[str, Case]] = [
    ("payoffs times 1e6", game_case(1e6)),
    ("payoffs times 1e-6", game_case(1e-6)),
    ("payoffs plus 1e3", game_case(1.0, 1e3)),
    ("x in 1e-5", program_case(1, unit=1e-5)),
    ("x in 1e5, c in 1e5", program_case(2, 1e5, 1e5)),
    ("c in 1e-6", program_case(3, cost=1e-6)),
    ("F times 1e6", saddle_case(1e6)),
    ("F times 1e-6", operator_case(1e-6)),
]


def main() -> None:
    print(
        f"| form | units | answer | wrong points | certified | feasible | infeasible | (tol {TOL:g}, error > {LEAST:g})"
    )
    print("|---|---|---|---|---|---|---|")
    for units, case in [*(("1", case) for case in CASES), *UNITS]:
        problem = case.problem
        answer = certify(problem, problem.blocks(case.u), TOL).status
        points = wrong_points(case, POINTS - NEAR, LEAST, seed=7) + near_misses(case, NEAR, LEAST, seed=8)
        seen = Counter(certify(problem, problem.blocks(u), TOL).status for u in points)
        counts = [seen[s] for s in (PointStatus.CERTIFIED, PointStatus.FEASIBLE, PointStatus.INFEASIBLE)]
        print(
            f"| {case.name} | {units} | {answer.name.lower()} | {POINTS} | {' | '.join(map(str, counts))} |", flush=True
        )
