"""What `SequenceTuner.solve` returns beside x, and what may be its cost."""

from __future__ import annotations

from collections.abc import Callable

from solverkit_sor.tuner.backstop import Attempt
from solverkit_sor.tuner.space import Parameters

Cost = str | Callable[["Info"], float]


class Info(int):
    """What `solve` returns beside x. As a number, SciPy's code: 0 converged, else the iterations that were not
    enough."""

    converged: bool
    parameters: Parameters  # of the arm that was tried
    arm: int
    iterations: int  # of all solvers that took part
    work: float  # multiply-adds, by the solvers' model
    seconds: float  # wall time
    cpu: float  # processor time of all threads
    cost: float  # what this round was charged
    message: str  # empty, or what went wrong and who finished

    @staticmethod
    def of(attempt: Attempt, arm: int, parameters: Parameters) -> Info:
        info = Info(0 if attempt.converged else max(attempt.iterations, 1))
        info.converged, info.parameters, info.arm = attempt.converged, parameters, arm
        info.iterations, info.work = attempt.iterations, attempt.work
        info.seconds, info.cpu = attempt.seconds, attempt.cpu
        info.cost, info.message = attempt.work, attempt.message
        return info

    @staticmethod
    def nothing(message: str) -> Info:
        """Of a system that took no solver."""
        info = Info(0)
        info.converged, info.parameters, info.arm, info.iterations = True, {}, -1, 0
        info.work = info.seconds = info.cpu = info.cost = 0.0
        info.message = message
        return info
