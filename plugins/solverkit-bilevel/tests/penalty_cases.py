"""Problems for the tests of `penalty` and `bsvrb`, with answers by other means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from solverkit.engine.solver import Context
from solverkit.kinds.bilevel.build import bilevel
from solverkit.kinds.bilevel.problem import Bilevel


def context(seed: int = 0, tol: float = 1e-6, log: Callable[[str], None] = lambda message: None) -> Context:
    """A context without a driver."""
    return Context(np.random.default_rng(seed), tol, "cpu", "float64", log, lambda counter, amount: None)


def identity(n: int = 50) -> Bilevel:
    """F = |y - 1|^2 / 2 + |x|^2 / 2, f = |y - x|^2 / 2: x = y = 1/2, psi_s(x) = |x|^2/2 + |x - 1|^2 / (2 (1 + s))."""
    return bilevel(
        upper={"variables": {"x": {"shape": n}}, "minimize": "0.5*normsq(y - 1) + 0.5*normsq(x)"},
        lower={"variables": {"y": {"shape": n}}, "minimize": "0.5*normsq(y - x)", "convex": True},
        name="identity",
    )


def quadratic_data(seed: int = 0, n: int = 4, m: int = 6) -> dict[str, np.ndarray]:
    """M, Q, b of `quadratic`, Q well conditioned."""
    rng = np.random.default_rng(seed)
    B = rng.standard_normal((m, m))
    return {"M": rng.standard_normal((m, n)), "Q": B @ B.T / m + np.eye(m), "b": rng.standard_normal(m)}


def quadratic(seed: int = 0, x: dict[str, Any] | None = None, y: dict[str, Any] | None = None) -> Bilevel:
    """F = |y - b|^2 / 2 + |x|^2 / 20, f = |y - M x|_Q^2 / 2, with `x` and `y` added to what the variables are."""
    data = quadratic_data(seed)
    m, n = data["M"].shape
    return bilevel(
        upper={"variables": {"x": {"shape": n, **(x or {})}}, "minimize": "0.5*normsq(y - b) + 0.05*normsq(x)"},
        lower={
            "variables": {"y": {"shape": m, **(y or {})}},
            "minimize": "0.5*dot(y - M@x, Q@(y - M@x))",
            "convex": True,
        },
        data=data,
        name="quadratic",
    )


def exact_answer(data: dict[str, np.ndarray]) -> np.ndarray:
    """x of the free quadratic: y* = M x, so (M'M + I/10) x = M'b."""
    M = data["M"]
    return np.linalg.solve(M.T @ M + 0.1 * np.eye(M.shape[1]), M.T @ data["b"])


def misfit(c, u, y, A, b):
    """The lower level of `tasks`: g_i = |A_i y_i - b_i|^2 / (2 r) + sum exp(u) (y_i - c)^2 / 2."""
    fit = 0.5 * ((torch.einsum("mrk,mk->mr", A, y) - b) ** 2).mean()
    return fit + 0.5 * (torch.exp(u) * (y - c) ** 2).sum(1).mean()


def upper_misfit(c, u, y, A2, b2):
    """And its upper level."""
    fit = 0.5 * ((torch.einsum("mrk,mk->mr", A2, y) - b2) ** 2).mean()
    return fit + 0.005 * (c**2).sum() + 0.005 * (u**2).sum()


def tasks(m: int, k: int = 3, r: int = 6, seed: int = 0) -> tuple[Bilevel, dict[str, np.ndarray]]:
    """m ridge regressions that share their centre c and log weights u (k each); the upper level has other samples."""
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal(k) + 0.3 * rng.standard_normal((m, k))
    data = {}
    for name, label in (("A", "b"), ("A2", "b2")):
        data[name] = rng.standard_normal((m, r, k))
        data[label] = np.einsum("mrk,mk->mr", data[name], weights) + 0.5 * rng.standard_normal((m, r))

    shared = {"c": {"shape": k}, "u": {"shape": k, "start": -1, "lower": -6, "upper": 6}}
    problem = bilevel(
        upper={"variables": shared, "minimize": upper_misfit, "samples": ["y", "A2", "b2"]},
        lower={"variables": {"y": {"shape": (m, k)}}, "minimize": misfit, "samples": ["y", "A", "b"], "convex": True},
        data=data,
        name="tasks",
    )
    return problem, data


def hypergradient(x: np.ndarray, data: dict[str, np.ndarray]) -> tuple[float, np.ndarray]:
    """F(x, y*(x)) of `tasks` and its gradient, task by task in closed form."""
    k = len(x) // 2
    c, u = x[:k], x[k:]
    weight, m, r = np.diag(np.exp(u)), *data["b"].shape
    value, gradient = 0.005 * float(x @ x), 0.01 * x
    for A, b, A2, b2 in zip(data["A"], data["b"], data["A2"], data["b2"], strict=True):
        H = A.T @ A / r + weight
        y = np.linalg.solve(H, A.T @ b / r + weight @ c)
        miss = A2 @ y - b2
        v = np.linalg.solve(H, A2.T @ miss / r)
        value += 0.5 * float(miss @ miss) / r / m
        gradient[:k] += np.exp(u) * v / m
        gradient[k:] -= np.exp(u) * (y - c) * v / m
    return value, gradient
