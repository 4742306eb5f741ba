"""Nonlinear problems with answers in closed form.

Wrong: no local minimizer of those that are known lies within LEAST (1 + |x*_j|) of every x_j. The conditioning of
each family is bounded, so that what the certificate tolerates at 1e-6 is a tenth of that or less.

| family | problem | answers | its own wrong points |
|---|---|---|---|
| quadratic | strictly convex, active rows and bounds | built backwards from x* | optimum without a row |
| sphere | x'Ax on the unit sphere | the two eigenvectors of the least eigenvalue | all others: saddles, maxima |
| wells | sum w_i (z_i^2 - 1)^2, z = R (x - s) | all z of +-1 | z with zeros: saddles, maxima |

Each is stated in units of its own: f times 10^a, rows times 10^b, with a, b up to 8 in size.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from solverkit.kinds.nonlinear import nonlinear
from solverkit.kinds.nonlinear.certificate import certify
from tests.verdicts.subject import TOL, Subject

LEAST = 1e-4
UNITS = 8.0  # decimal orders by which f and rows are multiplied, at most


def subjects(rng: np.random.Generator, units: float = UNITS) -> Iterator[Subject]:
    """Without an end, the families in turn."""
    while True:
        for family in (quadratic, sphere, wells):
            f, row = 10.0 ** rng.uniform(-units, units, 2)
            yield family(rng, float(f), float(row))


def _subject(name: str, problem, answers: list[np.ndarray], own) -> Subject:
    def error(x: np.ndarray) -> float:
        if not np.isfinite(x).all():
            return np.inf
        return min(float((np.abs(x - each) / (1 + np.abs(each))).max()) for each in answers) / LEAST

    return Subject(name, problem, answers[0], error, certify, problem.blocks, own, 0.1 * TOL / LEAST)


def quadratic(rng: np.random.Generator, f: float = 1.0, row: float = 1.0) -> Subject:
    """0.5 x'Hx + q'x, A x <= b, x >= l: q from multipliers in [0.5, 2] at the active ones."""
    n = int(rng.integers(2, 8))
    H, x = _spectrum(rng, n, 1.0, 10.0), rng.standard_normal(n)
    rows, active = int(rng.integers(1, n + 1)), int(rng.integers(0, max(1, n // 2) + 1))
    active = min(active, rows)
    A = rng.standard_normal((rows, n))
    A /= np.linalg.norm(A, axis=1, keepdims=True)
    held = np.arange(rows) < active
    y = np.where(held, rng.uniform(0.5, 2, rows), 0.0)
    b = A @ x + np.where(held, 0.0, rng.uniform(0.5, 2, rows))
    low, z = x - rng.uniform(0.5, 2, n), np.zeros(n)
    if active < n - 1 and rng.random() < 0.5:
        low[0], z[0] = x[0], rng.uniform(0.5, 2)
    q = -H @ x - A.T @ y + z
    problem = nonlinear(
        {"x": {"shape": n, "lower": low.tolist()}},
        f"{f!r}*(0.5*dot(x, H @ x) + dot(q, x))",
        {"r": f"{row!r}*(A @ x) <= {row!r}*b"},
        {"H": H, "q": q, "A": A, "b": b},
    )

    def own(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        yield "optimum without rows and bounds", -np.linalg.solve(H, q)
        yield "maximum along the gradient", x + (H @ x + q)
        for k in range(active):  # the face of the other active rows
            kept = [i for i in range(active) if i != k]
            B = A[kept]
            K = np.block([[H, B.T], [B, np.zeros((len(kept), len(kept)))]])
            yield "optimum without a row", np.linalg.solve(K, np.concatenate([-q, b[kept]]))[:n]

    return _subject(f"quadratic n={n} f={f:.0e} rows={row:.0e}", problem, [x], own)


def sphere(rng: np.random.Generator, f: float = 1.0, row: float = 1.0) -> Subject:
    """x'Ax on x'x = 1: eigenvalues at least 0.3 apart."""
    n = int(rng.integers(2, 8))
    values = np.cumsum(rng.uniform(0.3, 2, n)) - 2
    V, _ = np.linalg.qr(rng.standard_normal((n, n)))
    A = (V * values) @ V.T
    A = (A + A.T) / 2
    values, V = np.linalg.eigh(A)
    problem = nonlinear(
        {"x": {"shape": n, "start": 1.0}}, f"{f!r}*dot(x, A @ x)", {"s": f"{row!r}*sum(x**2) == {row!r}"}, {"A": A}
    )

    def own(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        for k in range(1, n):
            yield "maximum" if k == n - 1 else "saddle", V[:, k] * rng.choice([-1, 1])
            mixed = V[:, 0] * np.cos(t := 10.0 ** rng.uniform(-3, 0)) + V[:, k] * np.sin(t)
            yield "feasible, turned away", mixed
            yield "near a saddle", V[:, k] + 1e-7 * rng.standard_normal(n)

    return _subject(f"sphere n={n} f={f:.0e} rows={row:.0e}", problem, [V[:, 0], -V[:, 0]], own)


def wells(rng: np.random.Generator, f: float = 1.0, row: float = 1.0) -> Subject:
    """2^n minimizers, no rows: `row` scales nothing."""
    n = int(rng.integers(1, 5))
    R, s, w = _spectrum(rng, n, 0.5, 2.0), rng.standard_normal(n), rng.uniform(0.5, 2, n)
    problem = nonlinear(
        {"x": {"shape": n, "start": 0.5}},
        f"{f!r}*sum(w*((R @ (x - s))**2 - 1)**2)",
        None,
        {"R": R, "s": s, "w": w},
    )
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * n)).reshape(n, -1).T
    answers = [s + np.linalg.solve(R, z) for z in signs]

    def own(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        for _ in range(4):
            z = rng.choice([-1.0, 0.0, 1.0], n)
            z[rng.integers(n)] = 0.0
            yield "maximum" if not z.any() else "saddle", s + np.linalg.solve(R, z)
            yield "near a saddle", s + np.linalg.solve(R, z + 1e-8 * rng.standard_normal(n))

    return _subject(f"wells n={n} f={f:.0e}", problem, answers, own)


def _spectrum(rng: np.random.Generator, n: int, low: float, high: float) -> np.ndarray:
    """Symmetric, with eigenvalues in [low, high]."""
    V, _ = np.linalg.qr(rng.standard_normal((n, n)))
    M = (V * rng.uniform(low, high, n)) @ V.T
    return (M + M.T) / 2
