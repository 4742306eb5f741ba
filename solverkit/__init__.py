"""Optimization solvers for problems with structure; every answer is checked by an independent certificate.

import solverkit as sk
result = sk.solve("problem.yaml", method="lv-hba")
result.success, result.x, result.certificate
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit import dag as dag
    from solverkit.api import Fit as Fit
    from solverkit.api import bench as bench
    from solverkit.api import load as load
    from solverkit.api import methods as methods
    from solverkit.api import resume as resume
    from solverkit.api import solve as solve
    from solverkit.api import solve_many as solve_many
    from solverkit.api import verify as verify
    from solverkit.cvxpy.call import cvxpy_solver as cvxpy_solver
    from solverkit.display.plot import plot as plot
    from solverkit.engine.result import NotCertified as NotCertified
    from solverkit.engine.result import Result as Result
    from solverkit.engine.status import PointStatus as PointStatus
    from solverkit.engine.status import Termination as Termination
    from solverkit.errors import CheckpointError as CheckpointError
    from solverkit.errors import InvalidProblem as InvalidProblem
    from solverkit.errors import MissingPackage as MissingPackage
    from solverkit.errors import SolverKitError as SolverKitError
    from solverkit.errors import Unsuitable as Unsuitable
    from solverkit.errors import UsageError as UsageError
    from solverkit.implicit import implicit as implicit
    from solverkit.kinds.base import Certificate as Certificate
    from solverkit.scipy_interface import minimize as minimize
    from solverkit.scipy_interface import scipy_method as scipy_method

__version__ = "0.1.0"

_HOMES = {
    "api": ("Fit", "bench", "load", "methods", "resume", "solve", "solve_many", "verify"),
    "cvxpy.call": ("cvxpy_solver",),
    "display.plot": ("plot",),
    "engine.result": ("NotCertified", "Result"),
    "engine.status": ("PointStatus", "Termination"),
    "implicit": ("implicit",),
    "errors": ("CheckpointError", "InvalidProblem", "MissingPackage", "SolverKitError", "Unsuitable", "UsageError"),
    "kinds.base": ("Certificate",),
    "scipy_interface": ("minimize", "scipy_method"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

_MODULES = ("dag",)
"""Front ends with names of their own: `solverkit.dag.fit`."""

__all__ = ["__version__", *_HOME, *_MODULES]


def __getattr__(name: str) -> Any:
    """A public name, imported from its home on first use."""
    if name in _MODULES:
        return import_module(f"solverkit.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'solverkit' has no attribute {name!r}")
    value = getattr(import_module(f"solverkit.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_MODULES})
