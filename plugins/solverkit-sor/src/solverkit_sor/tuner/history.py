"""What a tuner has done: one entry a round, and what it adds up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from solverkit_sor.learners import Learner, LogTS
from solverkit_sor.tuner.backstop import KEEPING
from solverkit_sor.tuner.space import Arms


@dataclass
class History:
    """Rounds in order, as columns."""

    arms: list[int] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)  # what was paid
    contexts: list[list[float]] = field(default_factory=list)  # what the learner was shown
    failed: list[bool] = field(default_factory=list)  # the arm did not finish; another solver, or the user, did
    finished: dict[int, list[float]] = field(default_factory=dict)  # of arms that did: rounds, and their total cost

    def __len__(self) -> int:
        return len(self.arms)

    def add(self, arm: int, cost: float, context: np.ndarray, failed: bool) -> None:
        self.arms.append(int(arm))
        self.costs.append(float(cost))
        self.contexts.append([float(value) for value in context])
        self.failed.append(bool(failed))
        if not failed:
            entry = self.finished.setdefault(int(arm), [0.0, 0.0])
            entry[0] += 1.0
            entry[1] += float(cost)

    def mean(self, arm: int) -> float:
        """Mean cost of the rounds that `arm` finished; it must have finished one."""
        rounds, total = self.finished[arm]
        return total / rounds


class Report(dict):
    """A summary as a dict; printed, a table."""

    def __str__(self) -> str:
        if not self["rounds"]:
            return "no rounds yet"
        lines = [
            f"{self['rounds']} rounds, total cost {self['total']:.6g} ({self['unit']}), {self['failures']} failed",
        ]
        if self["best_fixed"] is not None:
            lines.append(
                f"best fixed choice, estimated: {describe(self['best_fixed'])} at {self['best_fixed_total']:.6g}; "
                f"regret {self['regret']:+.1%}"
            )
        lines.append(f"{'rounds':>7} {'mean cost':>12} {'share':>7}  parameters")
        for row in self["arms"]:
            share = row["cost"] / self["total"] if self["total"] else 0.0
            lines.append(f"{row['rounds']:7d} {row['mean']:12.5g} {share:7.1%}  {describe(row['parameters'])}")
        return "\n".join(lines)


def describe(parameters: dict[str, Any]) -> str:
    """`solver=ssor-cg w=1.5`."""
    return " ".join(f"{name}={value}" for name, value in parameters.items())


def report(history: History, arms: Arms, learner: Learner | None, unit: str) -> Report:
    """Totals, a row for each arm played, and the regret against the best fixed arm.

    What a fixed arm would have cost was not observed. It is estimated: by the learner's model at every context where
    there is one, else by the arm's mean cost (arms with at least five rounds), and says so by the name `estimated`.
    Solvers that keep what they build count where they had half of the rounds: what they cost where their builds serve
    says nothing of where they would not.
    """
    played = np.array(history.arms, dtype=int)
    costs = np.array(history.costs)
    rows: list[dict[str, Any]] = []
    for arm in np.unique(played):
        mine = costs[played == arm]
        rows.append(
            {
                "parameters": arms.parameters[arm],
                "rounds": len(mine),
                "cost": float(mine.sum()),
                "mean": float(mine.mean()),
            }
        )
    rows.sort(key=lambda row: -row["rounds"])
    total = float(costs.sum())
    best, best_total = _best_fixed(history, arms, learner, played, costs)
    return Report(
        rounds=len(history),
        total=total,
        unit=unit,
        failures=int(np.sum(history.failed)),
        best_fixed=None if best is None else arms.parameters[best],
        best_fixed_total=best_total,
        regret=None if best is None or not best_total else total / best_total - 1.0,
        estimated=True,
        alarms=learner.alarms if isinstance(learner, LogTS) else 0,
        arms=rows,
    )


def _best_fixed(
    history: History, arms: Arms, learner: Learner | None, played: np.ndarray, costs: np.ndarray
) -> tuple[int | None, float | None]:
    tried = [
        arm
        for arm in range(len(arms))
        if np.sum(played == arm) >= (0.5 * len(history) if arms.parameters[arm].get("solver") in KEEPING else 1)
    ]
    if not tried:
        return None, None
    if isinstance(learner, LogTS) and len(history) >= 10:
        totals = np.zeros(len(arms))
        for arm, cost, context in zip(history.arms, history.costs, history.contexts, strict=True):
            expected = learner.predict(context)[0]
            expected[arm] = cost
            totals += expected
        best = min(tried, key=lambda arm: totals[arm])
        return best, float(totals[best])
    often = [arm for arm in tried if np.sum(played == arm) >= 5]
    if not often:
        return None, None
    best = min(often, key=lambda arm: costs[played == arm].mean())
    return best, float(costs[played == best].mean() * len(history))
