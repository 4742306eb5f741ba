"""Wrong answers to bilevel problems, unseen ones and files with free or bounded lower levels: how many are certified.

The sorts are those of `tests/bilevel/adversary.py`; the answers that they start from are `penalty`'s, where certified.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import numpy as np

import solverkit as sk
from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel.certificate import certify
from solverkit.kinds.bilevel.problem import Bilevel
from tests.bilevel.adversary import wrong_points
from tests.figures.bilevel._unseen import SORTS, draw

PROBLEMS = Path(__file__).parents[3] / "problems" / "bilevel"
FILES = (
    "breast-cancer-log-l2",
    "exponential-tail",
    "exponential-tail-100",
    "lampariello-sagratella-2017-ex32",
    "macal-hurter-1997",
    "multi-task-blocks",
)
SEEDS = 20
LARGEST = 150  # lower variables


def attack(problem: Bilevel, made: Counter[str], certified: Counter[str]) -> None:
    answer = sk.solve(problem, method="penalty", max_time=60)
    if not answer.success:
        print(f"{problem.name}: the answer itself is {answer.point_status.name}, left out")
        return
    for sort, point in wrong_points(problem, answer.point, np.random.default_rng(0)):
        made[sort] += 1
        certificate = certify(problem, point, 1e-6, 0)
        if certificate.status is PointStatus.CERTIFIED:
            certified[sort] += 1
            F = problem.objective(point)
            terms = ", ".join(f"{term.name} {term.value / term.scaling:.1e}" for term in certificate.terms)
            print(f"certified: {problem.name}, {sort}: F {F:.8g}, answer {answer.fun:.8g}: {terms}", flush=True)


def main() -> None:
    warnings.simplefilter("ignore")
    made: Counter[str] = Counter()
    certified: Counter[str] = Counter()
    for name in FILES:
        attack(sk.load(PROBLEMS / name / "problem.yaml"), made, certified)
    for seed in range(SEEDS):
        for sort in SORTS:
            problem = draw(sort, seed)
            if problem.m <= LARGEST:
                attack(problem, made, certified)
    for sort, count in made.items():
        print(f"{sort}: {certified[sort]} of {count} certified")
    print(f"together: {certified.total()} of {made.total()} certified")
