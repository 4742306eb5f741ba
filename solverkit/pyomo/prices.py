"""Shadow prices of a model, and the suffixes that take them.

`dual` and `rc` are d objective / d right-hand side:

    dual_i = -s y_i,    rc_j = -s z_j,    s = 1 for minimize, -1 for maximize,

with y and z of L = s objective + y'c + z'x (`solverkit.kinds.nonlinear`), z = -(c + A'y) for linear programs.
`ipopt_zL_out` and `ipopt_zU_out` are the parts of rc that press on lower and on upper bounds; rc is their sum.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.nonlinear.local import Local
from solverkit.kinds.nonlinear.multipliers import least_squares, of_point
from solverkit.text import clean

if TYPE_CHECKING:
    from solverkit.engine.result import Result
    from solverkit.pyomo.model import Written

ACTIVE = 1e-5
"""Scaled distance to a bound within which a row is active, for multipliers that a method does not give."""

LOWER, UPPER = "ipopt_zL_out", "ipopt_zU_out"
SUFFIXES = ("dual", "rc", LOWER, UPPER)
"""What a model can import."""

_log = logging.getLogger("pyomo.solverkit")


def shadow_prices(written: Written, result: Result) -> dict[str, np.ndarray]:
    """The values of each of SUFFIXES: `dual` (m,), the others (n,).

    From the multipliers of the answer; where the method gives none, by least squares as in the certificate."""
    problem = written.problem
    if isinstance(problem, Inclusion):
        program: Any = problem.structure
        y = np.asarray(result.point["y"], dtype=float)
        z = -(program.c + program.A.T @ y)
        y = y[: len(written.constraints)]
    else:
        local = Local(problem, problem.flat(result.point), result.seed)
        found = of_point(local, result.point) or least_squares(local, ACTIVE)
        y, z = found.y, found.z
    sign = 1.0 if written.nonlinear.maximize else -1.0
    prices = {"dual": y, "rc": z, LOWER: np.minimum(z, 0.0), UPPER: np.maximum(z, 0.0)}
    return {name: sign * values + 0.0 for name, values in prices.items()}  # no negative zeros


def fill(written: Written, result: Result) -> None:
    """Set the suffixes of the model that import; the log names those that nobody fills."""
    importing = _importing(written.model)
    if not importing:
        return
    prices = shadow_prices(written, result)
    for name, suffix in importing.items():
        if name not in prices:
            known = ", ".join(SUFFIXES)
            _log.warning("suffix '%s' imports, and stays as it is: SolverKit fills %s", clean(name), known)
            continue
        components = written.constraints if name == "dual" else written.variables
        suffix.clear()
        for component, price in zip(components, prices[name].tolist(), strict=True):
            suffix[component] = price


def _importing(model: Any) -> dict[str, Any]:
    """The model's suffixes that are there to be filled, by name."""
    named = {name: getattr(model, name, None) for name in SUFFIXES}
    if hasattr(model, "component_objects"):
        from pyomo.core.base.suffix import Suffix

        named |= {suffix.local_name: suffix for suffix in model.component_objects(Suffix, descend_into=False)}
    return {name: suffix for name, suffix in named.items() if _imports(suffix)}


def _imports(suffix: Any) -> bool:
    enabled = getattr(suffix, "import_enabled", False)
    return bool(enabled() if callable(enabled) else enabled)
