"""Problems for the tests of LV-HBA, written as files and loaded as a user would."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from solverkit.engine.solver import Context
from solverkit.formats import load
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.lv_hba import LVHBA
from solverkit_bilevel.options import LVHBAOptions
from solverkit_bilevel.state import State

PROBLEMS = Path(__file__).parents[3] / "problems" / "bilevel"


def shipped(name: str) -> Bilevel:
    """A problem of the repository."""
    return load(PROBLEMS / name / "problem.yaml")


def written(folder: Path, text: str) -> Bilevel:
    """A problem from the body of a file."""
    path = folder / "problem.yaml"
    path.write_text(f"solverkit: 1\nkind: bilevel\nname: case\n{text}")
    return load(path)


def coupled(folder: Path, n: int) -> Bilevel:
    """The merely convex example of the paper at size n."""
    text = (PROBLEMS / "coupled-merely-convex" / "problem.yaml").read_text()
    path = folder / "problem.yaml"
    path.write_text(text.replace("parameters: {n: 100}", f"parameters: {{n: {n}}}"))
    return load(path)


# two coupling inequalities, bounds on y, a follower that is convex and not quadratic in y
CURVED_FOLLOWER = """
upper:
  variables: {x: {shape: 2, start: 0.5, lower: -2, upper: 2}}
  minimize: sum((y - 1)**2) + 0.5*sum((x - 0.3)**2)
lower:
  variables: {y: {shape: 3, start: 0.1, lower: -1, upper: 2}}
  minimize: sum(exp(0.5*y)) - x[0]*y[0] - x[1]*y[1] + 0.1*sum(y**2)
  subject_to: {a: "y[0] + y[1] + x[0] <= 1", b: "y[1] - 2*y[2] + x[1] <= 0.5", c: "y[0] - y[2] == 0.2*x[1]"}
  convex: true
"""

QUADRATIC_FOLLOWER = CURVED_FOLLOWER.replace("sum(exp(0.5*y))", "sum((y + 0.4)**2)")


def context(tol: float = 1e-6, dtype: str = "float64") -> Context:
    """A context without a driver."""
    return Context(
        rng=np.random.default_rng(0),
        tol=tol,
        device="cpu",
        dtype=dtype,
        log=lambda message: None,
        charge=lambda counter, amount: None,
    )


def started(problem: Bilevel, **options: object) -> tuple[LVHBA, State]:
    """A solver and its first state."""
    solver, ctx = LVHBA(LVHBAOptions(**options)), context()
    return solver, solver.init(problem, problem.start(ctx.rng), ctx)


def solved(problem: Bilevel, steps: int = 100, **options: object) -> tuple[LVHBA, State]:
    """A solver and its polished state."""
    solver, state = started(problem, **options)
    ctx = context()
    for _ in range(steps):
        if solver.converged(state):
            break
        state = solver.step(problem, state, ctx)
    return solver, solver.finish(problem, state, ctx)
