"""What arms may cost that were not tried yet, and when trying one is worth it.

After the first system every arm has an expected cost by the solvers' model. Solvers without a setup that may do well
are tried at once, in `queue`. Those that build something wait until it is known how fast the systems change. Their
expectations follow the sequence: `review`, at rounds spaced ever wider, derives them anew from what the latest system
took, and what must be built first becomes the price of entry that the learner weighs against what may be saved."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from solverkit_sor.learners import Learner, LogTS
from solverkit_sor.tuner.backstop import FOREVER, KEEPING, Backstop
from solverkit_sor.tuner.defaults import SHARE, guesses
from solverkit_sor.tuner.history import History
from solverkit_sor.tuner.space import Arms, Parameters

WORTH = 1.2
"""Arms expected to cost more than this many times the first one are left out of the race."""

FIRST_REVIEW, SPACING = 4, 1.3
"""The first review comes after so many rounds, each later one after SPACING times the rounds of the one before."""

RECENT = 50
"""Rounds that tell how fast the systems change."""


@dataclass
class Prospects:
    """State of the race, and the accounts of what was built."""

    queue: list[int] = field(default_factory=list)  # arms still to race
    accounts: dict[int, tuple[float | None, float | None]] = field(default_factory=dict)  # build and solve of an arm
    corrected: set[int] = field(default_factory=set)  # arms whose first cost has corrected the expectations of others
    due: int = FIRST_REVIEW  # rounds after which the next review comes

    def begin(
        self, backstop: Backstop, arms: Arms, matrix: csr_array, first: Parameters, arm: int, iterations: int
    ) -> np.ndarray:
        """(arms,) expected work after the first round, which took `iterations` with the parameters `first` of `arm`;
        the race is on."""
        expected = guesses(arms, backstop, matrix, first, iterations)
        self.queue = [
            each
            for each in arms.middles()
            if arms.groups[each] != arms.groups[arm]
            and arms.parameters[each]["solver"] not in KEEPING
            and expected[each] < WORTH * expected[arm]
        ]
        return expected

    def review(
        self, learner: LogTS, history: History, backstop: Backstop, arms: Arms, matrix: csr_array, arm: int, count: int
    ) -> None:
        """Expectations of untried groups anew, from `count` iterations that `arm` took for the latest system."""
        if len(history) == 1:
            learner.entry[_building(arms)] = np.inf
        solver = arms.parameters[arm]["solver"]
        if len(history) < self.due or solver not in SHARE or solver in KEEPING:
            return
        self.due = int(len(history) * SPACING) + 1
        untried = learner.fresh.copy()
        if not untried.any():
            return
        seen = np.array([context[-1] for context in history.contexts[-RECENT:]])
        change = float(np.abs(np.diff(seen)).mean())
        backstop.constant = change == 0.0
        backstop.lasting = FOREVER if backstop.constant else float(np.clip(np.log(2.0) / max(change, 1e-3), 1.0, 50.0))
        expected = guesses(arms, backstop, matrix, arms.parameters[arm], count)
        for each in self.corrected:  # what one arm of a solver told of the others stays
            untried &= np.array([arms.parameters[each]["solver"] != other["solver"] for other in arms.parameters])
        known = learner.last[0][~learner.fresh].min()
        learner.expect(untried, np.log(expected / expected[arm]) + learner.last[0][arm] - known)
        scale = expected[arm] * np.exp(-learner.last[0][arm])  # work that has the logarithm 0
        for each in map(int, np.flatnonzero(learner.fresh & _building(arms))):
            learner.entry[each] = backstop.setup(arms.parameters[each], matrix.shape[0], matrix.nnz) / scale

    def spread(self, backstop: Backstop, arm: int, parameters: Parameters, cost: float, built: bool) -> float | None:
        """A round's cost with builds spread over the systems they serve: solve + build / lifetime. None where the first
        build has just been paid: what it is worth shows in the next round, which is the same arm's."""
        if not backstop.keeps(parameters):
            return cost
        build, solve = self.accounts.get(arm, (None, None))
        if build is None:
            if built and not backstop.lasts(parameters):
                return cost
            self.accounts[arm] = (cost, None)
            return None if built else cost
        if built:
            build, solve = max(cost - (solve or 0.0), 0.0), solve or 0.0
        elif solve is None:
            build, solve = max(build - cost, 0.0), cost
        else:
            solve = cost
        self.accounts[arm] = (build, solve)
        return solve + build / backstop.lifetime(parameters)

    def correct(self, learner: Learner | None, arms: Arms, arm: int, heard: float) -> None:
        """By what factor the first cost of an arm missed its expectation: arms of the same solver will miss it
        likewise."""
        if not isinstance(learner, LogTS) or arms.parameters[arm]["solver"] not in KEEPING or arm in self.corrected:
            return
        self.corrected.add(arm)
        alike = np.array([each["solver"] == arms.parameters[arm]["solver"] for each in arms.parameters])
        miss = np.log(max(heard, 1e-300)) - learner.reference - learner.last[0][arm]
        learner.expect(alike & (arms.groups != arms.groups[arm]), learner.prior + miss)


def _building(arms: Arms) -> np.ndarray:
    """(arms,) whether it has to build something before its first solve."""
    return np.array([each.get("solver") in KEEPING for each in arms.parameters])
