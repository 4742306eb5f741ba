"""The method solves what it says it solves."""

from __future__ import annotations

import numpy as np

from solverkit.kinds.base import PointStatus
from solverkit.testing.catalogue import check
from solverkit.testing.report import Skipped
from solverkit.testing.subject import Subject, must


@check(
    "run it longer (Budget), set its options, or leave out problems that it is not made for",
    needs=("claim", "point", "reading", "dtype", "problem_untouched"),
)
def answer(subject: Subject) -> None:
    """On a problem whose answer is known, the run ends CERTIFIED, at that objective and that point."""
    expected = subject.problem.expected
    if not expected:
        raise Skipped("the problem has no expected answer")
    result = subject.full
    must(result.point_status is PointStatus.CERTIFIED, f"after {result.nit} iterations: {result}")
    tolerance = float(expected.get("tolerance", 1e-4))
    if "objective" in expected:
        wanted = float(expected["objective"])
        seen = f"certified, but the objective is {result.fun!r}; expected {wanted!r} to {tolerance:g}"
        must(abs(result.fun - wanted) <= tolerance * max(1.0, abs(wanted)), seen)
    for name, block in expected.get("point", {}).items():
        wanted_block = np.broadcast_to(np.asarray(block, dtype=float), result.point[name].shape)
        error = float(np.max(np.abs(result.point[name] - wanted_block), initial=0.0))
        bound = tolerance * max(1.0, float(np.max(np.abs(wanted_block), initial=0.0)))
        must(error <= bound, f"certified, but block {name!r} is {error:g} away from the expected point")
