"""Tsallis-INF with alpha = 1/2 (Zimmert & Seldin 2021), as Khodak et al. (ICLR 2024) use it for relaxation factors.

    p_i = 4 / (eta_t (K_i / s - x))^2,   x < min K / s the root of sum p = 1
    draw i ~ p, pay loss,   K_i += estimate of the loss of i

| here | paper | meaning |
|---|---|---|
| losses | K | cumulative estimated losses, (arms,) |
| scale | s | running mean of the losses, 1 before the first: unit of K |
| floor | 1 | least cost there is; what is learnt from is cost - floor |
| iw | IW, eta_t = 2 / sqrt(t) | importance weighting: K_i += loss / p_i |
| rv | RV, eta_t = 4 / sqrt(t) | reduced variance: all K_j += B_j, then K_i += (loss - B_i) / p_i |
| baseline | B | s / 2 where p_j >= eta_t^2, else 0 |

The paper scales losses by the worst iteration count. The authors' code divides by the running mean instead, which
needs no bound and learns faster by the ratio of the two; so does this file. K stays in the units of the cost: a
change of s moves no history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from solverkit.errors import UsageError
from solverkit.kernels import njit
from solverkit_sor.learners.base import Learner, State, draw, restored

NEWTON_STEPS = 15


@njit(cache=True)
def tsallis_probabilities(losses: np.ndarray, eta: float) -> tuple[np.ndarray, int]:
    """Probabilities for scaled cumulative losses (d,), and the Newton steps taken. O(d) a step.

    With g = eta (K - min K) / 2 and u = eta (min K - x) / 2 the condition is f(u) = sum (g + u)^-2 - 1 = 0. f is convex
    and decreasing with f(1) >= 0, so Newton from u = 1 climbs to the root in [1, sqrt(d)] and never overshoots,
    which the start x = -1 of the authors' code can.
    """
    gaps = 0.5 * eta * (losses - losses.min())
    p = np.empty_like(gaps)
    u, steps = 1.0, 0
    while True:
        total, slope = 0.0, 0.0
        for i in range(gaps.size):
            root = 1.0 / (gaps[i] + u)
            p[i] = root * root
            total += p[i]
            slope += 2.0 * p[i] * root
        if total - 1.0 < 1e-13 or steps == NEWTON_STEPS:
            break
        u += (total - 1.0) / slope
        steps += 1
    return p / total, steps


class TsallisINF(Learner):
    """Best of both worlds: O(sqrt(d T)) regret against an adversary, O(log T) where one arm is best on average."""

    def __init__(
        self,
        arms: int,
        estimator: Literal["iw", "rv"] = "iw",
        floor: float = 0.0,
        exploration: float = 0.0,
    ) -> None:
        """`floor`: the least cost a round can have; 1 for iteration counts (the paper's loss - 1).
        `exploration`: the estimators divide by max(p, exploration / arms), which bounds a single estimate at the
        price of a bias towards arms that were never tried. 0: the paper's."""
        super().__init__(arms)
        if estimator not in ("iw", "rv"):
            raise UsageError(f"estimator {estimator!r} of Tsallis-INF: 'iw' or 'rv'")
        self.estimator, self.floor, self.exploration = estimator, floor, exploration
        self.losses = np.zeros(arms)
        self.total = 0.0
        self.rounds = 0
        self._law: np.ndarray | None = None

    @property
    def eta(self) -> float:
        """Learning rate of the coming round."""
        return (2.0 if self.estimator == "iw" else 4.0) / np.sqrt(self.rounds + 1.0)

    @property
    def scale(self) -> float:
        """s, the mean loss so far. 1 before the first round, and where every loss was 0."""
        return self.total / self.rounds if self.total > 0 else 1.0

    def probabilities(self, context: Any = None) -> np.ndarray:
        if self._law is None:
            self._law = tsallis_probabilities(self.losses / self.scale, self.eta)[0]
        return self._law

    def choose(self, context: Any, rng: np.random.Generator) -> int:
        return draw(self.probabilities(), rng)

    def update(self, arm: int, context: Any, cost: float) -> None:
        loss = max(self.checked(arm, cost) - self.floor, 0.0)
        law = self.probabilities()
        weight = 1.0 / max(law[arm], self.exploration / self.arms)
        if self.estimator == "iw":
            self.losses[arm] += loss * weight
        else:
            baseline = np.where(law >= self.eta**2, 0.5 * self.scale, 0.0)
            self.losses += baseline
            self.losses[arm] += (loss - baseline[arm]) * weight
        self.total += loss
        self.rounds += 1
        self._law = None

    def state(self) -> State:
        return {"losses": self.losses.copy(), "total": self.total, "rounds": self.rounds}

    def load(self, state: Mapping[str, Any]) -> None:
        self.losses = restored(state, "losses", (self.arms,))
        self.total = float(restored(state, "total", ()))
        self.rounds = int(restored(state, "rounds", ()))
        self._law = None
