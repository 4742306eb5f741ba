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
from solverkit_sor.tuner.backstop import KEEPING, Backstop
from solverkit_sor.tuner.defaults import SHARE, guesses
from solverkit_sor.tuner.history import History
from solverkit_sor.tuner.space import Arms, Parameters

WORTH = 1.2
"""Arms expected to cost more than this many times the first one are left out of the race."""

FIRST_REVIEW, SPACING, WIDEST = 4, 0.3, 25
"""The first review comes after so many rounds, the next ones after that share of all rounds, and WIDEST at most."""

UNKNOWN = 1e100
"""Price of entry before the first review: none is paid."""

PATIENCE = 20
"""Rounds without a review after which solvers that build something are left to the learner."""

FOREVER = 1000.0
"""Systems that a build serves where no two matrices have differed."""

RECENT, SAME = 20, 4
"""Rounds that tell how fast the systems change; so many with one matrix tell that it stays."""


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
        rounds, solver = len(history), arms.parameters[arm]["solver"]
        if rounds == 1 and solver not in KEEPING:
            learner.entry[_building(arms)] = UNKNOWN
        if rounds == PATIENCE and (learner.entry == UNKNOWN).any():  # no round had anything to derive them from
            learner.entry[:] = 0.0
        if rounds < self.due or solver not in SHARE or solver in KEEPING or history.failed[-1]:
            return
        self.due = rounds + min(int(rounds * SPACING) + 1, WIDEST)
        self._watch(history, backstop)
        untried = learner.fresh.copy()
        if not untried.any():
            return
        expected = guesses(arms, backstop, matrix, arms.parameters[arm], count)
        for each in self.corrected:  # what one arm of a solver told of the others stays
            untried &= np.array([arms.parameters[each]["solver"] != other["solver"] for other in arms.parameters])
        known = learner.last[0][~learner.fresh].min()
        learner.expect(untried, np.log(expected / expected[arm]) + learner.last[0][arm] - known)
        scale = expected[arm] * np.exp(-learner.last[0][arm])  # work that has the logarithm 0
        for each in map(int, np.flatnonzero(learner.fresh & _building(arms))):
            learner.entry[each] = backstop.setup(arms.parameters[each], matrix.shape[0], matrix.nnz) / scale

    def _watch(self, history: History, backstop: Backstop) -> None:
        """How long what is built may serve: as long again as the matrix has stayed the same, where it never changed for
        good, else until the matrices have changed twofold at their recent pace."""
        seen = np.array([context[-1] for context in history.contexts])
        changes = np.flatnonzero(np.diff(seen))
        alike = len(seen) - (int(changes[-1]) + 1 if len(changes) else 0)
        backstop.constant = alike >= SAME
        if backstop.constant:
            backstop.lasting = float(alike) if len(changes) else FOREVER
        else:
            change = float(np.abs(np.diff(seen[-RECENT:])).mean())
            backstop.lasting = float(np.clip(np.log(2.0) / max(change, 1e-3), 1.0, 50.0))

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
