"""All that the author of a plugin imports. Light: names that need numpy or Pydantic are resolved on first use.

from solverkit.plugin import SolverSpec, hookimpl

@hookimpl
def solverkit_solvers():
    return [SolverSpec("my-method", "nonlinear", "One sentence.", "my_plugin.method:MyMethod",
                       "my_plugin.options:MyOptions", requires=("gradient",))]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from solverkit.registry.hookspecs import hookimpl
from solverkit.registry.specs import API, CommandSpec, KindSpec, SolverSpec, SourceSpec

if TYPE_CHECKING:
    from pydantic import Field

    from solverkit.engine.options import Options
    from solverkit.engine.solver import Charge, Context, Log, Observe, OneShotSolver, Solver, Stop
    from solverkit.engine.status import Termination
    from solverkit.errors import Unsuitable, UsageError
    from solverkit.kinds.base import (
        Block,
        Certificate,
        Constraints,
        Kind,
        Point,
        PointStatus,
        Problem,
        Source,
        Term,
        Weighted,
    )
    from solverkit.kinds.fields import Quantity, Schema, Shape

__all__ = [
    "API",
    "Block",
    "Certificate",
    "Charge",
    "CommandSpec",
    "Constraints",
    "Context",
    "Field",
    "Kind",
    "KindSpec",
    "Log",
    "Observe",
    "OneShotSolver",
    "Options",
    "Point",
    "PointStatus",
    "Problem",
    "Quantity",
    "Schema",
    "Shape",
    "Solver",
    "SolverSpec",
    "Source",
    "SourceSpec",
    "Stop",
    "Term",
    "Termination",
    "Unsuitable",
    "UsageError",
    "Weighted",
    "hookimpl",
]

_SOLVER = dict.fromkeys(
    ("Charge", "Context", "Log", "Observe", "OneShotSolver", "Solver", "Stop"), "solverkit.engine.solver"
)
_BASE = dict.fromkeys(
    (
        "Block",
        "Certificate",
        "Constraints",
        "Kind",
        "Point",
        "PointStatus",
        "Problem",
        "Source",
        "Term",
        "Weighted",
    ),
    "solverkit.kinds.base",
)
_FIELDS = dict.fromkeys(("Quantity", "Schema", "Shape"), "solverkit.kinds.fields")
_HOMES = {
    "Field": "pydantic",
    "Options": "solverkit.engine.options",
    "Termination": "solverkit.engine.status",
    "Unsuitable": "solverkit.errors",
    "UsageError": "solverkit.errors",
    **_SOLVER,
    **_BASE,
    **_FIELDS,
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
