"""Implicit differentiation: torch derivatives of anything that solves something.

    import solverkit as sk
    solution = sk.implicit(solver, residual)      # solver(theta) -> y with residual(y, theta) = 0
    solution(theta).sum().backward()

| name | what |
|---|---|
| implicit | solver and residual -> differentiable function |
| vjp, jvp | derivatives at a solution that is at hand |
| Stationarity, FixedPoint, ProjectedGradient, ProximalGradient, KKT | the usual residuals |
| by_method | a solver from a method of this library |
| quadratic_program | a differentiable layer |
| InaccurateSolution, NotDifferentiable, SingularJacobian, NotASolution | what can be wrong |
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from solverkit.errors import MissingPackage

if TYPE_CHECKING:
    from solverkit.implicit.checks import ImplicitWarning as ImplicitWarning
    from solverkit.implicit.checks import InaccurateSolution as InaccurateSolution
    from solverkit.implicit.checks import NotASolution as NotASolution
    from solverkit.implicit.checks import NotDifferentiable as NotDifferentiable
    from solverkit.implicit.checks import SingularJacobian as SingularJacobian
    from solverkit.implicit.conditions import KKT as KKT
    from solverkit.implicit.conditions import FixedPoint as FixedPoint
    from solverkit.implicit.conditions import ProjectedGradient as ProjectedGradient
    from solverkit.implicit.conditions import ProximalGradient as ProximalGradient
    from solverkit.implicit.conditions import Stationarity as Stationarity
    from solverkit.implicit.function import implicit as implicit
    from solverkit.implicit.function import jvp as jvp
    from solverkit.implicit.function import vjp as vjp
    from solverkit.implicit.solvers import by_method as by_method
    from solverkit.implicit.solvers import quadratic_program as quadratic_program

_HOMES = {
    "checks": ("ImplicitWarning", "InaccurateSolution", "NotASolution", "NotDifferentiable", "SingularJacobian"),
    "conditions": ("FixedPoint", "KKT", "ProjectedGradient", "ProximalGradient", "Stationarity"),
    "function": ("implicit", "jvp", "vjp"),
    "solvers": ("by_method", "quadratic_program"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [*_HOME]


class _Package(ModuleType):
    """This package, which may be called: `sk.implicit` is the function, and stays it once the package is imported."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.implicit(*args, **kwargs)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    """Names are imported on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'solverkit.implicit' has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingPackage("implicit differentiation needs torch: pip install 'solverkit[torch]'") from error
