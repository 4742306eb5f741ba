"""What the author says of F, held against samples before a problem is accepted.

Pairs of points near the start show whether F is monotone and whether L is large enough. A pair that contradicts is a
proof; that none does is evidence alone, and the certificate looks again near the answer.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.inclusion.local import defined, look
from solverkit.kinds.inclusion.problem import Inclusion

BEND = 1e-6  # relative, that is more than rounding
SLACK = 1 + 1e-6  # on a Lipschitz constant


def doubts(problem: Inclusion, seed: int = 0) -> dict[str, str]:
    """What is contradicted, by key (`monotone`, `lipschitz`); empty where nothing is."""
    spectrum = getattr(problem.part, "spectrum", None)
    found: dict[str, str] = {}
    with np.errstate(all="ignore"):
        start = problem.flat(problem.start(np.random.default_rng(seed)))
        inside = problem.resolvent(start, 1e-12)
        if not defined(problem, inside, problem.operator(inside)):
            return {"start": "F is not finite at the start; give `start:` within its domain"}
        near = look(problem, inside, seed)
    if spectrum is not None and not spectrum.monotone:
        found["monotone"] = _not_monotone(f"the symmetric part of its matrix has the eigenvalue {spectrum.least:.3g}")
    elif spectrum is None and near.bend > BEND:
        found["monotone"] = _not_monotone(f"seen near the start {near.where}, {near.bend:.3g} of its size")
    if not problem.monotone:
        found.pop("monotone", None)
    declared = problem.part.lipschitz
    if declared is not None and near.lipschitz > SLACK * declared:
        found["lipschitz"] = (
            f"F changes by {near.lipschitz:.6g} times the distance of two points; {declared:g} is not enough"
        )
    return found


def _not_monotone(reason: str) -> str:
    return (
        f"F is not monotone: {reason}. Methods of this kind may fail, and no gap can be bounded; "
        "say `monotone: false` to accept that"
    )
