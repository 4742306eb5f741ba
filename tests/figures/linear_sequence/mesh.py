"""Heat flow on an unstructured mesh (arXiv 2310.02246's question, with setup): the tuner against every fixed choice
of solver.

Two sequences of 300 systems with 100,000 unknowns: steps that grow threefold, and by five decades, so that
the best choice changes along the way. CPU seconds of one thread, learner and trials included. Choices that keep
nothing between systems are run on every tenth system, from the same start, and scaled.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit_sor import SequenceTuner
from solverkit_sor.generators.mesh import mesh_heat
from solverkit_sor.solvers.catalogue import make_arm

SIZE, STEPS, EVERY = int(os.environ.get("MESH_SIZE", 100_000)), 300, 10
SEQUENCES = {"similar steps": {"dt": 2e-5, "growth": 3.0}, "growing steps": {"dt": 1e-7, "growth": 1e5}}
FRESH: list[tuple[str, dict[str, Any]]] = [
    ("cg", {}),
    ("ssor-cg", {"w": 1.0}),
    ("ssor-cg", {"w": 1.5}),
    ("ssor-cg", {"w": 1.8}),
    ("amg", {"refresh": "always"}),
    ("direct", {"refresh": "changed"}),
]
KEPT: list[tuple[str, dict[str, Any]]] = [("amg", {"refresh": "lazy"}), ("direct", {"refresh": "lazy"})]

Solve = Callable[[csr_array, np.ndarray, np.ndarray], np.ndarray]


class Sequence:
    """M u_t + dt_t K u_t = M u_{t-1} + dt_t F_t, one index array for all matrices."""

    def __init__(self, **options: float) -> None:
        data = mesh_heat(points=SIZE, T=STEPS, seed=1, **options)
        self.M, self.K, self.forcing = data["M"], data["K"], data["forcing"]
        self.steps = data["coefficients"][:, 1]
        self.n = self.M.shape[0]

    def system(self, t: int, u: np.ndarray) -> tuple[csr_array, np.ndarray]:
        """A_t and b_t after u_{t-1} (n,)."""
        A = csr_array((self.M.data + self.steps[t] * self.K.data, self.M.indices, self.M.indptr), shape=self.M.shape)
        return A, self.M @ u + self.forcing[t]


def tuned(sequence: Sequence, seed: int) -> tuple[float, list[np.ndarray], SequenceTuner]:
    """CPU seconds of the tuner over the sequence, the solutions before every tenth system, and the tuner."""
    tuner = SequenceTuner(cost="cpu", seed=seed)
    u, spent, starts = np.zeros(sequence.n), 0.0, []
    for t in range(STEPS):
        if t % EVERY == EVERY // 2:
            starts.append(u)
        A, b = sequence.system(t, u)
        began = time.process_time()
        u, info = tuner.solve(A, b, x0=u)
        spent += time.process_time() - began
        if info:
            raise AssertionError(f"system {t} was not solved: {info.message}")
    return spent, starts, tuner


def fixed(
    sequence: Sequence, name: str, options: dict[str, Any], starts: list[np.ndarray] | None
) -> tuple[float, float]:
    """CPU seconds and iterations of one choice: on all systems, or scaled from those with a start."""
    arm = make_arm(name)
    spent, iterations = 0.0, 0
    u = np.zeros(sequence.n)
    for t in range(STEPS):
        if starts is not None:
            if t % EVERY != EVERY // 2:
                continue
            u = starts[t // EVERY]
        A, b = sequence.system(t, u)
        began = time.process_time()
        solved = arm.solve(A, b, u, parameters=options)
        spent += time.process_time() - began
        iterations += solved.iterations
        u = solved.x
    scale = 1 if starts is None else EVERY
    return spent * scale, iterations * scale


def main() -> None:
    for name, options in SEQUENCES.items():
        sequence = Sequence(**options)
        _warm_up()
        spent, starts, tuner = tuned(sequence, seed=0)
        print(f"{name}: n = {sequence.n}, T = {STEPS}, dt from {sequence.steps[0]:.1e} to {sequence.steps[-1]:.1e}")
        print(f"{'choice':44s} {'CPU s':>8} {'iterations':>11}")
        rows = []
        for solver, parameters in [*FRESH, *KEPT]:
            seconds, iterations = fixed(sequence, solver, parameters, None if (solver, parameters) in KEPT else starts)
            words = " ".join(f"{key}={value}" for key, value in parameters.items())
            rows.append(seconds)
            print(f"{solver + ' ' + words:44s} {seconds:8.1f} {iterations:11.0f}", flush=True)
        print(f"{'SequenceTuner(cost=cpu)':44s} {spent:8.1f}   {spent / min(rows):.3f} x the best of these")
        print(f"\n{tuner.report()}\n")


def _warm_up() -> None:
    """Compile everything before anything is timed."""
    A = csr_array(np.diag([2.5] * 9) - np.diag([1.0] * 8, 1) - np.diag([1.0] * 8, -1))
    for solver, parameters in [*FRESH, *KEPT]:
        make_arm(solver).solve(A, np.ones(9), parameters=parameters)
    tuner = SequenceTuner()
    for _ in range(3):
        tuner.solve(A, np.ones(9))
