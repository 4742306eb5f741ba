"""Error and time of implicit and unrolled gradients as the solution grows accurate: regression by gradient descent."""

from __future__ import annotations

from statistics import median
from time import process_time
from typing import Any

import numpy as np
import torch

import solverkit as sk
from solverkit.implicit import Stationarity

N, ROWS = 100, 300
RNG = np.random.default_rng(0)
X = torch.tensor(RNG.normal(size=(ROWS, N)) / ROWS**0.5)
TARGET = torch.tensor(RNG.normal(size=ROWS))
LENGTH = 1.0 / float(torch.linalg.matrix_norm(X, 2) ** 2 + 1.0)


def loss(w: Any, theta: Any) -> Any:
    """A penalty exp(theta_i) for each coefficient; the fourth power makes the Hessian depend on w."""
    return 0.5 * ((X @ w - TARGET) ** 2).sum() + 0.05 * (torch.exp(theta) * w**2).sum() + 0.25 * (w**4).sum()


def descent(steps: int) -> Any:
    """Gradient descent from 0, by a formula for the gradient, so that unrolling is as cheap as it can be."""

    def solver(theta: Any) -> Any:
        w = torch.zeros(N, dtype=torch.float64)
        for _ in range(steps):
            w = w - LENGTH * (X.T @ (X @ w - TARGET) + 0.1 * torch.exp(theta) * w + w**3)
        return w

    return solver


def timed(function: Any, theta: torch.Tensor) -> tuple[torch.Tensor, float]:
    """The gradient of sum w^2 by theta, and the median time of value and gradient."""
    spent = []
    for _ in range(3):
        free = theta.clone().requires_grad_()
        start = process_time()
        (gradient,) = torch.autograd.grad((function(free) ** 2).sum(), free)
        spent.append(process_time() - start)
    return gradient, median(spent)


def main() -> None:
    theta = torch.tensor(RNG.normal(size=N))
    exact_map = sk.implicit(descent(100), Stationarity(loss), refine=6)
    exact, best = exact_map(theta), timed(exact_map, theta)[0]
    print(f"{'steps':>6}{'solution':>11}{'implicit':>11}{'ratio':>8}{'refined':>11}{'unrolled':>11}", end="")
    print(f"{'implicit':>12}{'refined':>10}{'unrolled':>10}   relative errors; ms of CPU")
    for steps in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512):
        solver = descent(steps)
        away = float((solver(theta) - exact).norm() / exact.norm())
        row, times = [], []
        for function in (
            sk.implicit(solver, Stationarity(loss), inaccurate="ignore"),
            sk.implicit(solver, Stationarity(loss), inaccurate="ignore", refine=1),
            solver,
        ):
            gradient, spent = timed(function, theta)
            row.append(float((gradient - best).norm() / best.norm()))
            times.append(1e3 * spent)
        print(f"{steps:>6}{away:>11.1e}{row[0]:>11.1e}{row[0] / away:>8.2f}{row[1]:>11.1e}{row[2]:>11.1e}", end="")
        print(f"{times[0]:>12.1f}{times[1]:>10.1f}{times[2]:>10.1f}")
