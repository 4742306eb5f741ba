"""`SequenceTuner`, an object for a user's loop, and how the parameters it tunes are described."""

from __future__ import annotations

from solverkit_sor.tuner.info import Info
from solverkit_sor.tuner.sequence import SequenceTuner
from solverkit_sor.tuner.space import Choice, Int, Real
from solverkit_sor.tuner.trial import Trial

__all__ = ["Choice", "Info", "Int", "Real", "SequenceTuner", "Trial"]
