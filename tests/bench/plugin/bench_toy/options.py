"""Options of the toy methods."""

from __future__ import annotations

from pydantic import Field

from solverkit.plugin import Options


class Pace(Options):
    """How long a run takes, and where a method that dies once writes that it has."""

    seconds: float = Field(0.001, ge=0, description="what one step takes")
    mark: str = Field("", description="path of a file")
