"""Shifted Laplacians (arXiv 2310.02246, i.i.d. shifts): total SOR sweeps of fixed w and of the learners, T = 5,000.

A_t = A + c_t I, n = 100, x0 = 0, |r| <= 1e-8 |r_0|. Learners: mean of 3 seeds of their own on one sequence; their
costs are looked up in the table of all (system, w), which a run would produce one entry at a time. `log gap`: the
context is log(lambda_min(A) + c), the logarithm of the distance from a singular system. Below each table what a total
is expected to be over the law of the shifts, how far one draw of 5,000 systems scatters about it, and how many of its
standard deviations the specification's draw lies away.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.special import roots_jacobi

from solverkit_sor.generators.shifted import shifted_laplacian
from solverkit_sor.kernels.csr import sor
from solverkit_sor.kernels.splitting import Pattern, Splitting
from solverkit_sor.learners import Binned, ChebCB, Learner, LogTS, TsallisINF
from solverkit_sor.learners.closed_form import sor_relaxation

T, CAP, RTOL, SEEDS = 5000, 10_000, 1e-8, 3
NODES, DRAWN = 48, 30  # of the quadrature, and right-hand sides for each
GRID = np.round(np.linspace(1.0, 1.95, 20), 2)
LAWS = {"high variance": (0.5, 1.5), "low variance": (2.0, 6.0)}
# Totals of the specification, measured once with another implementation and another draw of the shifts.
SPEC = {
    "high variance": {
        "w=1": 2914681, "w=1.2": 1932150, "w=1.4": 1222815, "w=1.6": 723731, "w=1.8": 512667, "Tsallis-INF": 594251,
        "Tsallis-INF RV": 576749, "binned (5)": 504999, "ChebCB": 339478, "LogTS": 520465, "LogTS, context": 318988,
        "Young's w(c)": 273529,
    },
    "low variance": {
        "w=1": 1359022, "w=1.2": 894222, "w=1.4": 552098, "w=1.6": 315558, "w=1.8": 429816, "Tsallis-INF": 327882,
        "Tsallis-INF RV": 336097, "binned (5)": 324426, "ChebCB": 241918, "LogTS": 312778, "LogTS, context": 237323,
        "Young's w(c)": 209173,
    },
}  # fmt: skip


def sweeps(a: float, b: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sweeps (T, 20) of every w on every system, those of Young's w (T,), and the shifts (T,)."""
    data = shifted_laplacian(T=T, a=a, b=b, seed=0)
    A, shifts, rhs = csr_array(data["A"]), data["shifts"], data["B"]
    A.sort_indices()
    pattern = Pattern.of(A.indptr, A.indices)
    lowest = lowest_eigenvalue()
    counts, young = np.empty((T, len(GRID)), dtype=int), np.empty(T, dtype=int)
    for t in range(T):
        values = A.data.copy()
        values[pattern.diagonal] += shifts[t]
        split = Splitting.of(pattern, values)
        counts[t] = [swept(split, rhs[t], float(w)) for w in GRID]
        young[t] = swept(split, rhs[t], sor_relaxation((lowest + shifts[t]) / (4.0 + shifts[t])))
    return counts, young, shifts


def lowest_eigenvalue() -> float:
    """Of the 5-point Laplacian with 10 x 10 points inside."""
    return float(8.0 * np.sin(np.pi / 22.0) ** 2)


def total(learner: Learner, counts: np.ndarray, contexts: np.ndarray | None, seed: int) -> int:
    """Sweeps of a learner that sees only what its own arms cost."""
    rng, spent = np.random.default_rng(seed), 0
    for t, row in enumerate(counts):
        context = None if contexts is None else float(contexts[t])
        arm = learner.choose(context, rng)
        learner.update(arm, context, float(row[arm]))
        spent += int(row[arm])
    return spent


def main() -> None:
    places = -np.log10(2.0 - GRID)
    z = 2.0 * (places - places[0]) / (places[-1] - places[0]) - 1.0
    for law, (a, b) in LAWS.items():
        counts, young, shifts = sweeps(a, b)
        learners = {
            "Tsallis-INF": (lambda: TsallisINF(20, floor=1.0), None),
            "Tsallis-INF RV": (lambda: TsallisINF(20, "rv", floor=1.0), None),
            "binned (5)": (lambda: Binned(20, -0.15, 0.65, 5, floor=1.0), shifts),
            "ChebCB": (lambda: ChebCB(20, -0.15, 0.65, 6, floor=1.0), shifts),
            "LogTS": (lambda: LogTS(z), None),
            "LogTS, context": (lambda: LogTS(z, contexts=1), shifts),
            "LogTS, log gap": (lambda: LogTS(z, contexts=1), np.log(shifts + lowest_eigenvalue())),
        }
        print(f"{law}\n{'policy':16s} {'sweeps':>9} {'+-':>6} {'per solve':>9} {'spec':>9} {'ratio':>6}")
        for w in (1.0, 1.2, 1.4, 1.6, 1.8):
            row(f"w={w:g}", counts[:, np.flatnonzero(w == GRID)[0]].sum(), 0.0, law)
        for name, (make, contexts) in learners.items():
            totals = [total(make(), counts, contexts, seed) for seed in range(SEEDS)]
            row(name, float(np.mean(totals)), float(np.std(totals)), law)
        row("Young's w(c)", young.sum(), 0.0, law)
        print(f"\n{'expected total':16s} {'sweeps':>9} {'+-':>6} {'spec':>9} {'deviations':>10}")
        for w in (1.0, 1.2, 1.4, 1.6, 1.8):
            mean, deviation = expectation(a, b, w)
            spec = SPEC[law][f"w={w:g}"]
            print(f"w={w:<14g} {mean:9.0f} {deviation:6.0f} {spec:9d} {(spec - mean) / deviation:+10.1f}")
        print()


def expectation(a: float, b: float, w: float) -> tuple[float, float]:
    """Mean of the total over T systems, and its standard deviation over draws of them.

    c = -0.15 + 0.6 x with x by the law Beta(a, b): Gauss-Jacobi quadrature over x of the sweeps' first two moments,
    each node with DRAWN right-hand sides.
    """
    data = shifted_laplacian(T=NODES * DRAWN, a=a, b=b, seed=1)
    A, rhs = csr_array(data["A"]), data["B"]
    A.sort_indices()
    pattern = Pattern.of(A.indptr, A.indices)
    places, weights = roots_jacobi(NODES, b - 1.0, a - 1.0)
    moments = np.zeros(2)
    for node, (place, weight) in enumerate(zip(places, weights / weights.sum(), strict=True)):
        values = A.data.copy()
        values[pattern.diagonal] += -0.15 + 0.3 * (1.0 + place)
        split = Splitting.of(pattern, values)
        mine = rhs[node * DRAWN : (node + 1) * DRAWN]
        counts = np.array([swept(split, one, w) for one in mine], dtype=float)
        moments += weight * np.array([counts.mean(), (counts**2).mean()])
    return T * moments[0], float(np.sqrt(T * (moments[1] - moments[0] ** 2)))


def swept(split: Splitting, rhs: np.ndarray, w: float) -> int:
    """Sweeps of SOR from zero."""
    norm = float(np.linalg.norm(rhs))
    return sor(
        *split.lower, *split.upper, w, 1 / split.left, split.left * rhs, np.zeros(len(rhs)), norm, RTOL * norm, CAP
    )[0]


def row(name: str, spent: float, deviation: float, law: str) -> None:
    spec = SPEC[law].get(name)
    words = f"{spec:9d} {spent / spec:6.3f}" if spec else f"{'-':>9} {'-':>6}"
    print(f"{name:16s} {spent:9.0f} {deviation:6.0f} {spent / T:9.1f} {words}", flush=True)
