"""Options of `top-down` and `sort-and-regress`."""

from __future__ import annotations

from pydantic import Field

from solverkit.engine.options import Options


class OrderRuleOptions(Options):
    """An order from the Gram matrix alone, and the problem's best weights for it."""

    ridge: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="Added to each variance, as a fraction of it. Default: 0, or the least power of ten from 1e-9 that "
        "makes the Gram matrix safely positive definite.",
    )
