"""Peak memory of a step of x against the number of lower steps, unrolling for contrast."""

from __future__ import annotations

import tracemalloc

from solverkit.engine.solver import Solver
from solverkit.kinds.bilevel.build import bilevel
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.bo_rep.method import BORep
from solverkit_bilevel.bo_rep.options import BORepOptions
from solverkit_bilevel.implicit_gradient.method import ImplicitGradient
from solverkit_bilevel.implicit_gradient.options import ImplicitGradientOptions
from tests.figures.bilevel._tail import quiet

STEPS = (10, 100, 1000)
SIZE = 10_000


def peak(problem: Bilevel, solver: Solver) -> float:
    """Megabytes allocated at most, above what was held, during the second step of the driver. NumPy's are counted."""
    ctx = quiet()
    state = solver.init(problem, problem.start(ctx.rng), ctx)
    state = solver.step(problem, state, ctx)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    solver.step(problem, state, ctx)
    most = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return most / 1e6


def main() -> None:
    problem = bilevel(
        upper={"variables": {"x": {"shape": SIZE, "start": 0.5}}, "minimize": "0.5*sum((y - 1)**2) + 0.5*sum(x**2)"},
        lower={"variables": {"y": {"shape": SIZE}}, "minimize": "0.5*sum((y - x)**2) + 0.1*sum(y**4)"},
    )
    print(f"n = m = {SIZE}: one vector of length n + m is {16 * SIZE / 1e6:.2f} MB. MB at the peak of a step of x\n")
    print(f"{'method':<42} " + " ".join(f"{f'{k} lower steps':>18}" for k in STEPS))
    constant = {"mode": "paper", "upper_step": 1e-6, "adjoint_products": 10, "block": 1, "lower_step": 1e-4}
    rows = {
        "bo-rep": lambda k: BORep(BORepOptions(lower_steps=k, interval=1, block=1, refine=False, handover=0, eta=1e-6)),
        "implicit-gradient, cg": lambda k: ImplicitGradient(ImplicitGradientOptions(inner_steps=k, **constant)),
        "implicit-gradient, unroll, checkpoint": lambda k: ImplicitGradient(
            ImplicitGradientOptions(inner_steps=k, solver="unroll", **constant)
        ),
        "implicit-gradient, unroll, store": lambda k: ImplicitGradient(
            ImplicitGradientOptions(inner_steps=k, solver="unroll", memory="store", **constant)
        ),
    }
    for label, make in rows.items():
        cells = [peak(problem, make(k)) for k in STEPS]
        print(f"{label:<42} " + " ".join(f"{cell:>18.2f}" for cell in cells))
