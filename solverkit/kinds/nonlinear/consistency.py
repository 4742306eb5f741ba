"""The derivatives of a nonlinear problem against its values: `kinds/oracles.py` applied to every oracle.

A Hessian that is itself made of differences of the gradient is not held against differences of the gradient. A function
that is not defined outside of the bounds cannot be compared at a corner of them along random directions: the comparison
is then made from a point a little inside.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solverkit.kinds.base import Term
from solverkit.kinds.nonlinear.curvature import sparse_hessian
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit.kinds.oracles import TOLERANCE, Discrepancy, Oracle, consistency, transposed

INSIDE = 1e-3  # how far, times 1 + |x_j|
MADE_OF_PRODUCTS = 50  # n up to which a Hessian that torch makes of products is compared as well as its products


def oracle_term(problem: Nonlinear, x: np.ndarray, seed: int) -> Term:
    """The worst relative discrepancy of any oracle at x; one that could not be checked is worse than any other."""
    found = [Discrepancy(0.0, ""), *_discrepancies(problem, x, seed)]
    worst = max(found, key=lambda each: np.inf if np.isnan(each.value) else each.value)
    return _term("oracles", worst.value, f"worst: {worst.oracle}" if worst.oracle else "")


def oracle_table(problem: Nonlinear, x: np.ndarray, seed: int) -> list[Term]:
    """One term an oracle."""
    return [_term(found.oracle, found.value, "") for found in _discrepancies(problem, x, seed, every=True)]


def _term(name: str, value: float, note: str) -> Term:
    return Term(name, value, TOLERANCE, note=note)


def _discrepancies(problem: Nonlinear, x: np.ndarray, seed: int, every: bool = False) -> list[Discrepancy]:
    oracles = problem_oracles(problem, seed)
    results = [Discrepancy(_consistency(oracle, problem, x, seed), oracle.name) for oracle in oracles]
    if problem.m:
        apart = transposed(problem.vjp, problem.jvp, x, problem.m, seed)
        results.append(Discrepancy(max(apart, 2 * TOLERANCE) if apart > 1e-9 else apart * every, "vjp of c"))
    return results


def _consistency(oracle: Oracle, problem: Nonlinear, x: np.ndarray, seed: int) -> float:
    found = consistency([oracle], x, seed).value
    if not np.isnan(found):
        return found
    room = np.minimum(INSIDE * (1 + np.abs(x)), (problem.highest - problem.lowest) / 4)
    inner = np.clip(x, problem.lowest + room, problem.highest - room)
    return found if np.array_equal(inner, x) else consistency([oracle], inner, seed).value


def problem_oracles(problem: Nonlinear, seed: int) -> list[Oracle]:
    """Every value with its derivative, every gradient with its Hessian and products."""
    y, none = np.random.default_rng(seed).uniform(0.5, 1.0, problem.m), np.zeros(problem.m)
    formed = "hessian" in problem.provides and (problem.n <= MADE_OF_PRODUCTS or sparse_hessian(problem))

    def value(x: np.ndarray) -> np.ndarray:
        return np.array([problem.value(x)])

    oracles = [Oracle("gradient of f", value, lambda x, d: np.array([problem.gradient(x) @ d]))]
    if not _made_of_differences(problem.objective_function):
        if formed:
            oracles.append(Oracle("Hessian of f", problem.gradient, lambda x, d: problem.hessian(x, none) @ d))
        oracles.append(Oracle("Hessian products of f", problem.gradient, lambda x, d: problem.hvp(x, none, d)))
    if problem.m == 0:
        return oracles

    def pulled(x: np.ndarray) -> np.ndarray:
        return problem.vjp(x, y)

    oracles += [
        Oracle("Jacobian of c", problem.constraints, lambda x, d: problem.jacobian(x) @ d),
        Oracle("jvp of c", problem.constraints, problem.jvp),
    ]
    if not (problem.affine or _made_of_differences(problem.constraint_function)):
        if formed:
            oracles.append(Oracle("Hessian of c", pulled, lambda x, d: problem.hessian(x, y, 0.0) @ d))
        oracles.append(Oracle("Hessian products of c", pulled, lambda x, d: problem.hvp(x, y, d, 0.0)))
    return oracles


def _made_of_differences(function: Any) -> bool:
    return bool(getattr(function, "second_by_differences", False))
