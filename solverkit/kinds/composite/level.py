"""What is known of the u with Psi(u) <= Psi(x) where nothing is strongly convex.

With f >= 0, h >= 0 and chi >= w ||.||_1 (and no linear term) such u have ||u||_1 <= Psi(x) / w. And a bounded X holds
them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from solverkit.kinds.composite.kinks import RowKinks
from solverkit.kinds.composite.losses import RowLoss
from solverkit.kinds.composite.row_norms import RowNorms
from solverkit.kinds.composite.terms import Bounded, Euclidean, Nothing
from solverkit.operators.proximal import (
    L1,
    L2,
    Box,
    GroupL2,
    L2Ball,
    LInf,
    Product,
    ProximalMap,
    Simplex,
    Translated,
)

if TYPE_CHECKING:
    from solverkit.kinds.composite.parts import Simple
    from solverkit.kinds.composite.problem import Composite


def l1_weight(simple: Simple) -> float:
    """w with chi >= w ||.||_1 by its form; 0 where none is known."""
    if not isinstance(simple, Euclidean) or simple.slope.any():
        return 0.0
    rest = simple.rest.inner if isinstance(simple.rest, Bounded) else simple.rest
    return float(rest.weight.host.min()) if isinstance(rest, L1) else 0.0


def reach(simple: Simple, x: np.ndarray) -> float:
    """How far from x any point of X is at most; infinite where X is not bounded, or not known to be."""
    rest = getattr(simple, "rest", None)
    part = rest.box if isinstance(rest, Bounded) else rest
    if isinstance(part, L2Ball):
        return part.radius + float(np.linalg.norm(x - part.center.host))
    if isinstance(part, Box):
        return float(np.linalg.norm(np.maximum(part.upper.host - x, x - part.lower.host)))
    if isinstance(part, Simplex):
        return part.total + float(np.linalg.norm(x))
    return float("inf")


def nonnegative(problem: Composite) -> bool:
    """Whether f >= 0 and h >= 0 by their forms."""
    smooth = isinstance(problem.smooth, RowLoss | Nothing)
    kinks = problem.nonsmooth is None or isinstance(problem.nonsmooth, RowKinks)
    return smooth and kinks and (problem.structured is None or _norm(problem.structured.outer))


def _norm(outer: ProximalMap) -> bool:
    if isinstance(outer, Product):
        return all(_norm(part) for _, part in outer.parts)
    if isinstance(outer, Translated):
        return _norm(outer.inner)
    return isinstance(outer, L1 | L2 | LInf | GroupL2 | RowNorms)
