"""Every method that `minimize` offers on every trap, SciPy's and ours, and the core's word on both."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

import solverkit as sk
from solverkit.kinds.base import PointStatus
from solverkit.kinds.nonlinear.arguments import scipy_problem
from solverkit.kinds.nonlinear.certificate import certify
from tests.scoreboard.traps import Trap, traps

SCIPY = (
    "Nelder-Mead",
    "Powell",
    "CG",
    "BFGS",
    "Newton-CG",
    "L-BFGS-B",
    "TNC",
    "COBYLA",
    "COBYQA",
    "SLSQP",
    "trust-constr",
)
CONSTRAINED = ("COBYLA", "COBYQA", "SLSQP", "trust-constr")
WITHOUT_GRADIENT = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")
OURS = ("sketched-newton", "ipopt", "slsqp", "trust-constr")
SECONDS = 5.0  # of our methods


@dataclass(frozen=True)
class Run:
    """One method on one trap. `claimed`: success=True; `right`: near an answer; `certified`: by the core."""

    library: str
    method: str
    trap: str
    claimed: bool
    right: bool
    certified: bool

    @property
    def wrong_claim(self) -> bool:
        """The method says success at a point that is no answer."""
        return self.claimed and not self.right

    @property
    def wrong_verdict(self) -> bool:
        """The core certifies a point that is no answer."""
        return self.certified and not self.right


def runs() -> Iterator[Run]:
    """All of them; about a minute."""
    with (
        warnings.catch_warnings(),
        open(os.devnull, "w") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
    ):
        warnings.simplefilter("ignore")
        for number, trap in enumerate(traps()):
            for method in SCIPY:
                if not trap.constraints or method in CONSTRAINED:
                    yield _scipy(method, traps()[number])
            for method in OURS:
                yield _ours(method, traps()[number])


def _scipy(method: str, trap: Trap) -> Run:
    x0 = np.array(trap.x0, dtype=float)
    jac = None if method in WITHOUT_GRADIENT else trap.jac
    try:
        found: Any = minimize(trap.fun, x0, method=method, jac=jac, constraints=trap.constraints)
        x, claimed = np.atleast_1d(found.x), bool(found.success)
    except Exception:  # raising is no claim
        x, claimed = x0, False
    return Run("SciPy", method, trap.name, claimed, trap.right(x), _certified(trap, x))


def _ours(method: str, trap: Trap) -> Run:
    x0 = np.array(trap.x0, dtype=float)
    try:
        found = sk.minimize(
            trap.fun, x0, method=method, jac=trap.jac, constraints=trap.constraints, options={"max_time": SECONDS}
        )
    except sk.UsageError:
        return Run("SolverKit", method, trap.name, False, False, False)
    certified = found.point_status is PointStatus.CERTIFIED
    return Run("SolverKit", method, trap.name, bool(found.success), trap.right(found.x), certified)


def _certified(trap: Trap, x: np.ndarray) -> bool:
    """The core's verdict on another library's answer, from the trap's own oracles."""
    try:
        problem = scipy_problem(trap.fun, x, jac=trap.jac, constraints=trap.constraints)
    except sk.UsageError:
        return False
    return certify(problem, {"x": x}, 1e-6, 0).status is PointStatus.CERTIFIED
