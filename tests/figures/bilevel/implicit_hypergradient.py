"""The hypergradient against its closed form on the exponential tail, and against differences of Phi."""

from __future__ import annotations

import numpy as np

from solverkit_bilevel.hypergradient.answer import solve_lower
from solverkit_bilevel.hypergradient.conjugate_gradients import Adjoint, conjugate_gradients
from solverkit_bilevel.hypergradient.neumann import bias_bound, neumann
from solverkit_bilevel.hypergradient.products import lower_products
from solverkit_bilevel.hypergradient.unrolled import follow, unrolled
from tests.figures.bilevel._tail import Tail, quadratic

n, m, CONDITION = 50, 80, 100.0


def row(label: str, case: Tail, x: np.ndarray, slope: np.ndarray, found: Adjoint, note: str = "") -> None:
    """Relative errors of one estimate."""
    exact, estimate = case.gradient(x), slope[:n] - found.cross
    h = 1e-6
    moves = np.random.default_rng(1).normal(size=(5, n))
    differences = [(case.value(x + h * d) - case.value(x - h * d)) / (2 * h) for d in moves]
    error = np.linalg.norm(estimate - exact) / np.linalg.norm(exact)
    apart = np.abs(moves @ estimate - differences).max() / np.linalg.norm(exact)
    print(f"{label:<26} {error:>12.1e} {apart:>14.1e} {found.products:>9}   {note}")


def main() -> None:
    case = quadratic(n, m, condition=CONDITION)
    problem = case.problem
    x = np.random.default_rng(0).normal(size=n) / np.sqrt(n)
    begin = np.concatenate([x, np.zeros(m)])
    answer = solve_lower(problem, begin, 1e-12)
    slope, product = problem.upper_gradient(answer.z), lower_products(problem, answer.z)
    size, a = float(np.linalg.norm(slope[n:])), 1 / CONDITION
    print(f"n = {n}, m = {m}, condition of f_yy {CONDITION:g}; errors relative to |grad Phi|\n")
    print(f"{'estimator':<26} {'closed form':>12} {'differences':>14} {'products':>9}")
    for rtol in (1e-2, 1e-6, 1e-12):
        found = conjugate_gradients(product, slope[n:], n, rtol=rtol)
        row(f"conjugate gradients {rtol:.0e}", case, x, slope, found)
    for terms in (100, 1000, 2500):
        found = neumann(product, slope[n:], n, a, terms)
        z = conjugate_gradients(product, slope[n:], n, rtol=1e-13).z
        bound = bias_bound(a, 1.0, terms, size)
        note = f"|z error| {np.linalg.norm(found.z - z):.1e}, bound {bound:.1e}"
        row(f"Neumann, {terms} terms", case, x, slope, found, note)
    for steps in (100, 1000, 2500):
        end = follow(problem, begin, a, steps)
        there = problem.upper_gradient(end)
        row(f"unrolled, {steps} steps", case, x, there, unrolled(problem, begin, there, a, steps, "checkpoint"))
