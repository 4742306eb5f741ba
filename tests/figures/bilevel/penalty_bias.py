"""Bias O(s) of psi_s and its extrapolations, and the price of a small s: curvature of the inner and outer problems."""

from __future__ import annotations

import numpy as np

from solverkit.kinds.bilevel.build import bilevel
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.penalty.ladder import Ladder, Reading
from solverkit_bilevel.penalty.projected import Domain, Walk

LEVELS = (0.4, 0.2, 0.1, 0.05, 0.025, 0.0125)


def case() -> tuple[Bilevel, np.ndarray]:
    """f = |y - M x|_Q^2 / 2, Q of condition about 100; F is not quadratic. Returns the x that is looked at."""
    rng = np.random.default_rng(0)
    B, M = rng.standard_normal((12, 12)), rng.standard_normal((12, 6))
    data = {"Q": B @ B.T / 12 + 0.05 * np.eye(12), "M": M, "b": rng.standard_normal(12)}
    problem = bilevel(
        upper={"variables": {"x": {"shape": 6}}, "minimize": "sum(log(cosh(y - b))) + 0.05*normsq(x)"},
        lower={"variables": {"y": {"shape": 12}}, "minimize": "0.5*dot(y - M@x, Q@(y - M@x))", "convex": True},
        data=data,
    )
    return problem, rng.standard_normal(6)


def read(problem: Bilevel, x: np.ndarray, s: float, eta: float = 1e-10) -> Reading:
    """psi at s, s/2 and s/4, to the rounding of the inner problem."""
    Y = Domain(problem.lower_set, problem.m)
    start = Walk(np.zeros(problem.m), np.nan, np.zeros(problem.m))
    return Ladder(problem, Y, 1e-11, 5000, 20).read(problem, x, [start], s, 3, eta, 1.0)


def steepest(problem: Bilevel, x: np.ndarray, s: float, rough: float) -> float:
    """|grad psi_s(x) computed with inner residuals of `rough` minus with exact ones|: the error that 1/s amplifies."""
    Y = Domain(problem.lower_set, problem.m)
    start = Walk(np.zeros(problem.m), np.nan, np.zeros(problem.m))
    ladder = Ladder(problem, Y, 1e-11, 5000, 20)
    loose = ladder.read(problem, x, [start], s, 1, rough / s, 1.0)  # residual `rough` whatever s is
    return float(np.linalg.norm(loose.gradient(1) - ladder.read(problem, x, [start], s, 1, 1e-10, 1.0).gradient(1)))


def main() -> None:
    problem, x = case()
    exact = read(problem, x, 1e-3)
    value, gradient = exact.value(3), exact.gradient(3)
    print("errors of value and gradient; an order p halves s to divide its error by 2^p\n")
    head = " ".join(f"{f'order {p}, value':>15} {'gradient':>9}" for p in (1, 2, 3))
    print(f"{'s':>8} {head} {'inner steps':>11} {'error of grad at residual 1e-6':>31}")
    for s in LEVELS:
        found = read(problem, x, s)
        cells = []
        for p in (1, 2, 3):
            off = abs(found.value(p) - value), np.linalg.norm(found.gradient(p) - gradient)
            cells.append(f"{off[0]:>15.1e} {off[1]:>9.1e}")
        print(f"{s:>8} {' '.join(cells)} {found.inner:>11} {steepest(problem, x, s, 1e-6):>31.1e}")
