"""What a run may cost at most."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from solverkit.engine.status import Termination
from solverkit.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """Bounds on the whole run, what came before a resume included; None is no bound.

    A limit is looked at between steps, so a run passes `max_calls` by at most one step and a `finish` no greater than
    the greatest step, and never makes a step beyond `max_iter`. It passes `max_time` by one step too, but one that goes
    on for more than 5 % of the limit, and more than a second, is left half done; see `engine.patience`.
    """

    max_iter: int | None = None  # steps of the method, as it reports them
    max_time: float | None = None  # seconds of wall time in the method; the certificate comes on top
    max_calls: int | None = None  # oracle calls of every sort together

    def __post_init__(self) -> None:
        for name in ("max_iter", "max_calls"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or int(value) != value or value < 0):
                raise UsageError(f"{name} is a whole number, 0 or more; {value!r} was given")
        if self.max_time is not None and not (self.max_time >= 0 and math.isfinite(self.max_time)):
            raise UsageError(f"max_time is a number of seconds, 0 or more; {self.max_time!r} was given")

    def reached(self, nit: int, elapsed: float, calls: int) -> Termination | None:
        """The limit that is used up, if any."""
        if self.max_iter is not None and nit >= self.max_iter:
            return Termination.MAX_ITER
        if self.max_calls is not None and calls >= self.max_calls:
            return Termination.MAX_CALLS
        if self.max_time is not None and elapsed >= self.max_time:
            return Termination.MAX_TIME
        return None

    def share(self, nit: int, elapsed: float, calls: int) -> float | None:
        """How much of the nearest limit is used, between 0 and 1; None without a limit."""
        pairs = ((nit, self.max_iter), (elapsed, self.max_time), (calls, self.max_calls))
        used = [spent / bound if bound else 1.0 for spent, bound in pairs if bound is not None]
        return min(max(used), 1.0) if used else None

    def as_dict(self) -> dict[str, float | None]:
        """For a checkpoint's header."""
        return asdict(self)


class LimitReached(BaseException):
    """Leaves a tool that owns its loop. Not an `Exception`, so that the tool's own error handling lets it through."""

    def __init__(self, termination: Termination) -> None:
        self.termination = termination
        super().__init__(termination.value)
