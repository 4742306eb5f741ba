"""Heat flow on an unstructured mesh (arXiv 2310.02246's question, with setup): the tuner against every fixed choice
of solver.

Two sequences of 300 systems with 100,000 unknowns. Similar steps: dt grows threefold. Start-up: dt grows by five
decades in 150 steps and stays there, so that the best choice changes: first systems are easy, the last ones are hard
and have one matrix. CPU seconds of one thread, learner and trials included.

The tuner runs all systems. Fixed choices run samples, from the tuner's solutions, and are scaled: those that keep
nothing every 20th system; those that keep a hierarchy or a factor six blocks of ten systems (three where each new
matrix is factored), each after one system that is not counted, so that builds before a block are left out and these
totals are low.
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from solverkit_sor import SequenceTuner
from solverkit_sor.generators.mesh import mesh_heat
from solverkit_sor.solvers.catalogue import make_arm

SIZE, STEPS = int(os.environ.get("MESH_SIZE", 100_000)), 300
SEQUENCES: dict[str, dict[str, float]] = {
    "similar steps": {"dt": 2e-5, "growth": 3.0},
    "start-up": {"dt": 1e-7, "growth": 1e5, "ramp": 0.5},
}
SINGLE = [range(t, t + 1) for t in range(10, STEPS, 20)]
BLOCKS = [range(t, t + 10) for t in range(20, STEPS, 50)]
SHORT = [range(t, t + 3) for t in range(20, STEPS, 50)]
CHOICES: list[tuple[str, dict[str, Any], list[range]]] = [
    ("cg", {}, SINGLE),
    ("ssor-cg", {"w": 1.0}, SINGLE),
    ("ssor-cg", {"w": 1.5}, SINGLE),
    ("ssor-cg", {"w": 1.8}, SINGLE),
    ("amg", {"refresh": "always"}, SINGLE),
    ("amg", {"refresh": "lazy"}, BLOCKS),
    ("direct", {"refresh": "changed"}, SHORT),
    ("direct", {"refresh": "lazy"}, BLOCKS),
]
STARTS = {block[0] - (block not in SINGLE) for _, _, blocks in CHOICES for block in blocks}


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


def tuned(sequence: Sequence, seed: int) -> tuple[float, dict[int, np.ndarray], SequenceTuner]:
    """CPU seconds of the tuner over the sequence, the solutions before the systems of STARTS, and the tuner."""
    tuner = SequenceTuner(cost="cpu", seed=seed)
    u, spent, starts = np.zeros(sequence.n), 0.0, {}
    for t in range(STEPS):
        if t in STARTS:
            starts[t] = u
        A, b = sequence.system(t, u)
        began = time.process_time()
        u, info = tuner.solve(A, b, x0=u)
        spent += time.process_time() - began
        if info:
            raise AssertionError(f"system {t} was not solved: {info.message}")
    return spent, starts, tuner


def fixed(
    sequence: Sequence, name: str, options: dict[str, Any], blocks: list[range], starts: dict[int, np.ndarray]
) -> tuple[float, float]:
    """CPU seconds and iterations of one choice, scaled from the systems in `blocks`."""
    arm = make_arm(name)
    spent, iterations = 0.0, 0
    for block in blocks:
        first = block[0] - (blocks is not SINGLE)
        u = starts[first]
        for t in range(first, block[-1] + 1):
            A, b = sequence.system(t, u)
            began = time.process_time()
            solved = arm.solve(A, b, u, parameters=options)
            if t in block:
                spent += time.process_time() - began
                iterations += solved.iterations
            u = solved.x
    scale = STEPS / sum(map(len, blocks))
    return spent * scale, iterations * scale


def main() -> None:
    for name, options in SEQUENCES.items():
        sequence = Sequence(**options)
        _warm_up()
        spent, starts, tuner = tuned(sequence, seed=0)
        print(f"{name}: n = {sequence.n}, T = {STEPS}, dt from {sequence.steps[0]:.1e} to {sequence.steps[-1]:.1e}")
        print(f"{'choice':44s} {'CPU s':>8} {'iterations':>11} {'systems run':>11}")
        rows = []
        for solver, parameters, blocks in CHOICES:
            seconds, iterations = fixed(sequence, solver, parameters, blocks, starts)
            words = " ".join(f"{key}={value}" for key, value in parameters.items())
            rows.append(seconds)
            run = sum(map(len, blocks))
            print(f"{solver + ' ' + words:44s} {seconds:8.1f} {iterations:11.0f} {run:11d}", flush=True)
        print(f"{'SequenceTuner(cost=cpu)':44s} {spent:8.1f}   {spent / min(rows):.3f} x the best of these")
        print(f"\n{tuner.report()}\n")


def _warm_up() -> None:
    """Compile everything before anything is timed."""
    A = csr_array(np.diag([2.5] * 9) - np.diag([1.0] * 8, 1) - np.diag([1.0] * 8, -1))
    for solver, parameters, _ in CHOICES:
        make_arm(solver).solve(A, np.ones(9), parameters=parameters)
    tuner = SequenceTuner()
    for _ in range(3):
        tuner.solve(A, np.ones(9))
