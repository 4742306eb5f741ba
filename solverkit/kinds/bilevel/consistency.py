"""The derivatives of a bilevel problem against its values: `kinds/oracles.py` applied to both levels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array

from solverkit.kinds.base import Term
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.kinds.oracles import STEP, TOLERANCE, Discrepancy, Oracle, consistency, transposed

NEGLIGIBLE = 1e-6

Matrix = Callable[[np.ndarray], csr_array]


def oracle_term(problem: Bilevel, z: np.ndarray, seed: int, products: bool = False) -> Term:
    """The worst relative discrepancy of any oracle at z; `products`: Hessians of objectives are left alone."""
    oracles = bilevel_oracles(problem, seed)
    if products:
        oracles = [oracle for oracle in oracles if oracle.name not in ("Hessian of F", "Hessian of f")]
    oracles = [_significant(oracle, problem.n, z, seed) if "Hessian" in oracle.name else oracle for oracle in oracles]
    found = consistency(oracles, z, seed)
    for name, rows, vjp, jacobian in (
        ("upper rows", problem.upper_constraints, problem.upper_rows_vjp, problem.upper_rows_jacobian),
        ("lower rows", problem.lower_constraints, problem.lower_rows_vjp, problem.lower_rows_jacobian),
    ):
        apart = transposed(vjp, _product(jacobian), z, rows.count, seed)
        if not apart <= max(found.value, 1e-9):
            found = Discrepancy(max(apart, 2 * TOLERANCE), f"vjp and jacobian of {name}")
    return Term("oracles", found.value, TOLERANCE, note=f"worst: {found.oracle}" if found.oracle else "")


def _significant(oracle: Oracle, n: int, z: np.ndarray, seed: int) -> Oracle:
    """Without the rows of x that move a gradient by less than NEGLIGIBLE of what the others of x do; the same for y.

    Rounding decides about those: beside sigmoid(30) a difference has no digit in common with the second derivative.
    """
    rng = np.random.default_rng(seed)
    direction = (1 + np.abs(z)) * rng.choice([-1.0, 1.0], len(z))
    step = STEP * direction
    moved = np.abs(np.asarray(oracle.value(z + step)) - np.asarray(oracle.value(z - step))) / (2 * STEP)
    size = np.maximum(moved, np.abs(np.asarray(oracle.along(z, direction))))
    kept = np.concatenate([~(part < NEGLIGIBLE * part.max(initial=0.0)) for part in (size[:n], size[n:])])
    if kept.all():
        return oracle
    return Oracle(oracle.name, lambda z: oracle.value(z)[kept], lambda z, d: oracle.along(z, d)[kept])


def bilevel_oracles(problem: Bilevel, seed: int) -> list[Oracle]:
    """Every value with its gradient, every gradient with its Hessian and its Hessian-vector product."""
    weights = np.random.default_rng(seed)
    oracles = _objective("F", problem.upper, problem.upper_gradient, problem.upper_hvp, problem.upper_hessian)
    oracles += _objective("f", problem.lower, problem.lower_gradient, problem.lower_hvp, problem.lower_hessian)
    for name, rows, value, jacobian, vjp, hessian in (
        (
            "upper rows",
            problem.upper_constraints,
            problem.upper_rows,
            problem.upper_rows_jacobian,
            problem.upper_rows_vjp,
            problem.upper_rows_hessian,
        ),
        (
            "lower rows",
            problem.lower_constraints,
            problem.lower_rows,
            problem.lower_rows_jacobian,
            problem.lower_rows_vjp,
            problem.lower_rows_hessian,
        ),
    ):
        if rows.count:
            oracles += _rows(name, value, jacobian, vjp, hessian, weights.uniform(0.5, 1.0, rows.count))
    return oracles


def _objective(name: str, value, gradient, hvp, hessian: Matrix) -> list[Oracle]:
    def along(z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return np.array([gradient(z) @ direction])

    return [
        Oracle(f"gradient of {name}", lambda z: np.array([value(z)]), along),
        Oracle(f"Hessian of {name}", gradient, _product(hessian)),
        Oracle(f"Hessian products of {name}", gradient, hvp),
    ]


def _rows(name: str, value, jacobian: Matrix, vjp, hessian, weights: np.ndarray) -> list[Oracle]:
    return [
        Oracle(f"Jacobian of {name}", value, _product(jacobian)),
        Oracle(f"Hessian of {name}", lambda z: vjp(z, weights), _product(lambda z: hessian(z, weights))),
    ]


def _product(matrix: Matrix) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return lambda z, direction: matrix(z) @ direction
