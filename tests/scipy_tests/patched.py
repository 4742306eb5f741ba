"""`minimize` as SciPy's tests call it, answered by one of our methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import LinearConstraint, NonlinearConstraint
from scipy.optimize._constraints import PreparedConstraint, old_constraint_to_new

import solverkit as sk
from solverkit.scipy_interface.options import REFUSED

MET, ENDED = 5, 0  # as trust-constr's status: none of its own numbers, and its "iterations ran out"


class Patched:
    """A `minimize` that ignores which method SciPy's test names and takes ours. `calls` counts.

    method : ours; None takes the one that fits
    tol : of the certificate, where the test gives none; None leaves it at the default

    Options that are refused by name are left out, as a user does who reads the message. The status of a result is in
    words that the tests of trust-constr know: 0, which they refuse, wherever there is no certificate.
    """

    def __init__(self, method: str | None, tol: float | None) -> None:
        self.method, self.tol, self.calls = method, tol, 0

    def __call__(self, fun: Any, x0: Any, args: Any = (), method: Any = None, **given: Any) -> sk.Result:
        self.calls += 1
        if given.get("options"):
            given["options"] = {name: value for name, value in given["options"].items() if name not in REFUSED}
        if given.get("tol") is None:
            given["tol"] = self.tol
        result = sk.minimize(fun, x0, args, self.method, **given)
        if str(method).lower() == "trust-constr":
            result.status = MET if result.success else ENDED
        if str(method).lower() == "slsqp":
            return result  # has no such field, and its tests' functions do not bear a look outside of the bounds
        result.maxcv = result.constr_violation = violation(given.get("constraints") or (), result.x)
        return result


def violation(constraints: Any, x: np.ndarray) -> float:
    """The largest violation in SciPy's own measure, which scales nothing."""
    listed = [constraints] if isinstance(constraints, dict | LinearConstraint | NonlinearConstraint) else constraints
    worst = [0.0]
    for k, given in enumerate(listed):
        constraint = old_constraint_to_new(k, given) if isinstance(given, dict) else given
        worst.append(float(np.max(PreparedConstraint(constraint, x).violation(x), initial=0.0)))
    return max(worst)
