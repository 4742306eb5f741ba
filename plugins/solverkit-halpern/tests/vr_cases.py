"""What the tests of component methods share: small problems, a ledger of calls, and loops written as in the papers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from solverkit.engine.solver import Context
from solverkit.kinds.base import Block
from solverkit.kinds.inclusion.build import game
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.operators.proximal import Box, Free

Array = np.ndarray


class Ledger:
    """A problem that writes down every oracle call, as the engine's proxy does."""

    def __init__(self, problem: Inclusion) -> None:
        self.problem = problem
        self.counts = dict.fromkeys(("nop", "ncomp", "nprox", "nmul"), 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.problem, name)

    def operator(self, u: Array) -> Array:
        self.counts["nop"] += 1
        return self.problem.operator(u)

    def components(self, u: Array, samples: Array) -> Array:
        self.counts["ncomp"] += len(samples)
        return self.problem.components(u, samples)

    def resolvent(self, u: Array, step: float) -> Array:
        self.counts["nprox"] += 1
        return self.problem.resolvent(u, step)

    def charge(self, counter: str, amount: int) -> None:
        self.counts[counter] += amount


def context(ledger: Ledger, seed: int = 0, tol: float = 1e-6, log: Any = None) -> Context:
    """A context whose charges go to the ledger."""
    heard = log if log is not None else []
    return Context(np.random.default_rng(seed), tol, "cpu", "float64", heard.append, ledger.charge)


def run(cls: Any, problem: Inclusion, options: dict, steps: int, seed: int = 0, tol: float = 1e-6) -> Any:
    """(solver, state, ledger, log) after so many steps, or fewer where the method claims."""
    ledger, log = Ledger(problem), []
    ctx = context(ledger, seed, tol, log)
    solver = cls(cls.Options(**options))
    state = solver.init(ledger, problem.start(ctx.rng), ctx)
    for _ in range(steps):
        if solver.converged(state):
            break
        state = solver.step(ledger, state, ctx)
    return solver, state, ledger, log


def gaussian(p: int, q: int, seed: int = 0) -> Inclusion:
    """A game of standard normal payoffs."""
    return game(np.random.default_rng(seed).standard_normal((p, q)))


class LeastSquares:
    """F_i(u) = a_i (a_i'u - b_i): cocoercive, sampled by the squared norms of rows."""

    lipschitz: float | None
    mean_lipschitz: float | None
    weights: Array | None

    def __init__(self, A: Array, b: Array, known: bool = True) -> None:
        self.A, self.b = A, b
        self.count, self.size = A.shape
        self.cocoercive = True
        square = (A**2).sum(axis=1)
        self.weights = square / square.sum() if known else None
        self.lipschitz = float(np.linalg.norm(A, 2) ** 2 / self.count) if known else None
        self.mean_lipschitz = float(square.mean()) if known else None

    def value(self, u: Array) -> Array:
        return self.A.T @ (self.A @ u - self.b) / self.count

    def components(self, u: Array, samples: Array) -> Array:
        rows = self.A[samples]
        q = np.full(self.count, 1 / self.count) if self.weights is None else self.weights
        return (rows @ u - self.b[samples]) / (len(samples) * self.count * q[samples]) @ rows

    def to(self, device: str, dtype: str) -> LeastSquares:
        return self

    def digest(self) -> str:
        return f"least squares {self.A.tobytes().hex()[:64]} {self.count} {self.weights is None}"


def least_squares(n: int = 400, d: int = 8, seed: int = 0, known: bool = True, decades: float = 0.0) -> Inclusion:
    """Rows of unequal norms, columns that span so many decades, a box that is active at the answer."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, d)) * np.exp(0.5 * rng.standard_normal((n, 1))) * np.logspace(0, -decades, d)
    part = LeastSquares(A, A @ rng.uniform(-2, 2, d) + rng.standard_normal(n), known)
    return Inclusion("least-squares", (Block("w", (d,), np.zeros(d)),), part, (Box(-1.0, 1.0),), form="finite-sum")


class Linear:
    """F(u) = M u as one component, its L not told."""

    count, weights, mean_lipschitz = 1, None, None

    def __init__(self, M: Array, cocoercive: bool, lipschitz: float | None = None) -> None:
        self.M, self.size, self.cocoercive, self.lipschitz = M, len(M), cocoercive, lipschitz

    def value(self, u: Array) -> Array:
        return self.M @ u

    def components(self, u: Array, samples: Array) -> Array:
        return self.M @ u

    def to(self, device: str, dtype: str) -> Linear:
        return self

    def digest(self) -> str:
        return f"linear {self.M.tolist()} {self.cocoercive}"


def linear(M: Array, start: Array, cocoercive: bool = False, lipschitz: float | None = None) -> Inclusion:
    """0 = M u."""
    n = len(M)
    return Inclusion("linear", (Block("u", (n,), start),), Linear(M, cocoercive, lipschitz), (Free(),))


# -- the algorithms of arXiv 2310.02987, literally


def projected(v: Array) -> Array:
    """Onto the simplex, by sorting."""
    ordered = np.sort(v)[::-1]
    excess = (np.cumsum(ordered) - 1) / np.arange(1, len(v) + 1)
    k = np.flatnonzero(ordered > excess)[-1]
    return np.maximum(v - excess[k], 0.0)


def algorithm_1(A: Array, eta: float, coins: Array, batches: Array) -> list[Array]:
    """All u_k of Algorithm 1 on a square game; coins (K,) uniform numbers, batches (K, b) indices."""
    n = len(A)
    x0, y0 = np.full(n, 1 / n), np.full(n, 1 / n)
    x, y, shown = x0, y0, []
    x_old, y_old = x, y
    for k in range(len(coins)):
        p = 1.0 if k <= 1 else 4 / (k + 4) if k - 1 <= math.sqrt(n) else 4 / (math.sqrt(n) + 5)
        if coins[k] < p:
            gx, gy = A @ y, -A.T @ x
        else:
            b = len(batches[k])
            gx, gy = gx.copy(), gy.copy()
            for i in batches[k]:
                gx += n / b * A[:, i] * (y[i] - y_old[i])
                gy -= n / b * A[i, :] * (x[i] - x_old[i])
        lam = 2 / (k + 4)
        x_old, y_old = x, y
        x = projected(lam * x0 + (1 - lam) * x - eta * gx)
        y = projected(lam * y0 + (1 - lam) * y - eta * gy)
        shown.append(np.concatenate([x, y]))
    return shown


def algorithm_3(A: Array, u: Array, eta: float, tau: float, p: float, picks: Array, moves: Array) -> Array:
    """The inner solver on a square game: picks (M,) indices, moves (M,) whether the snapshot moves after a step."""
    n = len(A)

    def full(z: Array) -> Array:
        return np.concatenate([A @ z[n:], -A.T @ z[:n]])

    def one(z: Array, i: int) -> Array:
        return n * np.concatenate([A[:, i] * z[n + i], -A[i, :] * z[i]])

    v = w = before = u
    at_w = eta * full(w) + w - u
    for i, move in zip(picks, moves, strict=True):
        mean = (1 - p) * v + p * w
        change = (eta * one(v, i) + v - u) - (eta * one(before, i) + before - u)
        z = mean - tau * (at_w + change)
        v = np.concatenate([projected(z[:n]), projected(z[n:])])
        before = w
        if move:
            w = v
            at_w = eta * full(w) + w - u
    return v


def vr_extragradient(A: Array, tau: float, p: float, picks: Array) -> Array:
    """Alacaoglu and Malitsky's steps from the uniform strategies with the snapshot there throughout."""
    n = len(A)
    w = np.full(2 * n, 1 / n)
    at_w, v = np.concatenate([A @ w[n:], -A.T @ w[:n]]), w
    for i in picks:
        z = (1 - p) * v + p * w
        half = z - tau * at_w
        half = np.concatenate([projected(half[:n]), projected(half[n:])])
        move = half - w
        change = n * np.concatenate([A[:, i] * move[n + i], -A[i, :] * move[i]])
        v = z - tau * (at_w + change)
        v = np.concatenate([projected(v[:n]), projected(v[n:])])
    return v
