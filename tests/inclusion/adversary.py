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


def near_misses(case: Case, count: int, least: float, seed: int = 0) -> list[np.ndarray]:
    """`count` points whose error is just above `least`: the answer moved no farther than that takes."""
    rng = np.random.default_rng(seed)
    problem, u = case.problem, case.u
    found: list[np.ndarray] = []
    while len(found) < count:
        direction = (1 + np.abs(u)) * rng.standard_normal(len(u))
        if rng.random() < 0.5:
            direction *= np.arange(len(u)) == rng.integers(len(u))
        inside = rng.random() < 0.5

        def at(size: float, direction: np.ndarray = direction, inside: bool = inside) -> np.ndarray:
            moved = u + size * direction
            return problem.resolvent(moved, 1e-12) if inside else moved

        low, high = 0.0, 1e-8
        while case.error(at(high)) <= least and high < 1e8:
            low, high = high, 2 * high
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if case.error(at(middle)) > least else (middle, high)
        if case.error(at(high)) > least:
            found.append(at(high))
    return found
