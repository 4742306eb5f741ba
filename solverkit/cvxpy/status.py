"""A result in CVXPY's words.

| ours | CVXPY's status |
|---|---|
| CERTIFIED | optimal |
| INFEASIBLE, UNBOUNDED, with a proof that the certificate checked | infeasible, unbounded |
| the same without one: the method's word | infeasible_inaccurate, unbounded_inaccurate |
| every condition of the certificate holds within NEAR times its tolerance | optimal_inaccurate |
| CONVERGED at a feasible point: the method's word | optimal_inaccurate |
| a limit, a callback or an interrupt stopped the run | user_limit |
| anything else, and points at which nothing can be computed | solver_error |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cvxpy.settings as s

from solverkit.engine.status import RESUMABLE, PointStatus, Termination

if TYPE_CHECKING:
    from solverkit.engine.result import Result
    from solverkit.kinds.base import Certificate

NEAR = 100.0
"""How many tolerances a condition may be off for an answer to be called inaccurate rather than none."""


def status(result: Result) -> str:
    """One of CVXPY's statuses, see the module."""
    if result.point_status is PointStatus.CERTIFIED:
        return s.OPTIMAL
    proven = result.certificate.facts.get("proven")
    if result.termination is Termination.INFEASIBLE:
        return s.INFEASIBLE if proven == "infeasible" else s.INFEASIBLE_INACCURATE
    if result.termination is Termination.UNBOUNDED:
        return s.UNBOUNDED if proven == "unbounded" else s.UNBOUNDED_INACCURATE
    if proven in ("infeasible", "unbounded"):
        return s.INFEASIBLE if proven == "infeasible" else s.UNBOUNDED
    claimed = result.termination is Termination.CONVERGED and result.point_status is PointStatus.FEASIBLE
    if claimed or _near(result.certificate):
        return s.OPTIMAL_INACCURATE
    if result.termination in RESUMABLE and result.point_status is not PointStatus.UNVERIFIED:
        return s.USER_LIMIT
    return s.SOLVER_ERROR


def _near(certificate: Certificate) -> bool:
    terms = certificate.terms
    if certificate.unverified or not terms:
        return False
    return all(term.value / term.scaling <= NEAR * term.tolerance for term in terms)
