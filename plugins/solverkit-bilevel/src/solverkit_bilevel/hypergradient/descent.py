"""Projected descent of Phi(x) = F(x, y*(x)) over a simple set X.

    d  = P(x + p) - x,   p = -H g  (L-BFGS on the free coordinates of a box)  or  -s g  (Barzilai-Borwein s)
    x+ = P(x + t p)  or  x + t d,   t = 1, 1/2, ...   until  Phi(x+) <= max(last Phi) + armijo g'(x+ - x)

(two-metric projection: Bertsekas 1982; spectral projected gradients: Birgin, Martinez, Raydan 2000; the nonmonotone
test of Grippo, Lampariello, Lucidi 1986). Phi and g are known to an accuracy that follows the projected gradient
r = |P(x - g) - x| down, so early steps are cheap and late ones exact.

| here | formula | meaning |
|---|---|---|
| gradient | g | hypergradient |
| residual | r | largest entry |
| accuracy | | of f_y and of the adjoint system, relative to their scales |
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.sets import Box, Free, SimpleSet
from solverkit_bilevel.hypergradient.answer import Answer
from solverkit_bilevel.hypergradient.reduced import Effort, Reduced

PAIRS = 10
CURVED = 1e-10  # least s'y / y'y of a pair
STEPS = (1e-12, 1e12)  # of the spectral step
SHARE = 1e-3  # accuracy per relative residual
COARSE = 1e-3  # accuracy of the first steps


@dataclass
class Walk:
    """Where a descent stands: arrays and numbers alone."""

    z: np.ndarray  # (n + m,)
    effort: Effort
    slope: np.ndarray  # (m,) f_y
    upper: float = np.inf  # F
    value: float = np.inf  # Phi to second order
    gradient: np.ndarray = field(default_factory=lambda: np.zeros(0))
    upper_slope: float = 0.0  # largest entry of grad F
    adjoint: np.ndarray = field(default_factory=lambda: np.zeros(0))
    adjoint_error: float = 0.0  # residual of its system, relative to |F_y|
    residual: float = np.inf
    accuracy: float = COARSE
    lower_scale: float = 1.0
    bend: float = 0.0  # curvature of Phi along the last step
    step: float = 0.0  # spectral step
    moves: list[np.ndarray] = field(default_factory=list)
    turns: list[np.ndarray] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    least: float = np.inf  # least curvature of f_yy that the adjoint system met
    iterations: int = 0

    @property
    def scale(self) -> float:
        """Of the gradient: 1 + |grad F| for objectives of ordinary size, smaller for tiny ones."""
        curved = self.bend * (1 + float(np.abs(self.z).max(initial=0.0)))
        if not self.moves:
            curved = float(np.abs(self.gradient).max(initial=0.0))
        return self.upper_slope + min(1.0, curved)

    @property
    def relative(self) -> float:
        """r over its scale; 0 where both vanish."""
        return self.residual / self.scale if self.residual > 0 else self.residual


@dataclass(frozen=True)
class Descent:
    """The steps; what a run changes is in its `Walk`."""

    reduced: Reduced
    region: SimpleSet
    quasi_newton: bool
    memory: int = 1
    armijo: float = 1e-4
    finest: float = 1e-10  # accuracy at the end
    trials: int = 40
    rounding: float = 1e-15  # of Phi, relative

    @property
    def metric(self) -> bool:
        """Whether L-BFGS fits X: projections onto curved sets and simplices want the Euclidean one."""
        return self.quasi_newton and isinstance(self.region, (Free, Box))

    def remembering(self, memory: int) -> Descent:
        """The same with a nonmonotone search over so many values."""
        return replace(self, memory=memory)

    def exact(self, walk: Walk) -> bool:
        """Whether y and z are as accurate as they should be."""
        return bool(
            np.linalg.norm(walk.slope) <= walk.accuracy * walk.lower_scale and walk.adjoint_error <= walk.accuracy
        )

    def begin(self, problem: Bilevel, z: np.ndarray, effort: Effort) -> Walk:
        """At (P(x), y*(P(x)))."""
        n = problem.n
        z = np.concatenate([self.region.project(z[:n]), z[n:]])
        walk = Walk(z, effort, np.zeros(problem.m))
        self._settle_scale(problem, walk)
        self.refresh(problem, walk, COARSE)
        return walk

    def refresh(self, problem: Bilevel, walk: Walk, accuracy: float) -> None:
        """Everything at the same x, to another accuracy."""
        walk.accuracy = max(accuracy, self.finest)
        before = walk.z
        answer = self.reduced.answer(problem, before, walk.accuracy * walk.lower_scale, walk.effort)
        self._take(problem, walk, answer, before, problem.upper(answer.z))

    def advance(self, problem: Bilevel, walk: Walk) -> bool:
        """One step in place; False where none descends at this accuracy."""
        n, x = problem.n, walk.z[: problem.n]
        fine = max(self.finest, min(COARSE, SHARE * walk.relative))
        if fine < 0.1 * walk.accuracy:
            self.refresh(problem, walk, fine)
        walk.values = [*walk.values, walk.value][-self.memory :]
        for direction in self._directions(walk, x):
            found = self._search(problem, walk, direction)
            if found is not None:
                break
            walk.moves, walk.turns, walk.values = [], [], [walk.value]
        else:
            return False
        answer, begin, upper = found
        moved, before = answer.z[:n] - x, walk.gradient
        self._take(problem, walk, answer, begin, upper)
        self._learn(walk, moved, walk.gradient - before)
        walk.iterations += 1
        return True

    def jump(self, problem: Bilevel, walk: Walk, move: np.ndarray) -> bool:
        """To P(x + move) if Phi is clearly lower there; what was learnt of its curvature is dropped."""
        begin = walk.z.copy()
        begin[: problem.n] = self.region.project(walk.z[: problem.n] + move)
        answer = self.reduced.answer(problem, begin, walk.accuracy * walk.lower_scale, walk.effort)
        upper = float(problem.upper(answer.z))
        if not (answer.solved and upper < walk.value - 100 * self.rounding * (1 + abs(walk.value))):
            return False
        walk.moves, walk.turns, walk.values, walk.step = [], [], [], 0.0
        self._take(problem, walk, answer, begin, upper)
        return True

    # -- parts

    def _settle_scale(self, problem: Bilevel, walk: Walk) -> None:
        """1 for lower objectives of ordinary size; smaller where their curvature times |y| is."""
        self.reduced.measure(problem, walk.z, walk.effort)
        size = walk.effort.largest * (1 + float(np.abs(walk.z[problem.n :]).max(initial=0.0)))
        walk.lower_scale = min(1.0, size) if size > 0 else 1.0

    def _take(self, problem: Bilevel, walk: Walk, answer: Answer, begin: np.ndarray, upper: float) -> None:
        n = problem.n
        slope = problem.upper_gradient(answer.z)
        start = walk.adjoint if len(walk.adjoint) else None
        found = self.reduced.adjoint(problem, answer, begin, slope, start, walk.accuracy, walk.effort)
        walk.z, walk.slope, walk.upper = answer.z, answer.slope, float(upper)
        walk.adjoint, walk.least = found.z, found.least
        size = float(np.linalg.norm(slope[n:]))
        walk.adjoint_error = found.residual / size if size > 0 else 0.0
        walk.gradient = slope[:n] - found.cross
        walk.upper_slope = float(np.abs(slope).max(initial=0.0))
        walk.value = walk.upper - float(found.z @ answer.slope)
        x = answer.z[:n]
        walk.residual = float(np.abs(self.region.project(x - walk.gradient) - x).max(initial=0.0))
        if np.isnan(walk.gradient).any():
            walk.residual = np.nan

    def _search(self, problem: Bilevel, walk: Walk, direction: np.ndarray) -> tuple[Answer, np.ndarray, float] | None:
        """The first trial that falls enough: the answer there, where it was begun, F. None where none does.

        A walk all of whose trials are not finite gives the last of them: what is wrong is then seen by the driver."""
        n, length, last, finite = problem.n, 1.0, None, False
        x = walk.z[:n]
        level = max(walk.values) + self.rounding * (1 + abs(walk.value))
        for _ in range(self.trials):
            begin = walk.z.copy()
            begin[:n] = self.region.project(x + length * direction) if self.metric else x + length * direction
            moved = begin[:n] - x
            if not moved.any():
                break
            answer = self.reduced.answer(problem, begin, walk.accuracy * walk.lower_scale, walk.effort)
            upper = float(problem.upper(answer.z))
            value = upper - float(walk.adjoint @ answer.slope)
            noise = float(np.linalg.norm(walk.adjoint)) * answer.residual * COARSE
            finite, last = finite or bool(np.isfinite(value)), (answer, begin, upper)
            near = answer.solved or self.reduced.system == "unroll" or answer.residual <= walk.lower_scale * COARSE
            if near and value <= level + noise + self.armijo * float(walk.gradient @ moved):
                return answer, begin, upper
            length *= 0.5
        return None if finite else last

    def _directions(self, walk: Walk, x: np.ndarray) -> list[np.ndarray]:
        """What to try: L-BFGS where it has pairs, then the gradient."""
        g, largest = walk.gradient, float(np.abs(walk.gradient).max(initial=0.0))
        first = min(1.0, (1 + float(np.abs(x).max(initial=0.0))) / largest) if largest > 0 else 1.0
        step = walk.step or first
        plain = self.region.project(x - step * g) - x
        if not self.metric:
            return [plain]
        free = self._free(x, g)
        newton = self._bent(walk, g, free)
        return [plain] if newton is None else [newton, plain]

    def _free(self, x: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Coordinates that no bound holds against -g."""
        if not isinstance(self.region, Box):
            return np.ones(len(x), dtype=bool)
        return ~(((x <= self.region.lower) & (g > 0)) | ((x >= self.region.upper) & (g < 0)))

    def _bent(self, walk: Walk, g: np.ndarray, free: np.ndarray) -> np.ndarray | None:
        """-H g by the two loops, on the free coordinates; None without pairs or where it does not descend."""
        pairs = [(move * free, turn * free) for move, turn in zip(walk.moves, walk.turns, strict=True)]
        pairs = [(move, turn) for move, turn in pairs if move @ turn > CURVED * float(turn @ turn) > 0]
        if not pairs:
            return None
        q, weights = np.where(free, g, 0.0), []
        for move, turn in reversed(pairs):
            weights.append(float(move @ q) / float(move @ turn))
            q = q - weights[-1] * turn
        move, turn = pairs[-1]
        q = q * (float(move @ turn) / float(turn @ turn))
        for (move, turn), weight in zip(pairs, reversed(weights), strict=True):
            q = q + (weight - float(turn @ q) / float(move @ turn)) * move
        q = np.where(free, q, 0.0)
        return -q if float(q @ g) > 0 else None

    def _learn(self, walk: Walk, moved: np.ndarray, turn: np.ndarray) -> None:
        """The pair, and the next spectral step."""
        walk.moves, walk.turns = [*walk.moves, moved][-PAIRS:], [*walk.turns, turn][-PAIRS:]
        length, along = float(moved @ moved), float(moved @ turn)
        walk.bend = float(np.linalg.norm(turn)) / float(np.sqrt(length)) if length > 0 else 0.0
        if along > 0:
            walk.step = float(np.clip(length / along, *STEPS))
        else:
            walk.step = float(np.clip(10 * (walk.step or 1.0), *STEPS))
