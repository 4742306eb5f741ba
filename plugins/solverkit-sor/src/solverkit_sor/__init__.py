"""Solvers that learn their parameters along a sequence of linear systems.

from solverkit_sor import SequenceTuner
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit_sor.tuner import Choice, Info, Int, Real, SequenceTuner, Trial

__all__ = ["Choice", "Info", "Int", "Real", "SequenceTuner", "Trial"]


def __getattr__(name: str) -> Any:
    """The tuner's names on first use, so that reading what the plugin registers loads no NumPy."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("solverkit_sor.tuner"), name)


def __dir__() -> list[str]:
    return __all__
