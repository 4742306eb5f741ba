"""Problem files and their data: `load(path)` gives the problem, or every defect with its place."""

from solverkit.formats.load import load

__all__ = ["load"]
