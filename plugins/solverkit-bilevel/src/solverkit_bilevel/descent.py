"""Descent of the reduced objective Phi(x) = F(x, y*(x)) over a box, with the follower's exact answer.

    p      = -H g on the coordinates that are free,  -g on those that g pushes against their bound
    x+     = P(x + s p),   s = 1, 1/2, ... until  Phi(x+) <= Phi(x) + armijo g'(x+ - x)
    H      : L-BFGS from the last ten pairs, restricted to the free coordinates

(Bertsekas 1982, two-metric projection; L-BFGS in place of Newton). It takes over where LV-HBA's x does not settle:
psi_c has curvature of order 1 across the graph of y* and 1/c along it, so its steps shorten as c grows, while Phi
sees the graph alone. An x without an answer is refused like one that does not descend.

Phi is piecewise smooth. At a kink no step descends: the descent ends there and says so.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.follower import Answer, Follower
from solverkit_bilevel.state import Descent, State

SHORTEST = 1e-10  # fraction of a step at which the line search gives up
CURVED = 1e-10  # least s'y / y'y of a pair


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
        s.descent = Descent(answer.lam, np.zeros(n))
        self._take(problem, s, s.descent, answer, problem.upper(answer.w))
        return True

    def advance(self, problem: Bilevel, s: State, armijo: float) -> bool:
        """One step in place; False where none descends."""
        assert s.descent is not None
        memory, x, slope = s.descent, s.w[: self.n], s.descent.slope
        direction, size = self._direction(memory, x), 1.0
        noise = 1e-14 * (1 + abs(s.upper))
        while size >= SHORTEST:
            moved = np.clip(x + size * direction, self.lower, self.upper) - x
            answer = self.follower.answer(problem, x + moved, s.w[self.n :], memory.lam)
            if answer is not None:
                upper = problem.upper(answer.w)
                if upper <= s.upper + armijo * float(slope @ moved) + noise:
                    self._take(problem, s, memory, answer, upper)
                    memory.remember(moved, memory.slope - slope)
                    return True
            size *= 0.5
        if not memory.moves:
            return False
        memory.moves, memory.turns = [], []  # once more along the gradient
        return self.advance(problem, s, armijo)

    def _take(self, problem: Bilevel, s: State, memory: Descent, answer: Answer, upper: float) -> None:
        n = self.n
        s.w, s.upper, s.lower, s.gap = answer.w, upper, problem.lower(answer.w), 0.0
        s.upper_slope = problem.upper_gradient(answer.w)
        memory.lam, memory.slope = answer.lam, self.follower.hypergradient(problem, answer)
        x = s.w[:n]
        s.residual = float(np.linalg.norm(np.clip(x - memory.slope, self.lower, self.upper) - x))

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
