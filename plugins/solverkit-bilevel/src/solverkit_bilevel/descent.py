"""Descent of the reduced objective Phi(x) = F(x, y*(x)) over a box, with the follower's exact answer.

    p      = -H g on the coordinates that are free,  -g on those that g pushes against their bound
    x+     = P(x + s p),   s by bisection until  Phi(x+) <= Phi(x) + armijo g'(x+ - x),  g+'(x+ - x) >= 0.9 g'(x+ - x)
    H      : L-BFGS from the last ten pairs, restricted to the free coordinates

(Bertsekas 1982, two-metric projection; L-BFGS in place of Newton; the weak Wolfe search of
Lewis and Overton 2013). It takes over where LV-HBA's x does not settle:
psi_c has curvature of order 1 across the graph of y* and 1/c along it, so its steps shorten as c grows, while Phi
sees the graph alone. An x without an answer is refused like one that does not descend.

Phi is piecewise smooth. The search crosses kinks that lie across the way; along one (F with a kink where the
minimum is, say) steps shorten without end, and the descent stops and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.follower import Answer, Follower
from solverkit_bilevel.state import Descent, State

TRIALS = 30  # of one line search
WOLFE = 0.9  # of the first slope, above which a step is too short
PATIENCE = 50  # steps over which a fall below `SLOW` (1 + |F|) ends the descent
SLOW = 1e-6
CURVED = 1e-10  # least s'y / y'y of a pair


@dataclass
class Trial:
    """Phi at one x."""

    answer: Answer
    upper: float  # Phi
    slope: np.ndarray  # (n,) its gradient


class Reduced:
    """Phi of one problem."""

    def __init__(self, problem: Bilevel, follower: Follower, lower: np.ndarray, upper: np.ndarray) -> None:
        self.n, self.follower = problem.n, follower
        self.lower, self.upper = lower, upper  # (n,) bounds of x

    def begin(self, problem: Bilevel, s: State) -> bool:
        """Move s to (x, y*(x)) and begin there; False, and s as it was, where y* is not unique."""
        n, follower = self.n, self.follower
        answer = follower.answer(problem, s.w[:n], s.w[n:], np.zeros(follower.rows.count))
        if answer is None or not follower.regular(problem, answer):
            return False
        found = Trial(answer, problem.upper(answer.w), follower.hypergradient(problem, answer))
        s.descent = Descent(answer.lam, found.slope)
        self._take(problem, s, s.descent, found)
        return True

    def crawls(self, memory: Descent) -> bool:
        """Whether the last steps have hardly lowered Phi: the zigzag along a kink."""
        values = memory.values
        return len(values) == PATIENCE and values[0] - values[-1] <= SLOW * (1 + abs(values[-1]))

    def advance(self, problem: Bilevel, s: State, armijo: float) -> bool:
        """One step in place; False where none descends."""
        assert s.descent is not None
        memory = s.descent
        found = self._search(problem, s, memory, self._direction(memory, s.w[: self.n]), armijo)
        if found is None and memory.moves:  # once more along the gradient
            memory.moves, memory.turns = [], []
            found = self._search(problem, s, memory, self._direction(memory, s.w[: self.n]), armijo)
        if found is None:
            return False
        moved, turn = found.answer.w[: self.n] - s.w[: self.n], found.slope - memory.slope
        self._take(problem, s, memory, found)
        memory.remember(moved, turn)
        return True

    def _search(
        self, problem: Bilevel, s: State, memory: Descent, direction: np.ndarray, armijo: float
    ) -> Trial | None:
        """Weak Wolfe by bisection: the first x + s p that falls enough and is no longer as steep.

        Otherwise the last that falls enough; None where none does.
        """
        n, slope, best = self.n, memory.slope, None
        short, long, size = 0.0, np.inf, 1.0
        noise = 1e-14 * (1 + abs(s.upper))
        for _ in range(TRIALS):
            x = np.clip(s.w[:n] + size * direction, self.lower, self.upper)
            moved = x - s.w[:n]
            rate = float(slope @ moved)
            answer = self.follower.answer(problem, x, s.w[n:], memory.lam)
            upper = np.inf if answer is None else problem.upper(answer.w)
            if answer is None or not upper <= s.upper + armijo * rate + noise:
                long = size
            else:
                best = Trial(answer, upper, self.follower.hypergradient(problem, answer))
                if float(best.slope @ moved) >= WOLFE * rate:
                    break
                short = size
            size = 2 * size if long == np.inf else (short + long) / 2
        return best

    def _take(self, problem: Bilevel, s: State, memory: Descent, found: Trial) -> None:
        w, n = found.answer.w, self.n
        s.w, s.upper, s.lower, s.gap = w, found.upper, problem.lower(w), 0.0
        s.upper_slope = problem.upper_gradient(w)
        memory.lam, memory.slope = found.answer.lam, found.slope
        memory.values = [*memory.values, found.upper][-PATIENCE:]
        s.residual = float(np.linalg.norm(np.clip(w[:n] - memory.slope, self.lower, self.upper) - w[:n]))
        memory.least = min(memory.least, s.rho)

    def _direction(self, memory: Descent, x: np.ndarray) -> np.ndarray:
        """p."""
        g = memory.slope
        free = ~(((x <= self.lower) & (g > 0)) | ((x >= self.upper) & (g < 0)))
        pairs = [(move * free, turn * free) for move, turn in zip(memory.moves, memory.turns, strict=True)]
        pairs = [(move, turn) for move, turn in pairs if move @ turn > CURVED * float(turn @ turn)]
        if not pairs:
            return -g / max(1.0, float(np.abs(g).max(initial=0.0)))
        q, weights = np.where(free, g, 0.0), []
        for move, turn in reversed(pairs):
            weights.append(float(move @ q) / float(move @ turn))
            q = q - weights[-1] * turn
        move, turn = pairs[-1]
        q = q * (float(move @ turn) / float(turn @ turn))
        for (move, turn), weight in zip(pairs, reversed(weights), strict=True):
            q = q + (weight - float(turn @ q) / float(move @ turn)) * move
        return np.where(free, -q, -g)
