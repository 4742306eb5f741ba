"""The derivatives of a nonlinear problem against its values: `kinds/oracles.py` applied to every oracle."""

from __future__ import annotations

import numpy as np

from solverkit.kinds.base import Term
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit.kinds.oracles import TOLERANCE, Discrepancy, Oracle, consistency, transposed


def oracle_term(problem: Nonlinear, x: np.ndarray, seed: int) -> Term:
    """The worst relative discrepancy of any oracle at x."""
    worst = Discrepancy(0.0, "")
    for found in _discrepancies(problem, x, seed):
        if not found.value <= worst.value:
            worst = found
    return _term("oracles", worst.value, f"worst: {worst.oracle}" if worst.oracle else "")


def oracle_table(problem: Nonlinear, x: np.ndarray, seed: int) -> list[Term]:
    """One term an oracle."""
    return [_term(found.oracle, found.value, "") for found in _discrepancies(problem, x, seed, every=True)]


def _term(name: str, value: float, note: str) -> Term:
    return Term(name, value, TOLERANCE, note=note)


def _discrepancies(problem: Nonlinear, x: np.ndarray, seed: int, every: bool = False) -> list[Discrepancy]:
    oracles = problem_oracles(problem, seed)
    results = [Discrepancy(consistency([oracle], x, seed).value, oracle.name) for oracle in oracles]
    if problem.m:
        apart = transposed(problem.vjp, problem.jvp, x, problem.m, seed)
        results.append(Discrepancy(apart if every or apart > 1e-9 else 0.0, "vjp of c"))
    return results


def problem_oracles(problem: Nonlinear, seed: int) -> list[Oracle]:
    """Every value with its derivative, the gradient of the Lagrangian with its Hessian and products."""
    y = np.random.default_rng(seed).uniform(0.5, 1.0, problem.m)

    def lagrangian(x: np.ndarray) -> np.ndarray:
        return problem.gradient(x) + problem.vjp(x, y)

    def value(x: np.ndarray) -> np.ndarray:
        return np.array([problem.value(x)])

    oracles = [Oracle("gradient of f", value, lambda x, d: np.array([problem.gradient(x) @ d]))]
    if problem.m:
        oracles += [
            Oracle("Jacobian of c", problem.constraints, lambda x, d: problem.jacobian(x) @ d),
            Oracle("jvp of c", problem.constraints, problem.jvp),
        ]
    if "hessian" in problem.provides:
        oracles.append(Oracle("Hessian of L", lagrangian, lambda x, d: problem.hessian(x, y) @ d))
    oracles.append(Oracle("Hessian products of L", lagrangian, lambda x, d: problem.hvp(x, y, d)))
    return oracles
