"""A_t x_t = b_t for t = 0, ..., T - 1, sparse systems of one pattern; `linear_sequence(...)` builds one in Python."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit.kinds.linear_sequence.build import linear_sequence
    from solverkit.kinds.linear_sequence.problem import LinearSequence

__all__ = ["LinearSequence", "linear_sequence"]


def __getattr__(name: str) -> Any:
    """Names are imported on first use."""
    import importlib

    homes = {"LinearSequence": "problem", "linear_sequence": "build"}
    if name in homes:
        return getattr(importlib.import_module(f"{__name__}.{homes[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
