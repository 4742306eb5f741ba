"""Options of the bilevel peers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from solverkit.engine.options import Options


class KktIpoptOptions(Options):
    """Options of `kkt-ipopt`."""

    epsilon: float = Field(
        1.0, gt=0, description="First relaxation of complementarity, epsilon_0 in mu_i s_i <= epsilon (Scholtes' t)."
    )
    reduction: float = Field(
        0.1, gt=0, lt=1, description="Factor of epsilon from one IPOPT solve to the next; larger is slower, steadier."
    )
    final_epsilon: float = Field(
        1e-8, gt=0, description="Last relaxation. The lower gap is about epsilon times the number of inequality rows."
    )
    polish: bool = Field(
        True,
        description="Solve once more on the smooth piece next to the last point, where of each pair (mu_i, s_i) the "
        "smaller one is 0, so that complementarity holds exactly.",
    )
    hessian: Literal["exact", "limited-memory"] = Field(
        "exact",
        description="Hessian of the Lagrangian: exact, third derivatives of the lower level by central differences of "
        "its Hessian; or IPOPT's own quasi-Newton update, which calls no upper Hessian.",
    )
    starts: int = Field(
        1, ge=1, description="Number of starts: the given one, then random ones around it. The best point wins."
    )
    spread: float = Field(
        1.0, gt=0, description="Standard deviation of random starts, relative to 1 + |start|, entry by entry."
    )
    penalty: float = Field(
        1e4,
        gt=0,
        description="Weight of the violation in the merit by which iterates are compared: "
        "F + penalty (1 + |F at the start|) max(violation - tol/100, 0).",
    )
    ipopt_max_iter: int = Field(500, ge=1, description="Iterations of IPOPT in each of its solves at most.")
    mu_strategy: Literal["adaptive", "monotone"] = Field(
        "adaptive", description="IPOPT's option of this name: how its barrier parameter goes to 0."
    )


class NestedOptions(Options):
    """Options of `nested`."""

    search: Literal["auto", "cobyqa", "cobyla", "powell", "nelder-mead"] = Field(
        "auto",
        description="SciPy's derivative-free method over x. auto: cobyqa up to 30 upper variables, powell above. "
        "cobyqa and cobyla take upper rows as constraints, the others by the penalty.",
    )
    lower: Literal["auto", "quadratic", "slsqp", "l-bfgs-b"] = Field(
        "auto",
        description="How the lower level is solved at each x. auto: a quadratic program (Clarabel) where the lower "
        "level is proven quadratic with affine rows and convex at the first x, l-bfgs-b where y has at most bounds, "
        "else slsqp, whose algebra is dense.",
    )
    lower_starts: int = Field(
        1,
        ge=1,
        description="Lower solves at each x: one from the last answer, the others from random points. The lowest value "
        "wins, among equals the one that the leader likes best. More than 1 is for nonconvex lower levels.",
    )
    lower_tol: float = Field(1e-12, gt=0, description="Tolerance of the lower solver.")
    lower_max_iter: int = Field(500, ge=1, description="Iterations of each lower solve at most.")
    starts: int = Field(1, ge=1, description="Searches over x: the given start, then random ones around it.")
    spread: float = Field(
        1.0, gt=0, description="Standard deviation of random starts, relative to 1 + |start|, entry by entry."
    )
    penalty: float = Field(
        1e3,
        gt=0,
        description="Weight of violated rows and of an infeasible lower level, relative to 1 + |F at the start|: an "
        "exact penalty where it exceeds the multipliers.",
    )
    radius: float = Field(
        1.0, gt=0, description="First step of the search, relative to 1 + max |x|; cobyqa's and cobyla's trust radius."
    )
    search_tol: float = Field(
        1e-8, gt=0, description="Last step of the search relative to the first: it ends where steps get smaller."
    )
    max_evaluations: int = Field(
        10_000, ge=1, description="Lower problems that one search may solve, those of `lower_starts` together as one."
    )
