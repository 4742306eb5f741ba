"""Composite convex problems: f smooth, plus h nonsmooth, plus chi simple.

`composite` builds one in Python, `from_cvxpy` takes a CVXPY problem; problem files describe one as text.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit.kinds.composite.build import composite
    from solverkit.kinds.composite.cvxpy_model import from_cvxpy
    from solverkit.kinds.composite.problem import Composite

__all__ = ["Composite", "composite", "from_cvxpy"]

_HOMES = {"Composite": "problem", "composite": "build", "from_cvxpy": "cvxpy_model"}


def __getattr__(name: str) -> Any:
    """Names are imported on first use."""
    import importlib

    if name in __all__:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
