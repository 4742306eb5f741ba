"""Options in a module that loads a heavy library."""

from __future__ import annotations

import scipy.sparse  # noqa: F401
from pydantic import Field

from conformance_toy.good import Good
from solverkit.plugin import Options


class Heavy(Options):
    """What gradient descent asks for."""

    step: float = Field(0.2, gt=0, description="step size, below 2 / L")


class HeavyOptions(Good):
    """Right in everything but the place of its options."""

    Options = Heavy
