"""Many games of one shape, solved together: `solve_games`."""

from typing import Any

__all__ = ["Games", "solve_games"]


def __getattr__(name: str) -> Any:
    """Names are imported on first use: torch is heavy."""
    if name in __all__:
        from solverkit_halpern.batch import games

        return getattr(games, name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
