"""Preconditioners that outlive a system, across a checkpoint.

A factor or a hierarchy does not go into a checkpoint. What does is the number of the system that it was built for, from
which it is built again as it was, and its account: a resumed run then makes the same iterations as one that never
stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from solverkit.kinds.linear_sequence.problem import LinearSequence
from solverkit_sor.solvers.base import Arm, Parameters
from solverkit_sor.solvers.lag import Lag

Saved = dict[str, dict[str, Any]]
"""By arm: `t`, the system it was built for, and its account, `lag`."""


class Keeping:
    """Follows the builds of some arms, each under a name of its own."""

    def __init__(self) -> None:
        self._seen: dict[str, Any] = {}  # the arm's `built` when last looked at
        self.saved: Saved = {}

    def note(self, arms: Mapping[str, Arm], t: int) -> int:
        """After system `t`: what was built for it. Returns how many builds there were."""
        builds = 0
        for name, arm in arms.items():
            built: Any = getattr(arm, "built", None)
            if built is None:
                continue
            if self._seen.get(name) is not built:
                self._seen[name] = built
                self.saved[name] = {"t": t, "lag": arm.lag}  # type: ignore[attr-defined]
                builds += 1
        return builds

    def restore(
        self, saved: Saved, arms: Mapping[str, tuple[Arm, Parameters]], problem: LinearSequence, x: np.ndarray
    ) -> None:
        """Build again what `saved` names, outside all counts, since it was counted before. `x`: (T, n) solutions."""
        for name, entry in saved.items():
            arm: Any
            arm, given = arms[name]
            t = int(entry["t"])
            system = problem.systems.system(t, x[t - 1] if t else problem.initial)
            arm.build(arm.matrices.csr(system.matrix), {**arm.defaults, **given})
            lag = entry["lag"]
            arm.lag = Lag(lag.setup, lag.solves, lag.count, lag.last)
            self._seen[name] = arm.built
            self.saved[name] = {"t": t, "lag": arm.lag}
