"""From options to a learner and the context that it sees."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.linear_sequence.problem import LinearSequence
from solverkit.kinds.linear_sequence.systems import Stored, System
from solverkit_sor.gap import Gap
from solverkit_sor.learners import Binned, ChebCB, ClosedForm, Fixed, Learner, LogTS, TsallisINF
from solverkit_sor.options import SorTunerOptions
from solverkit_sor.solvers.base import Parameters
from solverkit_sor.solvers.catalogue import ARMS, GRIDS, TUNED

Look = Callable[[System], object]
"""What a learner is shown of a system: None, a number or a vector."""

DECADE = 10.0  # positive contexts that span more are looked at by their logarithm


def values(options: SorTunerOptions, solver: str) -> tuple[Parameters, ...]:
    """The parameters of each arm. UsageError where options and solver do not fit together."""
    name = TUNED.get(solver)
    if name is None:
        if options.arms is not None or options.value is not None:
            raise UsageError(f"the solver {solver!r} has no number to tune: leave arms and value out")
        return ({},)
    if options.policy == "fixed":
        value = ARMS[solver].defaults[name] if options.value is None else options.value
        return ({name: value},)
    grid = options.arms or GRIDS[name]
    if len(set(grid)) < len(grid):
        raise UsageError("arms names a value twice")
    if name == "w" and not all(0.5 <= value <= 1.99 for value in grid):
        raise UsageError("a relaxation w lies between 0.5 and 1.99: mend arms")
    return tuple({name: int(value) if name == "restart" else value} for value in grid)


def learner(options: SorTunerOptions, policy: str, problem: LinearSequence, arms: tuple[Parameters, ...]) -> Learner:
    """The learner of a policy other than `auto`."""
    count = len(arms)
    floor = 1.0 if options.paper else 0.0
    if policy == "fixed" or count == 1:
        return Fixed(count, 0)
    if policy in ("tsallis-inf", "tsallis-inf-rv"):
        return TsallisINF(count, "rv" if policy.endswith("rv") else "iw", floor)
    if policy == "binned":
        low, high = interval(options, problem)
        return Binned(count, low, high, options.bins, floor=floor)
    if policy == "chebcb":
        low, high = interval(options, problem)
        return ChebCB(count, low, high, options.features, floor=floor)
    grid = np.array([float(value) for each in arms for value in each.values()])
    name = next(iter(arms[0]))
    if policy == "closed-form":
        return ClosedForm(grid, "ssor-cg" if options.solver == "ssor-cg" else "sor")
    places = -np.log(2.0 - grid) if name == "w" else np.log(grid)
    coordinates = 2.0 * (places - places.min()) / (places.max() - places.min()) - 1.0
    return LogTS(coordinates, contexts=len(problem.context_names), discount=options.discount)


def look(options: SorTunerOptions, policy: str, problem: LinearSequence, gap: Gap) -> Look:
    """What the policy is shown."""
    if policy in ("fixed", "tsallis-inf", "tsallis-inf-rv"):
        return lambda system: None
    if policy == "closed-form":
        return lambda system: gap.of(system.matrix)
    if policy == "log-ts":
        return _scaled(problem)
    place = _place(options, problem)
    return lambda system: float(system.context[place])


def interval(options: SorTunerOptions, problem: LinearSequence) -> tuple[float, float]:
    """[a, b] of the context that binned and chebcb look at."""
    place = _place(options, problem)
    low, high = options.low, options.high
    recorded = _recorded(problem)
    if recorded is not None:
        low = float(recorded[:, place].min()) if low is None else low
        high = float(recorded[:, place].max()) if high is None else high
    if low is None or high is None:
        raise UsageError(
            f"the systems of {problem.name!r} are made when they are asked for, so that the range of the context "
            f"{problem.context_names[place]!r} is not known: give low and high"
        )
    if not low < high:
        raise UsageError(
            f"the context {problem.context_names[place]!r} is {low:g} throughout: nothing to learn from it"
        )
    return low, high


def _place(options: SorTunerOptions, problem: LinearSequence) -> int:
    names = problem.context_names
    if not names:
        raise UsageError(f"policy {options.policy} needs a context, and problem {problem.name!r} has none: use log-ts")
    if options.context is None:
        return 0
    if options.context not in names:
        raise UsageError(f"problem {problem.name!r} has no context {options.context!r} (it has: {', '.join(names)})")
    return names.index(options.context)


def _recorded(problem: LinearSequence) -> np.ndarray | None:
    """(T, k) contexts where the problem holds them."""
    return problem.systems.contexts if isinstance(problem.systems, Stored) else None


def _scaled(problem: LinearSequence) -> Look:
    """The whole context, entries that are positive and span more than a decade by their logarithm."""
    recorded = _recorded(problem)
    logarithmic = np.zeros(len(problem.context_names), bool)
    if recorded is not None and recorded.size:
        low, high = recorded.min(axis=0), recorded.max(axis=0)
        logarithmic = (low > 0) & (high > DECADE * low)

    def vector(system: System) -> np.ndarray:
        context = system.context.copy()
        context[logarithmic] = np.log(context[logarithmic])
        return context

    return vector
