"""Nonlinear problems: `nonlinear(variables=..., minimize=...)` builds one in Python, files describe one as text."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit.kinds.nonlinear.arguments import scipy_problem
    from solverkit.kinds.nonlinear.build import nonlinear
    from solverkit.kinds.nonlinear.problem import BOUND_MULTIPLIERS, FARKAS, MULTIPLIERS, RAY, Nonlinear

__all__ = ["BOUND_MULTIPLIERS", "FARKAS", "MULTIPLIERS", "RAY", "Nonlinear", "nonlinear", "scipy_problem"]


def __getattr__(name: str) -> Any:
    """Names are imported on first use."""
    import importlib

    if name in __all__:
        home = {"nonlinear": "build", "scipy_problem": "arguments"}.get(name, "problem")
        return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
