"""Peak memory of one step of x of `penalty` against the number of lower steps: constant."""

from __future__ import annotations

from solverkit.kinds.bilevel.build import bilevel
from solverkit_bilevel.penalty.method import Penalty
from solverkit_bilevel.penalty.options import PenaltyOptions
from tests.figures.bilevel.memory_lower_steps import SIZE, STEPS, peak


def main() -> None:
    problem = bilevel(
        upper={"variables": {"x": {"shape": SIZE, "start": 0.5}}, "minimize": "0.5*sum((y - 1)**2) + 0.5*sum(x**2)"},
        lower={"variables": {"y": {"shape": SIZE}}, "minimize": "0.5*sum((y - x)**2) + 0.1*sum(y**4)"},
    )
    print(f"n = m = {SIZE}: one vector of length n + m is {16 * SIZE / 1e6:.2f} MB. MB at the peak of a step of x\n")
    print(f"{'method':<28} " + " ".join(f"{f'{k} lower steps':>18}" for k in STEPS))
    for label, options in {
        "penalty, double loop": {"mode": "paper", "block": 1},
        "penalty, double loop, rho": {"mode": "paper", "block": 1, "rho": 1.0},
    }.items():
        cells = [peak(problem, Penalty(PenaltyOptions(inner=k, **options))) for k in STEPS]
        print(f"{label:<28} " + " ".join(f"{cell:>18.2f}" for cell in cells))
    limits = [peak(problem, Penalty(PenaltyOptions(inner_iterations=k, inner_accuracy=1e-9))) for k in STEPS]
    print(f"{'penalty, production (most)':<28} " + " ".join(f"{cell:>18.2f}" for cell in limits))
