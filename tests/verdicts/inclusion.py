"""Inclusions of every form, with answers by linear programming, enumeration of active sets and roots.

Wrong: the error of `tests/inclusion/cases.py` is above LEAST: the duality gap of a game, broken rows or the gap of a
linear program, the distance to the only solution of everything else, in the units of the data.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from solverkit.kinds.inclusion.certificate import certify
from tests.inclusion.cases import CASES, Case, game_case, operator_case, program_case, saddle_case
from tests.verdicts.subject import TOL, Subject

LEAST = 1e-4


def subjects(rng: np.random.Generator) -> Iterator[Subject]:
    """Without an end: the fixed cases, and random games and linear programs in random units."""
    fixed = [_subject(case) for case in CASES]
    while True:
        yield from fixed
        yield _subject(game_case(10.0 ** rng.uniform(-6, 6), float(rng.uniform(-5, 5)), int(rng.integers(2**31))))
        yield _subject(saddle_case(10.0 ** rng.uniform(-6, 6)))
        yield _subject(operator_case(10.0 ** rng.uniform(-6, 6)))
        for _ in range(3):
            try:
                units = 10.0 ** rng.uniform(-5, 5, 2)
                case = program_case(int(rng.integers(2**31)), float(units[0]), float(units[1]))
            except AssertionError:  # infeasible or unbounded
                continue
            yield _subject(case)


def _subject(case: Case) -> Subject:
    def error(u: np.ndarray) -> float:
        return case.error(u) / LEAST if np.isfinite(u).all() else np.inf

    def own(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        for size in 10.0 ** rng.uniform(-4, 0, 3):
            moved = case.u + size * (1 + np.abs(case.u)) * rng.standard_normal(len(case.u))
            yield "in the domain", case.problem.resolvent(moved, 1.0)
            yield "in the domain, near", case.problem.resolvent(moved, 1e-12)

    return Subject(case.name, case.problem, case.u, error, certify, case.problem.blocks, own, 0.1 * TOL / LEAST)
