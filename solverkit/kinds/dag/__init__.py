"""Structure learning of directed acyclic graphs; `dag(samples)` builds a problem in Python."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit.kinds.dag.build import dag
    from solverkit.kinds.dag.problem import Dag

__all__ = ["Dag", "dag"]


def __getattr__(name: str) -> Any:
    """Names are imported on first use."""
    import importlib

    homes = {"Dag": "problem", "dag": "build"}
    if name in homes:
        return getattr(importlib.import_module(f"{__name__}.{homes[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
