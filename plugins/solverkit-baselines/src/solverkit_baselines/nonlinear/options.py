"""Options of the nonlinear peers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from solverkit.engine.options import Options


class IpoptOptions(Options):
    """Options of `ipopt`. Those that bear the name of an IPOPT option are passed on as they are."""

    functions: Literal["oracles", "native"] = Field(
        "oracles",
        description="oracles: IPOPT calls the problem's counted oracles in Python. native: it gets the CasADi graphs "
        "of f and c and evaluates them at C speed, for comparisons of wall time; its calls are then counted by CasADi "
        "and listed as charged, and a limit on calls is seen at the end only. For problems from expressions and .nl.",
    )
    ipopt_tol: float | None = Field(
        None,
        gt=0,
        description="IPOPT's `tol`, on its own scaled error. Default: the smaller of the run's tol and IPOPT's 1e-8.",
    )
    bound_relax_factor: float = Field(
        0.0,
        ge=0,
        description="By how much bounds may be broken, relative to max(1, |bound|). IPOPT's own default is 1e-8, which "
        "a certificate at that tolerance may refuse.",
    )
    hessian: Literal["exact", "limited-memory"] = Field(
        "exact",
        description="Hessian of the Lagrangian: the problem's, or IPOPT's quasi-Newton update, which needs none.",
    )
    mu_strategy: Literal["adaptive", "monotone"] = Field(
        "monotone", description="How the barrier parameter goes to 0. Default: IPOPT's own."
    )
    linear_solver: Literal["mumps", "spral"] = Field(
        "mumps", description="Factorization of the Newton system; those that CasADi's wheel brings along."
    )
    ipopt_max_iter: int = Field(3000, ge=1, description="Iterations of IPOPT at most. Default: IPOPT's own.")


class TrustConstrOptions(Options):
    """Options of `trust-constr`."""

    gtol: float | None = Field(
        None,
        ge=0,
        description="Largest gradient of the Lagrangian and largest violation at which SciPy claims success. It does "
        "not look at complementarity there. Default: the smaller of the run's tol and 1e-8 over 10 where all "
        "constraints are equations; 0 otherwise, so that the end is decided by xtol and barrier_tol.",
    )
    xtol: float = Field(1e-12, gt=0, description="Trust radius below which SciPy ends. Its own default is 1e-8.")
    barrier_tol: float | None = Field(
        None,
        gt=0,
        description="Last barrier parameter for inequalities. Default: the smaller of the run's tol and 1e-8 over 10.",
    )
    scipy_max_iter: int = Field(3000, ge=1, description="Iterations at most. SciPy's own default is 1000.")


class SlsqpOptions(Options):
    """Options of `slsqp`."""

    ftol: float = Field(
        1e-14,
        gt=0,
        description="SLSQP's accuracy: it ends where the change of f, or the slope and the violation, are below it. "
        "SciPy's own default is 1e-6; of the powers 1e-8, 1e-10, ..., 1e-16 this one leads to most certificates at "
        "1e-8 on the 41 problems of the suite nonlinear-41, with the fewest iterations.",
    )
    scipy_max_iter: int = Field(1000, ge=1, description="Iterations at most. SciPy's own default is 100.")
