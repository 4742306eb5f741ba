"""What a hypergradient by Hessian-vector products needs of a problem; said before any work."""

from __future__ import annotations

from solverkit.errors import Unsuitable
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.sets import Free


def check_suitable(problem: Bilevel, method: str) -> None:
    """Raises Unsuitable for a constrained lower level, and for upper rows, which no projection onto X keeps."""
    remedy = "`solverkit methods --for FILE` lists methods that take the problem, by what they require"
    if problem.lower_constraints.count or not isinstance(problem.lower_set, Free):
        rows = problem.lower_constraints.count
        has = f"{rows} rows" if rows else f"the set {type(problem.lower_set).__name__.lower()}"
        raise Unsuitable(
            f"method '{method}' differentiates a free lower level ('unconstrained-lower'); that of {problem.name!r} "
            f"has {has}. Take a method for 'affine-constraints', or one that penalizes the lower value gap: {remedy}"
        )
    if problem.upper_constraints.count:
        raise Unsuitable(
            f"method '{method}' keeps x in a box, ball or simplex by projection; problem {problem.name!r} has "
            f"{problem.upper_constraints.count} upper rows besides. Write bounds and sets at the variables, or take a "
            f"method for 'affine-constraints': {remedy}"
        )


def check_samples(problem: Bilevel, method: str) -> None:
    """Raises Unsuitable where neither objective is a mean over samples."""
    if not (problem.upper_samples or problem.lower_samples):
        raise Unsuitable(
            f"method '{method}' was asked for minibatches (oracles=samples), and neither objective of {problem.name!r} "
            "is given as a mean over samples. Name the data under `samples:`, or set oracles=full"
        )
