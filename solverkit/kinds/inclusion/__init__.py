"""Monotone inclusions 0 in F(u) + G(u): games, saddle points, variational inequalities, linear programs.

`game`, `sequence_form`, `linear_program`, `saddle`, `finite_sum` and `inclusion` build one in Python; problem files
describe one as text.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit.kinds.inclusion.build import finite_sum, game, inclusion, linear_program, saddle, sequence_form
    from solverkit.kinds.inclusion.problem import Inclusion

__all__ = ["Inclusion", "finite_sum", "game", "inclusion", "linear_program", "saddle", "sequence_form"]


def __getattr__(name: str) -> Any:
    """Names are imported on first use."""
    import importlib

    if name in __all__:
        home = "problem" if name == "Inclusion" else "build"
        return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
