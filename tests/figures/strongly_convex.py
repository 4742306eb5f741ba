"""Strongly convex toy, five seeds: LV-HBA beside L-BFGS on the reduced problem, from the same start."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from scipy.linalg import null_space
from scipy.optimize import minimize

import solverkit as sk

PROBLEM = Path(__file__).parents[2] / "problems" / "bilevel" / "strongly-convex-seeded" / "problem.yaml"


def reduced(seed: int, n: int = 100, start: float = 0.1) -> tuple[float, float, np.ndarray]:
    """Objective and seconds of L-BFGS on F(x, y*(x)), x in the null space of B, y*(x) in closed form; and the M of
    y*(x) = M x."""
    from solverkit_bilevel.generators import coupled_strongly_convex

    data = coupled_strongly_convex(n, seed)
    begin = time.perf_counter()
    basis = null_space(data["B"])
    inverse = np.linalg.pinv(data["A"])
    answer = np.eye(n) - inverse @ data["A"] - inverse @ data["h"]
    reduced_sum, weights = (np.eye(n) + answer) @ basis, (data["c"] + answer.T @ data["d"]) @ basis

    def value(u: np.ndarray) -> tuple[float, np.ndarray]:
        total, angle = reduced_sum @ u, weights @ u
        scale = total @ total + 1.0
        return np.sin(angle) + np.log(scale), np.cos(angle) * weights + 2.0 * reduced_sum.T @ total / scale

    found = minimize(value, basis.T @ np.full(n, start), jac=True, method="L-BFGS-B", options={"gtol": 1e-10})
    return float(found.fun), time.perf_counter() - begin, answer


def main() -> None:
    head = f"{'seed':>4} {'status':>10} {'lower gap':>10} {'stationarity':>12}"
    print(head + f" {'objective':>11} {'seconds':>8} {'L-BFGS':>11} {'seconds':>8}")
    for seed in range(5):
        problem = sk.load(PROBLEM, parameters={"seed": seed})
        result = sk.solve(problem, method="lv-hba")
        other, seconds, _ = reduced(seed)
        terms = result.certificate
        row = f"{seed:>4} {result.point_status.name:>10} {terms['lower_gap'].value:>10.1e}"
        row += f" {terms['upper_stationarity'].value:>12.1e} {result.fun:>11.6f} {result.timing['solve']:>8.2f}"
        print(row + f" {other:>11.6f} {seconds:>8.2f}")
