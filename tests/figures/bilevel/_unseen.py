"""Seeded bilevel problems of six sorts, drawn apart from the problem files: sizes, conditioning and active sets vary.

`draw(sort, seed)` is one problem with n of 2 to 12 and m of 3 to 30. Lower levels are strongly convex, with a condition
number of f_yy from 1 to 1e6 where it is drawn.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solverkit.kinds.bilevel.build import bilevel
from solverkit.kinds.bilevel.problem import Bilevel

LARGEST_POWER = 6.0  # of ten: the condition number of a drawn quadratic


def _curved(rng: np.random.Generator, m: int, power: float) -> np.ndarray:
    """Symmetric, eigenvalues from 10^-power to 1, log-uniform with both ends taken."""
    eigenvalues = 10.0 ** -np.concatenate([[0.0, power], rng.uniform(0, power, max(m - 2, 0))])[:m]
    rotation, _ = np.linalg.qr(rng.standard_normal((m, m)))
    matrix = (rotation * eigenvalues) @ rotation.T
    return (matrix + matrix.T) / 2


def _sizes(rng: np.random.Generator) -> tuple[int, int, float]:
    return int(rng.integers(2, 13)), int(rng.integers(3, 31)), float(rng.uniform(0, LARGEST_POWER))


def _coupled(rng: np.random.Generator, n: int, m: int, power: float) -> dict[str, np.ndarray]:
    """f = (y - M x - d)'Q(y - M x - d) / 2, in the form y'Qy / 2 - y'(P x + q): y* stays moderate at any condition."""
    Q, M, d = _curved(rng, m, power), rng.standard_normal((m, n)) / np.sqrt(n), rng.standard_normal(m)
    return {"Q": Q, "P": Q @ M, "q": Q @ d, "b": rng.standard_normal(m), "c": rng.standard_normal(n)}


def _quadratic(rng: np.random.Generator, name: str) -> Bilevel:
    n, m, power = _sizes(rng)
    return bilevel(
        upper={"variables": {"x": {"shape": n}}, "minimize": "0.5*normsq(y - b) + 0.05*normsq(x - c)"},
        lower={"variables": {"y": {"shape": m}}, "minimize": "0.5*dot(y, Q @ y) - dot(y, P @ x + q)", "convex": True},
        data=_coupled(rng, n, m, power),
        name=name,
    )


def _bounded(rng: np.random.Generator, name: str) -> Bilevel:
    """X a box that cuts the free answer off, F not convex."""
    n, m, power = _sizes(rng)
    return bilevel(
        upper={
            "variables": {"x": {"shape": n, "lower": -0.3, "upper": 0.4}},
            "minimize": "0.5*normsq(y - b) + sum(cos(2*x - c))",
        },
        lower={"variables": {"y": {"shape": m}}, "minimize": "0.5*dot(y, Q @ y) - dot(y, P @ x + q)", "convex": True},
        data=_coupled(rng, n, m, power),
        name=name,
    )


def _clipped(rng: np.random.Generator, name: str) -> Bilevel:
    """Y a box: y* has kinks."""
    n, m, power = _sizes(rng)
    return bilevel(
        upper={"variables": {"x": {"shape": n}}, "minimize": "0.5*normsq(y - b) + 0.05*normsq(x - c)"},
        lower={
            "variables": {"y": {"shape": m, "lower": -1, "upper": 1}},
            "minimize": "0.5*dot(y, Q @ y) - dot(y, P @ x + q)",
            "convex": True,
        },
        data=_coupled(rng, n, m, power / 2),
        name=name,
    )


def _logistic(rng: np.random.Generator, name: str) -> Bilevel:
    """Log weights of the regularizer, one a feature; features of different size, labels with noise."""
    features, rows = int(rng.integers(2, 21)), int(rng.integers(40, 121))
    spread = 10.0 ** rng.uniform(-1, 1, features)
    truth = rng.standard_normal(features) / spread * (rng.random(features) < 0.6)
    data = {}
    for name_, label in (("A", "s"), ("B", "t")):
        data[name_] = rng.standard_normal((rows, features)) * spread
        score = data[name_] @ truth + 0.5 * rng.standard_normal(rows)
        data[label] = np.where(score >= 0, 1.0, -1.0)
    return bilevel(
        upper={
            "variables": {"x": {"shape": features, "start": -2}},
            "minimize": "mean(logistic(-t*(B @ w))) + 1e-3*normsq(x)",
            "samples": ["B", "t"],
        },
        lower={
            "variables": {"w": {"shape": features}},
            "minimize": "mean(logistic(-s*(A @ w))) + 0.5*sum(exp(x)*w**2)",
            "samples": ["A", "s"],
            "convex": True,
        },
        data=data,
        name=name,
    )


def _tail(rng: np.random.Generator, name: str) -> Bilevel:
    """F grows exponentially in y; f is a quadratic plus softplus terms, so that y* is no polynomial."""
    n, m, power = _sizes(rng)
    data = _coupled(rng, n, m, power / 2)
    data["a"] = 2 * rng.standard_normal(m) / np.sqrt(m)
    return bilevel(
        upper={
            "variables": {"x": {"shape": n, "start": float(rng.uniform(-4, 4))}},
            "minimize": "exp(dot(a, y)) + exp(-dot(a, y)) + 0.5*normsq(x - c)",
        },
        lower={
            "variables": {"y": {"shape": m}},
            "minimize": "0.5*dot(y, Q @ y) - dot(y, P @ x + q) + 0.1*sum(logistic(y))",
            "convex": True,
        },
        data=data,
        name=name,
    )


def _blocks(rng: np.random.Generator, name: str) -> Bilevel:
    """Ridge-like tasks that share a centre and log weights."""
    tasks, k = int(rng.integers(5, 200)), int(rng.integers(2, 7))
    truth = rng.standard_normal(k) + 0.5 * rng.standard_normal((tasks, k))
    noise = 10.0 ** rng.uniform(-1, 0.5, tasks)[:, None]
    data = {
        "c": truth + noise * rng.standard_normal((tasks, k)),
        "target": truth + 0.1 * rng.standard_normal((tasks, k)),
        "precision": 10.0 ** rng.uniform(-2, 2, tasks),
    }
    return bilevel(
        upper={
            "variables": {"x": {"shape": k}, "u": {"shape": k}},
            "minimize": "mean(0.5*sum((y - target)**2, 1)) + 0.001*normsq(x) + 0.001*normsq(u)",
            "samples": ["y", "target"],
        },
        lower={
            "variables": {"y": {"shape": [tasks, k]}},
            "minimize": "mean(0.5*precision*sum((y - c)**2, 1) + 0.5*((y - u)**2 @ exp(x)))",
            "samples": ["y", "c", "precision"],
            "convex": True,
        },
        data=data,
        name=name,
    )


SORTS: dict[str, Callable[[np.random.Generator, str], Bilevel]] = {
    "quadratic": _quadratic,
    "logistic": _logistic,
    "exponential tail": _tail,
    "bounds on x": _bounded,
    "bounds on y": _clipped,
    "many blocks": _blocks,
}


def draw(sort: str, seed: int) -> Bilevel:
    """Problem number `seed` of a sort of `SORTS`."""
    return SORTS[sort](np.random.default_rng([20, list(SORTS).index(sort), seed]), f"{sort} {seed}")
