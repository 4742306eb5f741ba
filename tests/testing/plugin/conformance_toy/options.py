"""Options of the toy methods."""

from __future__ import annotations

from pydantic import Field

from solverkit.plugin import Options


class Step(Options):
    """What gradient descent asks for."""

    step: float = Field(0.2, gt=0, description="step size, below 2 / L; larger is faster until it diverges")


class Bare(Options):
    """A field that says nothing of itself."""

    step: float = 0.2
