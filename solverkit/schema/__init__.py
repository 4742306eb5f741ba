"""JSON Schemas of problem and suite files, for editors: draft 2020-12, from the models that read the files.

The models say what a key may hold. What they cannot say is left to `solverkit check`: whether a name in an expression
exists, whether shapes agree, whether data can be read.
"""

from __future__ import annotations

from solverkit.schema.problem import problem
from solverkit.schema.suite import suite

__all__ = ["problem", "suite"]
