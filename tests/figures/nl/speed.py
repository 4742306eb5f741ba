"""Reading .nl files and computing with them: SolverKit's reader and CasADi's, milliseconds of CPU, median of 5."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import casadi as ca
import numpy as np
import pyomo.environ as pyo

from solverkit.formats.nl.problem import load_nl

SIZES = (500, 5000)


def chain(n: int) -> Any:
    """A control problem: 2 n variables, n - 1 equations with defined variables, one long sum."""
    model = pyo.ConcreteModel("chain")
    model.i = pyo.RangeSet(0, n - 1)
    model.k = pyo.RangeSet(1, n - 1)
    model.x = pyo.Var(model.i, initialize=0.3, bounds=(-2, 2))
    model.u = pyo.Var(model.i, initialize=0.1)
    x, u = model.x, model.u
    model.e = pyo.Expression(model.i, rule=lambda model, i: x[i] ** 2 + u[i])
    model.cost = pyo.Objective(expr=sum((x[i] - 1) ** 2 + 0.1 * u[i] ** 2 for i in model.i))
    model.step = pyo.Constraint(
        model.k,
        rule=lambda model, k: (
            x[k] == x[k - 1] + 0.1 * (pyo.sin(x[k]) + u[k] * x[k - 1] ** 3) + 0.01 * model.e[k] * model.e[k - 1]
        ),
    )
    return model


def milliseconds(call: Callable[[], Any], times: int = 5) -> float:
    """CPU time of a call, median."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        call()
        taken.append(time.process_time() - began)
    return 1e3 * statistics.median(taken)


def ours(path: str) -> list[float]:
    """Read, first J and H, then c, J, H again."""
    problem = load_nl(Path(path))
    x, y = problem.variables[0].start + 0.01, np.ones(problem.m)

    def begin() -> None:
        fresh = load_nl(Path(path))
        fresh.jacobian(x), fresh.hessian(x, y)

    read = milliseconds(lambda: load_nl(Path(path)), 3)
    calls = (lambda: problem.constraints(x), lambda: problem.jacobian(x), lambda: problem.hessian(x, y))
    return [read, milliseconds(begin, 3) - read, *map(milliseconds, calls)]


def theirs(path: str) -> list[float]:
    """The same with CasADi's reader, whose expressions are compiled as they come."""

    def build() -> Any:
        builder = ca.NlpBuilder()
        builder.import_nl(path, {})
        return builder

    builder = build()
    x, rows = ca.vertcat(*builder.x), ca.vertcat(*builder.g)
    weights = ca.MX.sym("y", rows.numel())

    def compiled() -> tuple[Any, Any, Any]:
        hessian = ca.hessian(builder.f + ca.dot(weights, rows), x)[0]
        return (
            ca.Function("c", [x], [rows]),
            ca.Function("J", [x], [ca.jacobian(rows, x)]),
            ca.Function("H", [x, weights], [hessian]),
        )

    c, J, H = compiled()
    at, y = np.array(builder.x_init) + 0.01, np.ones(rows.numel())
    calls = (lambda: c(at), lambda: J(at), lambda: H(at, y))
    return [milliseconds(build, 3), milliseconds(compiled, 3), *map(milliseconds, calls)]


def main() -> None:
    print(f"{'variables':>9} {'lines':>8}  {'reader':<10} {'read':>9} {'first J, H':>11} {'c':>8} {'J':>8} {'H':>8}")
    for n in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chain.nl"
            chain(n).write(str(path))
            lines = path.read_text().count("\n")
            for name, measure in (("SolverKit", ours), ("CasADi", theirs)):
                read, begin, *calls = measure(str(path))
                shown = " ".join(f"{call:>8.2f}" for call in calls)
                print(f"{2 * n:>9} {lines:>8}  {name:<10} {read:>9.1f} {begin:>11.1f} {shown}")
