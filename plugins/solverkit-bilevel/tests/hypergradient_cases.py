"""Bilevel problems with a free lower level: hypergradients in closed form, curved ones, means over samples."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from solverkit.engine.counting import Ledger, counted
from solverkit.engine.solver import Context
from solverkit.kinds.bilevel.build import bilevel
from solverkit.kinds.bilevel.problem import Bilevel


@dataclass(frozen=True)
class Tail:
    """f = 1/2 |y - M x|_Q^2, F = exp(a'x) + exp(-a'x) + 1/2 |y - b|^2: Phi without a Lipschitz gradient."""

    problem: Bilevel
    Q: np.ndarray
    M: np.ndarray
    a: np.ndarray
    b: np.ndarray

    def answer(self, x: np.ndarray) -> np.ndarray:
        """y*(x)."""
        return self.M @ x

    def value(self, x: np.ndarray) -> float:
        """Phi(x)."""
        return float(2 * np.cosh(self.a @ x) + 0.5 * np.sum((self.M @ x - self.b) ** 2))

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """grad Phi(x)."""
        return 2 * np.sinh(self.a @ x) * self.a + self.M.T @ (self.M @ x - self.b)


def tail(n: int = 4, m: int = 5, seed: int = 0, condition: float = 30.0, start: float = 2.0, **x: object) -> Tail:
    """Drawn from a seed; `x` adds bounds or a set to the leader's variable."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(m, m)))[0]
    Q = (basis * np.geomspace(1, condition, m)) @ basis.T
    Q = (Q + Q.T) / 2
    M, a, b = rng.normal(size=(m, n)) / np.sqrt(n), 4 * rng.normal(size=n) / np.sqrt(n), rng.normal(size=m)
    problem = bilevel(
        name="exponential-tail",
        upper={
            "variables": {"x": {"shape": n, "start": start, **x}},
            "minimize": "exp(dot(a, x)) + exp(-dot(a, x)) + 0.5*sum((y - b)**2)",
        },
        lower={"variables": {"y": {"shape": m}}, "minimize": "0.5*dot(y - M @ x, Q @ (y - M @ x))"},
        data={"Q": Q, "M": M, "a": a, "b": b},
    )
    return Tail(problem, Q, M, a, b)


def curved(n: int = 4, m: int = 5, seed: int = 0) -> Bilevel:
    """A lower level that is strongly convex and not quadratic, a mixed derivative that depends on x and y."""
    rng = np.random.default_rng(seed)
    return bilevel(
        name="curved",
        upper={
            "variables": {"x": {"shape": n, "start": 0.3}},
            "minimize": "0.5*sum((y - b)**2) + 0.1*sum(x**4) + 0.05*dot(y, M @ x)",
        },
        lower={
            "variables": {"y": {"shape": m, "start": 0.1}},
            "minimize": "sum(exp(y)) - dot(y, M @ x) + 0.5*exp(0.3*x[0])*sum(y**2)",
        },
        data={"M": rng.normal(size=(m, n)), "b": rng.normal(size=m)},
    )


class Ridge:
    """Terms 1/2 (a_i'y - b_i)^2 + weight/2 sum exp(x) y^2 over z = (x, y), in NumPy: no torch in short tests."""

    def __init__(self, rows: np.ndarray, values: np.ndarray, weight: float) -> None:
        self.rows, self.values, self.weight = rows, values, weight
        self.count, self.n = rows.shape

    def value(self, z: np.ndarray, samples: np.ndarray) -> float:
        """The mean over `samples`."""
        x, y = np.split(z, 2)
        left = self.rows[samples] @ y - self.values[samples]
        return float(0.5 * np.mean(left**2) + 0.5 * self.weight * np.sum(np.exp(x) * y**2))

    def gradient(self, z: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Its gradient."""
        x, y = np.split(z, 2)
        left = self.rows[samples] @ y - self.values[samples]
        scaled = self.weight * np.exp(x) * y
        return np.concatenate([0.5 * scaled * y, self.rows[samples].T @ left / len(samples) + scaled])

    def hvp(self, z: np.ndarray, direction: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Its Hessian times a direction."""
        (x, y), (u, v) = np.split(z, 2), np.split(direction, 2)
        rows, scale = self.rows[samples], self.weight * np.exp(x)
        below = rows.T @ (rows @ v) / len(samples) + scale * (v + y * u)
        return np.concatenate([scale * y * (0.5 * y * u + v), below])

    def to(self, device: str, dtype: str) -> Ridge:
        """The same: NumPy stays where it is."""
        return self

    def digest(self) -> str:
        """Of the data."""
        return hashlib.sha256(self.rows.tobytes() + self.values.tobytes() + repr(self.weight).encode()).hexdigest()


def sampled(seed: int = 0, samples: int = 60, features: int = 4) -> Bilevel:
    """One logarithmic ridge weight a feature; both levels are means over samples."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=features)
    A, V = rng.normal(size=(2, samples, features))
    b, c = A @ truth + rng.normal(size=samples), V @ truth + rng.normal(size=samples)
    return bilevel(
        name="ridge-weights",
        upper={
            "variables": {"x": {"shape": features, "start": -1.0, "lower": -6, "upper": 3}},
            "minimize": Ridge(V, c, 0.0),
        },
        lower={"variables": {"y": {"shape": features}}, "minimize": Ridge(A, b, 1.0)},
    )


def answer_by_newton(problem: Bilevel, x: np.ndarray) -> np.ndarray:
    """y*(x) by dense Newton steps: the obvious version."""
    n, y = problem.n, np.zeros(problem.m)
    for _ in range(60):
        z = np.concatenate([x, y])
        y = y - np.linalg.solve(problem.lower_hessian(z).toarray()[n:, n:], problem.lower_gradient(z)[n:])
    return y


def context(tol: float = 1e-6, dtype: str = "float64", seed: int = 0, log: object = None) -> Context:
    """A context without a driver; `log` is a list that messages are added to."""
    say = log.append if isinstance(log, list) else lambda message: None
    rng = np.random.default_rng(seed)
    return Context(rng, tol, "cpu", dtype, say, lambda counter, amount: None)


def with_ledger(problem: Bilevel) -> tuple[Bilevel, Ledger]:
    """The counted twin of a problem and its counts."""
    ledger = Ledger()
    return counted(problem, ledger), ledger
