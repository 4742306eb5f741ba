"""A new plugin, written as a complete package: `solverkit new-plugin`."""

from solverkit.scaffold.project import KINDS, write

__all__ = ["KINDS", "write"]
