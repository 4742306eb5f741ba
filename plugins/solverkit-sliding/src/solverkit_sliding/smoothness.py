"""L of grad f and ||K||: what is known, or what a few calls tell.

A first L without knowledge is the curvature of f along its own gradient, ||grad f(x + s d) - grad f(x)|| / s: from
below, so it is for methods that backtrack.
"""

from __future__ import annotations

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.composite import bound
from solverkit.kinds.composite.problem import Composite


def known(problem: Composite, given: float | None) -> float | None:
    """L by option or by the problem; None where neither has one."""
    return float(given) if given is not None else problem.smooth.lipschitz


def required(problem: Composite, given: float | None, method: str) -> float:
    """The same; UsageError with the remedy where neither has one."""
    found = known(problem, given)
    if found is None:
        raise UsageError(
            f"method {method!r} needs L of grad f, and problem {problem.name!r} has none. Give `lipschitz:` in the "
            "file or --set lipschitz=..., or take accelerated-gradient-sliding, which finds it"
        )
    return float(found)


def along_gradient(problem: Composite, x: np.ndarray, gradient: np.ndarray) -> float:
    """The curvature of f along its gradient, by one gradient more; 1 where the gradient is zero."""
    size = float(np.linalg.norm(gradient))
    if size == 0:
        return 1.0
    step = 1e-4 * (1 + float(np.linalg.norm(x)))
    ahead = problem.smooth_gradient(x - step / size * gradient)
    return max(float(np.linalg.norm(ahead - gradient)) / step, 1e-12 * size)


def product_norm(problem: Composite) -> float:
    """||K|| by power iteration on the counted products, five percent above what it finds: 60 products."""
    return bound.norm_of(problem)


def subgradient_bound(problem: Composite, given: float | None) -> float | None:
    """M: twice a bound of the subgradients of h, ||K|| max ||y|| where h is structured. None where none is known."""
    if given is not None:
        return float(given)
    if problem.structured is not None:
        reach = float(np.sqrt(2 * problem.structured.diameter))
        return 2 * product_norm(problem) * reach if np.isfinite(reach) else None
    if problem.nonsmooth is None:
        return 0.0
    known_bound = problem.nonsmooth.lipschitz
    return None if known_bound is None else 2 * float(known_bound)
