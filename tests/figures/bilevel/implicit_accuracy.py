"""Implicit differentiation by conjugate gradients against unrolling: error and time as y gets better."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from solverkit.kinds.bilevel.build import bilevel
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.hypergradient.answer import solve_lower
from solverkit_bilevel.hypergradient.conjugate_gradients import conjugate_gradients
from solverkit_bilevel.hypergradient.products import largest_curvature, lower_products
from solverkit_bilevel.hypergradient.unrolled import follow, unrolled

n, m, REPEATS = 50, 60, 5


def curved(seed: int = 0) -> Bilevel:
    """Regularized logistic regression with one logarithmic weight a feature beside a linear coupling."""
    rng = np.random.default_rng(seed)
    return bilevel(
        name="curved",
        upper={"variables": {"x": {"shape": n, "start": 0.1}}, "minimize": "0.5*sum((y - b)**2) + 0.1*sum(x**2)"},
        lower={
            "variables": {"y": {"shape": m}},
            "minimize": "sum(log(1 + exp(A @ y))) - dot(y, M @ x) + 0.5*sum(exp(0.3*x))*sum(y**2)/50",
        },
        data={"A": rng.normal(size=(200, m)), "M": rng.normal(size=(m, n)), "b": rng.normal(size=m)},
    )


def timed(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """The result and the median milliseconds."""
    marks, result = [], work()
    for _ in range(REPEATS):
        begin = time.perf_counter()
        result = work()
        marks.append(time.perf_counter() - begin)
    return result, 1e3 * statistics.median(marks)


def main() -> None:
    problem = curved()
    x = np.random.default_rng(1).normal(size=n) / 4
    begin = np.concatenate([x, np.zeros(m)])
    exact_z = solve_lower(problem, begin, 1e-13).z
    slope = problem.upper_gradient(exact_z)
    product = lower_products(problem, exact_z)
    exact = slope[:n] - conjugate_gradients(product, slope[n:], n, rtol=1e-14).cross
    largest, _ = largest_curvature(product, np.ones(m), rtol=1e-4, limit=500)
    a, size = 0.9 / largest, float(np.linalg.norm(exact))
    print(f"n = {n}, m = {m}; K gradient steps of 0.9/L for y, then either gradient at the same y_K\n")
    head = (
        f"{'K':>6} {'|y_K - y*|':>11} {'unrolled':>10} {'ms':>8} {'CG at y_K':>10} {'ms':>8} {'CG err/|y_K - y*|':>18}"
    )
    print(head)
    for steps in (1, 3, 10, 30, 100, 300, 1000):
        end = follow(problem, begin, a, steps)

        def by_unrolling(steps: int = steps) -> np.ndarray:
            there = problem.upper_gradient(follow(problem, begin, a, steps))
            return there[:n] - unrolled(problem, begin, there, a, steps, "store").cross

        def by_system(steps: int = steps) -> np.ndarray:
            at = follow(problem, begin, a, steps)
            there = problem.upper_gradient(at)
            return there[:n] - conjugate_gradients(lower_products(problem, at), there[n:], n, rtol=1e-12).cross

        (rolled, rolled_time), (solved, solved_time) = timed(by_unrolling), timed(by_system)
        distance = float(np.linalg.norm(end - exact_z))
        errors = [float(np.linalg.norm(g - exact)) / size for g in (rolled, solved)]
        row = f"{steps:>6} {distance:>11.1e} {errors[0]:>10.1e} {rolled_time:>8.1f} {errors[1]:>10.1e}"
        ratio = f"{errors[1] / distance:.2f}" if distance > 1e-11 else "rounding"
        print(row + f" {solved_time:>8.1f} {ratio:>18}")
    newton, spent = timed(lambda: solve_lower(problem, begin, 1e-12).z)
    print(f"\ny by Newton's method instead, to {np.linalg.norm(newton - exact_z):.1e}: {spent:.1f} ms")
