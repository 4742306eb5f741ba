"""A learner for the arms of a space, by the name of its policy."""

from __future__ import annotations

import numpy as np

from solverkit.errors import UsageError
from solverkit_sor.learners import Binned, ChebCB, Fixed, Learner, LogTS, TsallisINF
from solverkit_sor.tuner.space import Arms

POLICIES = ("auto", "log-ts", "tsallis-inf", "tsallis-inf-rv", "binned", "chebcb", "fixed")

PRIOR_SD = 0.25
"""Of the log-cost of a group about what the work model expects of it: a factor of 1.3."""

CUTOFF = 1.5
"""Arms whose lower bound exceeds the best mean this many times are not tried. With `PRIOR_SD` that means arms which
the work model puts above two and a half times the best."""


def make_learner(
    policy: str,
    arms: Arms,
    contexts: int,
    prior: np.ndarray | None,
    discount: float,
    interval: tuple[float, float] | None,
) -> Learner:
    """`contexts` numbers come with each round; `prior` (arms,) are expected log-costs, of use to Thompson sampling
    alone.

    Raises UsageError for an unknown policy, or one that lacks the interval of its context.
    """
    count = len(arms)
    if policy in ("auto", "log-ts"):
        return LogTS(
            arms.coordinates,
            arms.groups,
            contexts,
            prior=prior,
            discount=discount,
            cutoff=CUTOFF,
            prior_sd=PRIOR_SD if prior is not None else 1.0,
        )
    if policy in ("tsallis-inf", "tsallis-inf-rv"):
        return TsallisINF(count, "rv" if policy.endswith("rv") else "iw")
    if policy == "fixed":
        return Fixed(count, 0)
    if policy not in POLICIES:
        raise UsageError(f"policy {policy!r} is unknown (policies: {', '.join(POLICIES)})")
    if interval is None:
        raise UsageError(f"policy {policy!r} needs context_range=(low, high), the interval of its context")
    return Binned(count, *interval) if policy == "binned" else ChebCB(count, *interval)
