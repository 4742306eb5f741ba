"""Bilevel problems with answers in closed form.

Wrong: y is further than LEAST (1 + |y|) from the follower's answer at this x (where that is not unique: from the best
one for the leader), or x further than LEAST (1 + |x|) from every local minimizer of F(x, y(x)).

| family | lower level | answer |
|---|---|---|
| quadratic | strongly convex, y = P x + p, in units f times 10^a, F times 10^b | one linear system in x |
| boxed | y_i = clip(a_i x_i + b_i, 0, 1) | pieces of each x_i |
| flat | y = T (u, v), u = x, v free in rows 0 <= v <= 1 that f does not see | v by the leader's wish, clipped |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from solverkit.kinds.bilevel import bilevel
from solverkit.kinds.bilevel.certificate import certify
from tests.verdicts.subject import TOL, Subject

LEAST = 1e-3
UNITS = 4.0


def subjects(rng: np.random.Generator) -> Iterator[Subject]:
    """Without an end, the families in turn."""
    while True:
        for family in (quadratic, boxed, flat):
            yield family(rng)


Own = Callable[[np.random.Generator], Iterator[tuple[str, np.ndarray]]]


def _subject(name: str, problem, z: np.ndarray, right: Callable, leaders: Callable, own: Own) -> Subject:
    """`right(x)`: the follower's answer; `leaders(x)`: how far x is from a local minimizer, relative."""
    n = problem.n

    def error(v: np.ndarray) -> float:
        if not np.isfinite(v).all():
            return np.inf
        y = right(v[:n])
        return max(float((np.abs(v[n:] - y) / (1 + np.abs(y))).max()), leaders(v[:n])) / LEAST

    return Subject(name, problem, z, error, certify, problem.blocks, own, 0.1 * TOL / LEAST)


def _relative(x: np.ndarray, best: np.ndarray) -> float:
    return float((np.abs(x - best) / (1 + np.abs(best))).max())


def quadratic(rng: np.random.Generator) -> Subject:
    """F = |y - d|^2 / 2 + c |x|^2 / 2."""
    n, m = (int(k) for k in rng.integers(1, 5, 2))
    V, _ = np.linalg.qr(rng.standard_normal((m, m)))
    Q = (V * rng.uniform(1, 10, m)) @ V.T
    Q, P, p, d = (Q + Q.T) / 2, rng.standard_normal((m, n)), rng.standard_normal(m), rng.standard_normal(m)
    F, f = (float(10.0**k) for k in rng.uniform(-UNITS, UNITS, 2))
    problem = bilevel(
        upper={"variables": {"x": {"shape": n}}, "minimize": f"{F!r}*(0.5*sum((y - d)**2) + 0.25*sum(x**2))"},
        lower={
            "variables": {"y": {"shape": m}},
            "minimize": f"{f!r}*(0.5*dot(y, Q @ y) - dot(y, Q @ (P @ x + p)))",
            "convex": True,
        },
        data={"Q": Q, "P": P, "p": p, "d": d},
    )
    x = np.linalg.solve(P.T @ P + 0.5 * np.eye(n), P.T @ (d - p))

    def own(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        yield "the leader's own y", np.concatenate([x, d])
        for size in 10.0 ** rng.uniform(-3, 1, 6):
            there = x + size * rng.standard_normal(n)
            yield "x moved, its own y", np.concatenate([there, P @ there + p])
        yield "both levels as one problem", np.concatenate([np.zeros(n), d])

    name = f"quadratic {n}+{m} F={F:.0e} f={f:.0e}"
    return _subject(name, problem, np.concatenate([x, P @ x + p]), lambda v: P @ v + p, lambda v: _relative(v, x), own)


def boxed(rng: np.random.Generator) -> Subject:
    """F = sum (x - c)^2 + w (y - d)^2, coordinate by coordinate: at most three local minimizers of each x_i."""
    n = int(rng.integers(1, 4))
    a, b, c, d = (rng.uniform(-2, 2, n) for _ in range(4))
    a, w = np.where(np.abs(a) < 0.3, 0.5, a), rng.uniform(0.2, 2, n)
    problem = bilevel(
        upper={"variables": {"x": {"shape": n}}, "minimize": "sum((x - c)**2 + w*(y - d)**2)"},
        lower={
            "variables": {"y": {"shape": n, "lower": 0, "upper": 1}},
            "minimize": "0.5*sum((y - a*x - b)**2)",
            "convex": True,
        },
        data={"a": a, "b": b, "c": c, "d": d, "w": w},
    )

    def value(i: int, t: float) -> float:
        return (t - c[i]) ** 2 + w[i] * (np.clip(a[i] * t + b[i], 0, 1) - d[i]) ** 2

    def minimizers(i: int) -> list[float]:
        kinks = [-b[i] / a[i], (1 - b[i]) / a[i]]
        inner = (c[i] + w[i] * a[i] * (d[i] - b[i])) / (1 + w[i] * a[i] ** 2)
        step = 1e-6
        return [t for t in (c[i], inner, *kinks) if value(i, t) <= min(value(i, t - step), value(i, t + step)) + 1e-15]

    local = [minimizers(i) for i in range(n)]

    def right(x: np.ndarray) -> np.ndarray:
        return np.clip(a * x + b, 0, 1)

    def leaders(x: np.ndarray) -> float:
        return max(min(abs(x[i] - t) / (1 + abs(t)) for t in local[i]) for i in range(n))

    def own(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        for size in 10.0 ** rng.uniform(-3, 1, 6):
            x = best + size * rng.standard_normal(n)
            yield "x moved, its own y", np.concatenate([x, right(x)])
        yield "at a kink", np.concatenate([-b / a, np.zeros(n)])
        yield "the leader's own y", np.concatenate([best, np.clip(d, 0, 1)])
        yield "the leader's own x and y", np.concatenate([c, right(c)])

    best = np.array([min(local[i], key=lambda t, i=i: value(i, t)) for i in range(n)])
    return _subject(f"boxed {n}", problem, np.concatenate([best, right(best)]), right, leaders, own)


def flat(rng: np.random.Generator) -> Subject:
    """F = |x - c|^2 + |v - d|^2 over the lower solutions: those are the whole box of v."""
    n, k = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    T = rng.standard_normal((n + k, n + k)) + 2 * np.eye(n + k)
    while np.linalg.cond(T) > 20:
        T = rng.standard_normal((n + k, n + k)) + 2 * np.eye(n + k)
    S = np.linalg.inv(T)  # (u, v) = S y
    U, W, c, d = S[:n], S[n:], rng.uniform(-2, 2, n), rng.uniform(-1, 2, k)
    problem = bilevel(
        upper={"variables": {"x": {"shape": n}}, "minimize": "sum((x - c)**2) + sum((W @ y - d)**2)"},
        lower={
            "variables": {"y": {"shape": n + k}},
            "minimize": "0.5*sum((U @ y - x)**2)",
            "subject_to": {"low": "W @ y >= 0", "high": "W @ y <= 1"},
            "convex": True,
        },
        data={"U": U, "W": W, "c": c, "d": d},
    )

    def follower(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        return T @ np.concatenate([x, v])

    def right(x: np.ndarray) -> np.ndarray:
        return follower(x, np.clip(d, 0, 1))

    def own(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        for _ in range(4):
            yield "another lower solution", np.concatenate([c, follower(c, rng.uniform(0, 1, k))])
            near = np.clip(np.clip(d, 0, 1) + 10.0 ** rng.uniform(-3, -1) * rng.standard_normal(k), 0, 1)
            yield "a lower solution near by", np.concatenate([c, follower(c, near)])
            yield "a corner of the lower solutions", np.concatenate([c, follower(c, rng.choice([0.0, 1.0], k))])
            x = c + 10.0 ** rng.uniform(-3, 0) * rng.standard_normal(n)
            yield "x moved, its own y", np.concatenate([x, right(x)])
        yield "the leader's own y", np.concatenate([c, follower(c, d)])

    return _subject(f"flat {n}+{k}", problem, np.concatenate([c, right(c)]), right, lambda x: _relative(x, c), own)
