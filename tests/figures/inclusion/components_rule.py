"""When components pay: work to a merit, components against full evaluations, over the stable rank.

Games of singular values j^-decay (monotone: rank = 0.0025 in the rule) and least squares of unequal columns
(cocoercive: rank = 0.1). Epochs until the merit is a tenth of the start's (sums: 1e-4), or in brackets the best merit
of 3000 (1500) epochs; `chosen` is what the rule takes.
"""

from __future__ import annotations

import numpy as np

import solverkit as sk
from solverkit.kinds.base import Block
from solverkit.kinds.inclusion.build import game
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.operators.proximal import Box
from tests.figures.inclusion._component_runs import count, curve


class Rows:
    """F_i(u) = a_i (a_i'u - b_i), drawn by ||a_i||^2."""

    def __init__(self, A: np.ndarray, b: np.ndarray) -> None:
        self.A, self.b = A, b
        self.count, self.size = A.shape
        self.cocoercive = True
        square = (A**2).sum(axis=1)
        self.weights = square / square.sum()
        self.lipschitz = float(np.linalg.norm(A, 2) ** 2 / self.count)
        weighted = (A * (square / (self.count**2 * self.weights))[:, None]).T @ A
        self.mean_lipschitz = float(np.sqrt(np.linalg.norm(weighted, 2)))

    def value(self, u: np.ndarray) -> np.ndarray:
        return self.A.T @ (self.A @ u - self.b) / self.count

    def components(self, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        rows = self.A[samples]
        return (rows @ u - self.b[samples]) / (len(samples) * self.count * self.weights[samples]) @ rows

    def to(self, device: str, dtype: str) -> Rows:
        return self

    def digest(self) -> str:
        return f"rows {self.A.shape} {self.A.sum()!r} {self.b.sum()!r}"


def decaying(n: int, decay: float, seed: int = 3) -> Inclusion:
    """A game with singular values n j^-decay and random singular vectors."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
    return game(n * (left * np.arange(1, n + 1) ** -decay) @ right.T, name=f"decay {decay:g}, n = {n}")


def least_squares(n: int, d: int, decades: float, seed: int = 0) -> Inclusion:
    """Rows of n samples and d features whose scales span so many decades."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, d)) * np.logspace(0, -decades, d)
    part = Rows(A, A @ rng.standard_normal(d) + rng.standard_normal(n))
    blocks = (Block("w", (d,), np.zeros(d)),)
    return Inclusion(f"least squares {n} x {d}", blocks, part, (Box(-1.0, 1.0),), form="finite-sum")


def cases() -> list[tuple[Inclusion, str]]:
    """Problems and the sampled algorithm of each."""
    games = [decaying(500, decay) for decay in (3.0, 1.5, 1.2, 1.0, 0.6, 0.3)]
    games.append(decaying(2000, 1.0))
    sums = [least_squares(2000, 20, 1.5), least_squares(1000, 100, 0.5), least_squares(400, 300, 0.0)]
    return [(problem, "forb") for problem in games] + [(problem, "page") for problem in sums]


def work(problem: Inclusion, options: dict, tol: float, limit: float) -> str:
    """Epochs to the tolerance, or the merit after `limit` of them over the tolerance."""
    calls = int(limit * problem.count * 3)
    result = sk.solve(problem, method="vr-halpern", options=options, tol=tol, max_calls=calls, max_time=60)
    reached = [record for record in result.trace if record["report"]["merit"] <= tol]
    if reached:
        return f"{count(reached[0]['counts'], problem):.0f}"
    best = min(record["report"]["merit"] for record in result.trace if count(record["counts"], problem) <= limit)
    return f"({best / tol:.2g} tol)"


def main() -> None:
    print(f"{'problem':26s} {'rank / n':>9s} {'components':>12s} {'full':>12s}   chosen")
    for problem, sampled in cases():
        monotone = sampled == "forb"
        first = sk.solve(problem, method="extragradient", max_iter=1)
        tol = (0.1 if monotone else 1e-4) * float(first.trace[0]["report"]["merit"])
        words = curve(problem, "vr-halpern", {"cost": 1.0}, 20).log[0]
        rank = float(words.split("stable rank ")[1].split(",")[0]) / problem.count
        limit = 3000.0 if monotone else 1500.0
        shown = [work(problem, {"algorithm": name, "block": 2}, tol, limit) for name in (sampled, "full")]
        pick = "components" if words.startswith("components") else "full"
        print(f"{problem.name:26s} {rank:9.2g} {shown[0]:>12s} {shown[1]:>12s}   {pick}", flush=True)
