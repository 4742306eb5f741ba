"""The kinds of the core, registered through the same hook as a third party's."""

from __future__ import annotations

from solverkit.registry.hookspecs import hookimpl
from solverkit.registry.specs import KindSpec


@hookimpl
def solverkit_problem_kinds() -> list[KindSpec]:
    """The kinds that come with the core."""
    return [
        KindSpec(
            "bilevel",
            "min F(x, y) subject to y solving a constrained lower problem",
            "solverkit.kinds.bilevel.kind:BilevelKind",
        ),
        KindSpec(
            "linear-sequence",
            "A_t x_t = b_t for t = 1, ..., T, sparse systems of one pattern",
            "solverkit.kinds.linear_sequence.kind:LinearSequenceKind",
        ),
        KindSpec(
            "nonlinear",
            "min f(x) subject to lower <= c(x) <= upper and bounds on x",
            "solverkit.kinds.nonlinear.kind:NonlinearKind",
        ),
    ]
