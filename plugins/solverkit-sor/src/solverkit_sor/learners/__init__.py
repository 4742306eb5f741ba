"""Learners: which arm to play next, given what the arms have cost so far. One file each.

| learner | knows | for |
|---|---|---|
| `Fixed` | nothing | comparisons |
| `TsallisINF` | costs | adversarial sequences without context |
| `Binned` | costs in bins of one context | the same, with a context |
| `ChebCB` | one context in an interval | costs that vary smoothly with the context |
| `LogTS` | parameters of the arms and any contexts | the default: costs smooth in both, in few rounds |
| `ClosedForm` | lambda_min(D^-1 A) as the context | no learning: the classical formula |
"""

from __future__ import annotations

from solverkit_sor.learners.base import Learner
from solverkit_sor.learners.binned import Binned
from solverkit_sor.learners.chebcb import ChebCB
from solverkit_sor.learners.closed_form import ClosedForm
from solverkit_sor.learners.fixed import Fixed
from solverkit_sor.learners.log_ts import LogTS
from solverkit_sor.learners.tsallis import TsallisINF

__all__ = ["Binned", "ChebCB", "ClosedForm", "Fixed", "Learner", "LogTS", "TsallisINF"]
