"""Bilevel problems: `bilevel(upper=..., lower=...)` builds one in Python, problem files describe one as text."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit.kinds.bilevel.build import bilevel
    from solverkit.kinds.bilevel.problem import Bilevel

__all__ = ["Bilevel", "bilevel"]


def __getattr__(name: str) -> Any:
    """Names are imported on first use."""
    import importlib

    homes = {"Bilevel": "problem", "bilevel": "build"}
    if name in homes:
        return getattr(importlib.import_module(f"{__name__}.{homes[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
