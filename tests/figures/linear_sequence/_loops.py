"""Time loops that the tables of heat flow share: the counts of every w, and runs of one choice or of a tuner."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit_sor import SequenceTuner
from solverkit_sor.generators.heat import heat, heat_heterogeneous
from solverkit_sor.kernels.eisenstat import ssor_cg
from solverkit_sor.kernels.splitting import Pattern, Splitting
from solverkit_sor.solvers.catalogue import make_arm

GRID = np.round(np.linspace(1.0, 1.95, 20), 2)
RTOL, CAP = 1e-8, 10_000


@dataclass
class Spent:
    """What a loop took."""

    iterations: int = 0
    work: float = 0.0
    seconds: float = 0.0  # processor time inside the solves, learner included
    extra: dict[str, Any] = field(default_factory=dict)


class Loop:
    """(I + alpha_t L) u_t = (I - alpha_t L) u_{t-1} + f_t; matrices share their index arrays."""

    def __init__(self, nx: int, T: int, stop: float = 5.0, seed: int | None = None) -> None:
        """`seed`: of a conductivity over six decades; constant coefficients where None."""
        data = heat(nx, T, stop / T) if seed is None else heat_heterogeneous(nx, T, stop / T, seed=seed)
        self.L, self.T, self.n = csr_array(data["L"]), T, (nx - 1) ** 2
        self.L.sort_indices()
        self.pattern = Pattern.of(self.L.indptr, self.L.indices)
        self.alpha, self.forcing = data["coefficients"][:, 1], data["forcing"]
        self.initial, self.diffusion = data["initial"], data["diffusion"]

    def run(self, solve: Callable[[int, csr_array, np.ndarray, np.ndarray], np.ndarray]) -> None:
        """u = solve(t, A, b, u) for every step."""
        u = self.initial
        for t in range(self.T):
            values = self.alpha[t] * self.L.data
            values[self.pattern.diagonal] += 1.0
            A = csr_array((values, self.L.indices, self.L.indptr), shape=self.L.shape)
            u = solve(t, A, u - self.alpha[t] * (self.L @ u) + self.forcing[t], u)

    def counts(self, extra: Callable[[csr_array], float] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """SSOR-CG iterations (T, 20) of every w of GRID at every step, from the same u; those of a rule for w (T,)."""
        table, ruled = np.empty((self.T, len(GRID)), dtype=int), np.zeros(self.T, dtype=int)

        def solve(t: int, A: csr_array, b: np.ndarray, u: np.ndarray) -> np.ndarray:
            split = Splitting.of(self.pattern, A.data)
            r, target = b - A @ u, RTOL * float(np.linalg.norm(b))
            norm = float(np.linalg.norm(r))
            best = u

            def count(w: float) -> tuple[int, np.ndarray]:
                x = np.zeros(self.n)
                scaled = split.left * r
                return ssor_cg(*split.lower, *split.upper, w, 1 / split.left, scaled, x, norm, target, CAP)[0], x

            for k, w in enumerate(GRID):
                table[t, k], x = count(float(w))
                best = u + x * split.right if w == 1.5 else best
            if extra is not None:
                ruled[t] = count(extra(A))[0]
            return best

        self.run(solve)
        return table, ruled

    def fixed(self, name: str, **parameters: Any) -> Spent:
        """One solver with one value of its parameters."""
        arm, spent = make_arm(name), Spent()

        def solve(t: int, A: csr_array, b: np.ndarray, u: np.ndarray) -> np.ndarray:
            began = time.process_time()
            solved = arm.solve(A, b, u, RTOL, parameters=parameters)
            spent.seconds += time.process_time() - began
            spent.iterations += solved.iterations
            spent.work += solved.work
            return solved.x

        self.run(solve)
        return spent

    def tuned(self, **options: Any) -> Spent:
        """SequenceTuner; every system is checked to be solved."""
        tuner, spent = SequenceTuner(**options), Spent()

        def solve(t: int, A: csr_array, b: np.ndarray, u: np.ndarray) -> np.ndarray:
            began = time.process_time()
            x, info = tuner.solve(A, b, x0=u, rtol=RTOL)
            spent.seconds += time.process_time() - began
            if info:
                raise AssertionError(f"system {t} was not solved: {info.message}")
            spent.iterations += info.iterations
            spent.work += info.work
            return x

        self.run(solve)
        spent.extra["tuner"] = tuner
        return spent


def warm_up() -> None:
    """Compile, or load from the cache, before anything is timed."""
    loop = Loop(6, 40)
    loop.tuned()
    loop.tuned(space={"solver": "ssor-cg", "w": 1.5})
    for name in ("cg", "ssor-cg"):
        loop.fixed(name)
