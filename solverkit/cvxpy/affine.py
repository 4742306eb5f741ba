"""Affine expressions of CVXPY by their matrices, elements rows first as ours are.

    e(v_1, v_2, ...) = sum_k M_k v_k + b

read off CVXPY's own derivatives, which for affine expressions do not depend on where they are taken. Values of the
variables are set to 0 meanwhile, and restored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cvxpy as cp
import numpy as np
from scipy.sparse import csr_array

from solverkit.cvxpy.epigraphs import order_of


@contextmanager
def at_zero(variables: Sequence[Any]) -> Iterator[None]:
    """All variables are 0 within, and what they were after."""
    kept = [variable.value for variable in variables]
    for variable in variables:
        variable.save_value(np.zeros(variable.shape))
    try:
        yield
    finally:
        for variable, value in zip(variables, kept, strict=True):
            variable.save_value(value)


def coefficients(e: Any) -> tuple[dict[int, csr_array], np.ndarray]:
    """({id of a variable: M (e.size, size of the variable)}, b (e.size,)) of an affine expression."""
    variables = e.variables()
    with at_zero(variables):
        gradients, value = e.grad, np.asarray(_dense(e.value), dtype=float)
    rows = order_of(e.shape)
    matrices = {}
    for variable in variables:
        gradient = gradients.get(variable)
        if gradient is None:
            continue
        whole = csr_array(np.asarray(gradient).reshape(1, 1)) if np.isscalar(gradient) else csr_array(gradient)
        matrices[variable.id] = csr_array(csr_array(whole.T)[rows][:, order_of(variable.shape)])
    return matrices, np.broadcast_to(value, e.shape).ravel(order="C")


def of_arguments(e: Any) -> tuple[list[csr_array | None], np.ndarray]:
    """([M of each argument, None for constants], b) of an affine atom, whatever its arguments are."""
    stand_ins = [None if arg.is_constant() else cp.Variable(arg.shape) for arg in e.args]
    copied = e.copy([arg if new is None else new for arg, new in zip(e.args, stand_ins, strict=True)])
    matrices, shift = coefficients(copied)
    return [None if new is None else matrices.get(new.id) for new in stand_ins], shift


def _dense(value: Any) -> Any:
    return value.toarray() if hasattr(value, "toarray") else value
