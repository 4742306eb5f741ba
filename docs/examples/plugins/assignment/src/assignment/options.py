"""Options of `shortest-augmenting-paths`."""

from solverkit.plugin import Options


class NoOptions(Options):
    """There are none."""
