"""Wrong answers of many sorts, made from a right one."""

from __future__ import annotations

import numpy as np

from tests.inclusion.cases import Case


def wrong_points(case: Case, count: int, least: float, seed: int = 0) -> list[np.ndarray]:
    """`count` points whose error is above `least`: moved, scaled, rounded, mixed up, random, and at corners."""
    rng = np.random.default_rng(seed)
    problem, u = case.problem, case.u
    start = problem.flat(problem.start(rng))
    found: list[np.ndarray] = []
    while len(found) < count:
        size = 10.0 ** rng.uniform(-4, 1)
        moved = u + size * (1 + np.abs(u)) * rng.standard_normal(len(u))
        one = u.copy()
        one[rng.integers(len(u))] += size * rng.choice([-1.0, 1.0])
        candidates = [
            moved,
            problem.resolvent(moved, 1.0),
            one,
            problem.resolvent(one, 1.0),
            u * (1 + size * rng.choice([-1.0, 1.0])),
            u + rng.uniform(0, 1) * (start - u),
            rng.permutation(u),
            np.round(u, rng.integers(0, 4)),
            np.where(rng.random(len(u)) < 0.3, 0.0, u),
            problem.resolvent(10 * rng.standard_normal(len(u)), 1.0),
            -u,
        ]
        found += [v for v in candidates if case.error(v) > least]
    return found[:count]
