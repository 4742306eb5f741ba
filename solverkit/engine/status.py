"""Why a run stopped, and the exit code that follows from it and from the verdict."""

from __future__ import annotations

import enum

from solverkit.kinds.base import Certificate, PointStatus

__all__ = ["PointStatus", "Termination", "exit_code", "proven"]


class Termination(enum.Enum):
    """Why a run stopped. The value is the sentence that the user reads, and the member's docstring.

    It says nothing about the point: that is `PointStatus`, which the certificate alone decides.
    """

    CONVERGED = "the method's own test was met; whether the point is an answer is for the certificate to say"
    MAX_ITER = "max_iter was reached: this is the best point so far; raise max_iter or resume the run"
    MAX_TIME = "max_time was reached: this is the best point so far; raise max_time or resume the run"
    MAX_CALLS = "max_calls was reached: this is the best point so far; raise max_calls or resume the run"
    TARGET = "the certificate holds, which is what was asked for"
    CALLBACK = "the callback raised StopIteration: this is the best point so far"
    INTERRUPTED = "interrupted: this is the best point so far; resume the run to go on"
    STALLED = "the method cannot make progress: scale the problem, loosen tol or try another method"
    NOT_FINITE = "a value became NaN or infinite: this is the best point before; check the oracle named or the start"
    ORACLE_FAILED = "a function of the problem failed: this is the best point before; mend the function named"
    SOLVER_FAILED = (
        "the method failed by an error of its own: this is the best point before; result.error has the trace"
    )
    INFEASIBLE = "the method says that no point satisfies the constraints: check them; only a checked proof is final"
    UNBOUNDED = "the method says that the objective has no bound: add bounds; only a checked proof is final"

    def __init__(self, sentence: str) -> None:
        self.__doc__ = sentence


LIMITS = frozenset({Termination.MAX_ITER, Termination.MAX_TIME, Termination.MAX_CALLS})
"""Stops asked for by the user's limits."""

RESUMABLE = LIMITS | {Termination.CALLBACK, Termination.INTERRUPTED}
"""Stops after which the same run could simply go on."""

COMPLETE = frozenset({Termination.CONVERGED, Termination.TARGET})
"""Stops after which nothing is left to go on with."""

FAILURES = frozenset(
    {Termination.STALLED, Termination.NOT_FINITE, Termination.ORACLE_FAILED, Termination.SOLVER_FAILED}
)
"""Stops because something went wrong."""


def proven(termination: Termination, certificate: Certificate) -> bool:
    """Whether the certificate re-checked a proof of infeasibility or unboundedness.

    A kind that can check one (a Farkas vector, a ray) says so by the fact `proven`: "infeasible" or "unbounded".
    """
    claims = {Termination.INFEASIBLE: "infeasible", Termination.UNBOUNDED: "unbounded"}
    return termination in claims and certificate.facts.get("proven") == claims[termination]


def exit_code(termination: Termination, point_status: PointStatus, proof: bool = False) -> int:
    """The exit code of the command line; also `result.status`.

    | code | when |
    |---|---|
    | 130 | interrupted, whatever the point is: scripts must see it |
    | 0 | certified, whatever stopped the run |
    | 4 | infeasible or unbounded, by a proof that the certificate re-checked |
    | 5 | a failure; a claim of infeasibility without proof; a claim of convergence at a point that is infeasible |
    | 3 | the rest: limits, callback, and a claim of convergence that the certificate did not confirm |
    """
    if termination is Termination.INTERRUPTED:
        return 130
    if point_status is PointStatus.CERTIFIED:
        return 0
    if termination in (Termination.INFEASIBLE, Termination.UNBOUNDED):
        return 4 if proof else 5
    if termination in FAILURES:
        return 5
    if termination is Termination.CONVERGED and point_status is PointStatus.INFEASIBLE:
        return 5
    return 3
