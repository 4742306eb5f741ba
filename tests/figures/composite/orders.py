"""Orders of both sliding methods, the derivation's parameters: gradients a decade, slopes of subgradients and products.

Fused lasso of 100 unknowns, L = 1, true gaps against Clarabel at 1e-11. Derived: 2 ln 10 / gi gradients a decade.
Slopes are by least squares of log(calls) on -log(gap) over the last decade and a half that a run reaches.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import solverkit as sk
from solverkit.kinds.composite.problem import Composite
from solverkit_sliding.recursion import fixed_point
from tests.figures.composite._models import clarabel, fused_lasso

LEVELS = 10.0 ** -np.arange(1, 6)


class Noisy:
    """h by subgradients with a normal error of a given size: E |error|^2 = sigma^2. A `Nonsmooth` of two samples."""

    count = 2
    lipschitz = None

    def __init__(self, problem: Composite, sigma: float) -> None:
        self.problem, self.sigma, self.size = problem, sigma, problem.n
        self.rng = np.random.default_rng(1)

    def value(self, x: np.ndarray) -> float:
        return self.problem.nonsmooth_value(x)

    def subgradient(self, x: np.ndarray) -> np.ndarray:
        return self.problem.subgradient(x)

    def batch_subgradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        noise = self.rng.standard_normal(self.size)
        return self.problem.subgradient(x) + self.sigma / np.sqrt(self.size) * noise

    def digest(self) -> str:
        return f"noisy {self.sigma}"


def history(problem: Composite, star: float, method: str, limit: int, **options: object) -> np.ndarray:
    """(steps, 3): gradients, inner steps and the true gap after each outer step, until so many inner steps."""
    rows: list[tuple[float, float, float]] = []

    def see(intermediate_result) -> None:
        rows.append(
            (len(rows) + 1, intermediate_result.report["inner"], problem.objective({"x": intermediate_result.x}) - star)
        )
        if rows[-1][1] > limit or rows[-1][2] < 1e-6:
            raise StopIteration

    sk.solve(problem, method=method, options=options, tol=1e-13, callback=see, max_iter=20_000)
    return np.array(rows)


def first_below(rows: np.ndarray, level: float) -> np.ndarray | None:
    at = np.flatnonzero(rows[:, 2] <= level)
    return rows[at[0]] if len(at) else None


def line(name: str, condition: float, delta: float, rows: np.ndarray) -> None:
    """One row of the table."""
    cells = [first_below(rows, level) for level in LEVELS]
    shown = " | ".join("" if cell is None else f"{cell[0]:.0f}/{cell[1]:.0f}" for cell in cells)
    last = max(float(rows[:, 2].min()), 1e-5)
    part = rows[(rows[:, 2] <= last * 10**1.5) & (rows[:, 2] >= last)]
    per_decade = -1 / np.polyfit(part[:, 0], np.log10(part[:, 2]), 1)[0]
    slope = -np.polyfit(np.log(part[:, 2]), np.log(part[:, 1]), 1)[0]
    derived = 2 * np.log(10) / fixed_point(1.0, 1 / condition, delta)
    print(f"| {name} | {condition:.0e} | {shown} | {per_decade:.0f} | {derived:.0f} | {slope:.2f} |", flush=True)


def main() -> None:
    print("| method | L/mu | 1e-1: gradients/inner | 1e-2 | 1e-3 | 1e-4 | 1e-5 | a decade | derived | slope |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for condition in (1e2, 1e3, 1e4):
        problem = fused_lasso(condition)
        star, _ = clarabel(problem)
        limit = 60_000 if condition < 1e4 else 100_000
        rows = history(problem, star, "accelerated-gradient-sliding", limit, mode="paper", smoothing=1.0)
        line("accelerated", condition, 0.5, rows)
    for condition, limit in ((1e2, 250_000), (1e3, 400_000)):
        problem = fused_lasso(condition)
        star, _ = clarabel(problem)
        line("subgradients", condition, 0.2, history(problem, star, "gradient-sliding", limit, mode="paper"))
    problem = fused_lasso(1e2)
    star, _ = clarabel(problem)
    size = 2 * 0.2 * np.sqrt(problem.n - 1)
    noisy = replace(problem, structured=None, nonsmooth=Noisy(problem, size))
    line("noisy subgradients", 1e2, 0.2, history(noisy, star, "gradient-sliding", 400_000, mode="paper", samples=1))
