"""Upper objectives with an exponential tail, whose Phi is known in closed form: with full oracles and with samples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from solverkit.engine.solver import Context
from solverkit.kinds.bilevel.build import bilevel
from solverkit.kinds.bilevel.problem import Bilevel


@dataclass(frozen=True)
class Tail:
    """A problem, Phi and its gradient, and the least value of Phi (BFGS on the closed form)."""

    problem: Bilevel
    value: Callable[[np.ndarray], float]
    gradient: Callable[[np.ndarray], np.ndarray]
    best: float
    largest: float  # L of the lower level


def quadratic(n: int, m: int, seed: int = 0, condition: float = 30.0, start: float = 2.0) -> Tail:
    """f = 1/2 |y - M x|_Q^2, F = exp(a'x) + exp(-a'x) + 1/2 |y - b|^2."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(m, m)))[0]
    Q = (basis * np.geomspace(1, condition, m)) @ basis.T
    M, a, b = rng.normal(size=(m, n)) / np.sqrt(n), 4 * rng.normal(size=n) / np.sqrt(n), rng.normal(size=m)
    problem = bilevel(
        name="exponential-tail",
        upper={
            "variables": {"x": {"shape": n, "start": start}},
            "minimize": "exp(dot(a, x)) + exp(-dot(a, x)) + 0.5*sum((y - b)**2)",
        },
        lower={"variables": {"y": {"shape": m}}, "minimize": "0.5*dot(y - M @ x, Q @ (y - M @ x))"},
        data={"Q": (Q + Q.T) / 2, "M": M, "a": a, "b": b},
    )

    def value(x: np.ndarray) -> float:
        return float(2 * np.cosh(a @ x) + 0.5 * np.sum((M @ x - b) ** 2))

    def gradient(x: np.ndarray) -> np.ndarray:
        return 2 * np.sinh(a @ x) * a + M.T @ (M @ x - b)

    best = minimize(value, np.zeros(n), jac=gradient, options={"gtol": 1e-10}).fun
    return Tail(problem, value, gradient, float(best), condition)


class Lower:
    """Terms 1/2 (a_i'u - e_i)^2 + 1/20 |u|^2 with u = y - M x, in NumPy: a call costs microseconds."""

    def __init__(self, rows: np.ndarray, values: np.ndarray, M: np.ndarray) -> None:
        self.rows, self.values = rows, values
        self.wide = np.hstack([-M, np.eye(len(M))])
        self.count = len(rows)

    def value(self, z: np.ndarray, samples: np.ndarray) -> float:
        """The mean over `samples`."""
        u = self.wide @ z
        return float(0.5 * np.mean((self.rows[samples] @ u - self.values[samples]) ** 2) + 0.05 * u @ u)

    def gradient(self, z: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Its gradient."""
        u, rows = self.wide @ z, self.rows[samples]
        return self.wide.T @ (rows.T @ (rows @ u - self.values[samples]) / len(samples) + 0.1 * u)

    def hvp(self, z: np.ndarray, direction: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Its Hessian times a direction."""
        u, rows = self.wide @ direction, self.rows[samples]
        return self.wide.T @ (rows.T @ (rows @ u) / len(samples) + 0.1 * u)

    def to(self, device: str, dtype: str) -> Lower:
        """The same."""
        return self

    def digest(self) -> str:
        """Of the data."""
        return hashlib.sha256(self.rows.tobytes() + self.values.tobytes() + self.wide.tobytes()).hexdigest()


class Upper:
    """Terms exp(a'x) + exp(-a'x) + 1/2 (c_i'y - t_i)^2."""

    def __init__(self, rows: np.ndarray, values: np.ndarray, a: np.ndarray) -> None:
        self.rows, self.values, self.a = rows, values, a
        self.count = len(rows)

    def value(self, z: np.ndarray, samples: np.ndarray) -> float:
        """The mean over `samples`."""
        x, y = z[: len(self.a)], z[len(self.a) :]
        left = self.rows[samples] @ y - self.values[samples]
        return float(2 * np.cosh(self.a @ x) + 0.5 * np.mean(left**2))

    def gradient(self, z: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Its gradient."""
        x, y, rows = z[: len(self.a)], z[len(self.a) :], self.rows[samples]
        below = rows.T @ (rows @ y - self.values[samples]) / len(samples)
        return np.concatenate([2 * np.sinh(self.a @ x) * self.a, below])

    def hvp(self, z: np.ndarray, direction: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Its Hessian times a direction."""
        n, rows = len(self.a), self.rows[samples]
        above = 2 * np.cosh(self.a @ z[:n]) * float(self.a @ direction[:n]) * self.a
        return np.concatenate([above, rows.T @ (rows @ direction[n:]) / len(samples)])

    def to(self, device: str, dtype: str) -> Upper:
        """The same."""
        return self

    def digest(self) -> str:
        """Of the data."""
        return hashlib.sha256(self.rows.tobytes() + self.values.tobytes() + self.a.tobytes()).hexdigest()


def sampled(n: int = 10, m: int = 20, samples: int = 2000, seed: int = 0, start: float = 1.5) -> Tail:
    """The means of the two above over Gaussian data; y*(x) = M x + a constant."""
    rng = np.random.default_rng(seed)
    A, C = rng.normal(size=(2, samples, m))
    e, t = rng.normal(size=(2, samples))
    M, a = rng.normal(size=(m, n)) / np.sqrt(n), 4 * rng.normal(size=n) / np.sqrt(n)
    problem = bilevel(
        name="exponential-tail-sampled",
        upper={"variables": {"x": {"shape": n, "start": start}}, "minimize": Upper(C, t, a)},
        lower={"variables": {"y": {"shape": m}}, "minimize": Lower(A, e, M)},
    )
    H = A.T @ A / samples + 0.1 * np.eye(m)
    shift = np.linalg.solve(H, A.T @ e / samples)

    def value(x: np.ndarray) -> float:
        return float(2 * np.cosh(a @ x) + 0.5 * np.mean((C @ (M @ x + shift) - t) ** 2))

    def gradient(x: np.ndarray) -> np.ndarray:
        return 2 * np.sinh(a @ x) * a + M.T @ (C.T @ (C @ (M @ x + shift) - t)) / samples

    best = minimize(value, np.zeros(n), jac=gradient, options={"gtol": 1e-10}).fun
    return Tail(problem, value, gradient, float(best), float(np.linalg.eigvalsh(H)[-1]))


def quiet(seed: int = 0) -> Context:
    """A context without a driver."""
    rng = np.random.default_rng(seed)
    return Context(rng, 1e-6, "cpu", "float64", lambda message: None, lambda counter, amount: None)
