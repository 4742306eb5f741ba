"""Subgradients to a true gap: restart-free gradient sliding against Lan's restarts.

Fused lasso of 100 unknowns, L/mu = 1e2, true gaps against Clarabel at 1e-11. Restarts are given the true Delta_0 and
the bound M = 2 ||K|| max ||y||; gradient sliding is given nothing.
"""

from __future__ import annotations

from tests.figures.composite._models import clarabel, fused_lasso
from tests.figures.composite.orders import first_below, history

LEVELS = (1.0, 0.3, 0.1, 0.05)


def main() -> None:
    problem = fused_lasso(1e2)
    star, _ = clarabel(problem)
    first = problem.objective({"x": problem.variable.start}) - star
    limit = 60_000
    runs = {
        "restart-free": history(problem, star, "gradient-sliding", limit, mode="paper"),
        "restarts": history(problem, star, "restarted-sliding", limit, initial_gap=first),
    }
    print("| method | " + " | ".join(f"{level:g}: gradients/subgradients" for level in LEVELS) + " |")
    print("|---|" + "---|" * len(LEVELS))
    for name, rows in runs.items():
        cells = [first_below(rows, level) for level in LEVELS]
        shown = " | ".join("" if cell is None else f"{cell[0]:.0f}/{cell[1]:.0f}" for cell in cells)
        print(f"| {name} | {shown} |", flush=True)
