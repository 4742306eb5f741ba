"""Problems and runs for the tests of `sketched-newton`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import solverkit as sk
from solverkit.engine.solver import Context
from solverkit.formats import load
from solverkit.kinds.nonlinear.build import nonlinear
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit_sketched_newton.options import SketchedNewtonOptions
from solverkit_sketched_newton.sketched_newton import SketchedNewton

PROBLEMS = Path(__file__).parents[3] / "problems" / "nonlinear"

TABLE = [
    "bt1", "bt2", "bt3", "bt4", "bt5", "bt6", "bt7", "bt8", "bt9", "bt10", "bt11", "bt12", "hs6", "hs7", "hs26",
    "hs27", "hs28", "hs39", "hs40", "hs42", "hs46", "hs47", "hs48", "hs49", "hs50", "hs51", "hs52", "hs56", "hs61",
    "hs77", "hs78", "hs79", "hs100lnp", "maratos", "mwright", "orthregb", "byrdsphr", "genhs28", "dixchlng", "elec",
    "orthrdm2",
]  # fmt: skip
"""The 41 equality problems."""

INEQUALITIES = [
    "hs15", "hs21", "hs24", "hs35", "hs43", "hs65", "hs71", "hs76", "hs83", "hs93", "hs100", "hs106", "hs113",
    "waechter-biegler",
]  # fmt: skip


def shipped(name: str) -> Nonlinear:
    """A problem of the repository."""
    return load(PROBLEMS / name / "problem.yaml")


def small(n: int, minimize: str, start: Any = 0.0, lower: Any = None, upper: Any = None, **rows: str) -> Nonlinear:
    """min over x (n,) of an expression, with rows by name."""
    bounds = {name: value for name, value in (("lower", lower), ("upper", upper)) if value is not None}
    return nonlinear({"x": {"shape": n, "start": start, **bounds}}, minimize, rows)


def context(tol: float = 1e-8, seed: int = 0) -> Context:
    """A context without a driver."""
    return Context(
        rng=np.random.default_rng(seed),
        tol=tol,
        device="cpu",
        dtype="float64",
        log=lambda message: None,
        charge=lambda counter, amount: None,
    )


def run(problem: Nonlinear, steps: int = 300, tol: float = 1e-8, **options: Any) -> tuple[SketchedNewton, list[dict]]:
    """A solver after its run, and the reports of all iterates."""
    solver, ctx = SketchedNewton(SketchedNewtonOptions(**options)), context(tol)
    state = solver.init(problem, problem.start(ctx.rng), ctx)
    reports = [solver.report(state)]
    while not solver.converged(state) and len(reports) <= steps:
        state = solver.step(problem, state, ctx)
        reports.append(solver.report(state))
    return solver, reports


def solve(problem: Nonlinear, tol: float = 1e-8, max_iter: int = 500, **options: Any) -> Any:
    """A certified run."""
    return sk.solve(problem, method="sketched-newton", tol=tol, max_iter=max_iter, options=options or None)
