"""Wrong answers and wrong oracles to the shipped problems: how many are certified.

Of every problem that an independent judge can search, wrong points of many sorts (`tests/nonlinear/adversary.py`);
those that are certified are held against the judge. Of every sequence of linear systems of moderate size, wrong
solutions.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import numpy as np

import solverkit as sk
from solverkit.kinds.base import PointStatus
from solverkit.kinds.linear_sequence.certificate import certify as certify_sequence
from solverkit.kinds.nonlinear.certificate import certify
from tests.linear_sequence.adversary import SMALL, solved, wrong_solutions
from tests.nonlinear.adversary import answer, no_answer, stopped, wrong_oracles, wrong_points

PROBLEMS = Path(__file__).parents[2] / "problems"
LARGEST = 30  # variables
UNATTAINED = {"unattained"}  # an infimum at infinity: points far out are certified, as the documentation says
SEED = 1


def main() -> None:
    warnings.simplefilter("ignore")
    points: Counter[str] = Counter()
    oracles: Counter[str] = Counter()
    for path in sorted((PROBLEMS / "nonlinear").glob("*/problem.yaml")):
        problem = sk.load(path)
        if problem.n > LARGEST or problem.name in UNATTAINED or problem.name.startswith("logistic"):
            continue
        rng = np.random.default_rng(SEED)
        known = answer(problem)
        for sort, point in (*wrong_points(problem, known, rng), *stopped(problem)):
            certificate = certify(problem, point)
            points["made"] += 1
            if certificate.status is PointStatus.CERTIFIED:
                why = no_answer(problem, problem.flat(point), rng)
                points["certified, and the judge agrees"] += not why
                points["certified, and wrong"] += bool(why)
                if why:
                    print(f"wrong: {problem.name}, {sort}: {why}")
        for sort, changed in wrong_oracles(problem, known):
            certificate = certify(changed, known)
            oracles["made"] += 1
            if certificate.status is PointStatus.CERTIFIED:
                oracles["certified"] += 1
                print(f"wrong: {problem.name}, {sort}")
    print("wrong points of nonlinear problems:", dict(points))
    print("wrong oracles of nonlinear problems:", dict(oracles))
    _sequences()


def _sequences() -> None:
    found: Counter[str] = Counter()
    for path in sorted((PROBLEMS / "linear-sequence").glob("*/problem.yaml")):
        problem = sk.load(path)
        if problem.T * problem.pattern.nnz > SMALL:
            continue
        x = solved(problem)
        found["right, certified"] += certify_sequence(problem, {"x": x}).status is PointStatus.CERTIFIED
        for sort, wrong in wrong_solutions(problem, x, np.random.default_rng(SEED)):
            found["made"] += 1
            if certify_sequence(problem, {"x": wrong}).status is PointStatus.CERTIFIED:
                found["certified"] += 1
                print(f"wrong: {problem.name}, {sort}")
    print("wrong solutions of linear sequences:", dict(found))
