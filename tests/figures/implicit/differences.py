"""Implicit derivatives against central differences and against unrolling, one row a condition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import solverkit as sk
from solverkit.implicit import FixedPoint, ProjectedGradient, ProximalGradient, Stationarity, quadratic_program
from solverkit.operators.proximal import L1, Box, Simplex

N, ROWS, STEP = 20, 60, 1e-5
RNG = np.random.default_rng(0)
X = torch.tensor(RNG.normal(size=(ROWS, N)) / ROWS**0.5)
TARGET = torch.tensor(RNG.normal(size=ROWS))


def loss(w: Any, theta: Any) -> Any:
    """Least squares with a penalty for each coefficient."""
    return 0.5 * ((X @ w - TARGET) ** 2).sum() + 0.05 * (torch.exp(theta) * w**2).sum()


def descended(near: Callable[..., Any], steps: int) -> Callable[..., Any]:
    """Proximal gradient steps from 0: a solver, and what unrolling differentiates."""

    def solver(theta: Any) -> Any:
        w = torch.zeros(N, dtype=torch.float64)
        for _ in range(steps):
            gradient = X.T @ (X @ w - TARGET) + 0.1 * torch.exp(theta) * w
            w = near(w - 0.3 * gradient)
        return w

    return solver


def cases() -> dict[str, tuple[Callable[..., Any], Callable[..., Any] | None]]:
    """Name -> (implicit map, the solver to unroll)."""
    simplex, box, l1 = Simplex(1.0), Box(-0.1, 0.3), L1(0.02)
    plain, on_simplex = descended(lambda v: v, 3000), descended(simplex.project, 3000)
    in_box, sparse = descended(box.project, 3000), descended(lambda v: l1.prox(v, 0.3), 3000)
    A, G = torch.tensor(RNG.normal(size=(3, N))), torch.tensor(RNG.normal(size=(30, N)))
    program = quadratic_program()

    def pricing(theta: Any) -> Any:
        return program(torch.diag(torch.exp(theta)), -theta, A, theta[:3], G, 0.5 + theta[:1] ** 2 + 0 * G[:, 0])["x"]

    return {
        "stationary point": (sk.implicit(plain, Stationarity(loss)), plain),
        "fixed point": (sk.implicit(plain, FixedPoint(lambda w, t: w - torch.func.grad(loss)(w, t))), plain),
        "projected, simplex": (sk.implicit(on_simplex, ProjectedGradient(loss, simplex)), on_simplex),
        "projected, box": (sk.implicit(in_box, ProjectedGradient(loss, box)), in_box),
        "proximal, l1": (sk.implicit(sparse, ProximalGradient(loss, l1)), sparse),
        "quadratic program": (pricing, None),
    }


def main() -> None:
    theta = torch.tensor(0.3 * RNG.normal(size=N))
    weight = torch.tensor(RNG.normal(size=N))
    print(f"{'condition':<22}{'reverse':>12}{'forward':>12}{'unrolled':>12}   largest relative error of 3 directions")
    for name, (solution, unrolled) in cases().items():
        _, pull = torch.func.vjp(solution, theta)
        gradient = pull(weight)[0]
        errors: list[list[float]] = [[], [], []]
        for _ in range(3):
            d = torch.tensor(RNG.normal(size=N))
            slope = (solution(theta + STEP * d) - solution(theta - STEP * d)) / (2 * STEP)
            size = float(slope.norm())
            errors[0].append(abs(float(gradient @ d - weight @ slope)) / (size * float(weight.norm())))
            errors[1].append(float((torch.func.jvp(solution, (theta,), (d,))[1] - slope).norm()) / size)
        if unrolled is not None:
            free = theta.clone().requires_grad_()
            (through,) = torch.autograd.grad(unrolled(free) @ weight, free)
            errors[2].append(float((through - gradient).norm() / gradient.norm()))
        print(f"{name:<22}" + "".join(f"{max(part):>12.1e}" if part else f"{'-':>12}" for part in errors))
