"""Best penalized fits of one variable on a set of others, remembered by variable and set.

    least squares   min_w (1/2) (S_uu - 2 S_u.'w + w'Sw) + l1 |w|_1
    logistic        min_w mean(log(1 + exp(z)) - x_u z) + l1 |w|_1,   z = X w

The logistic fit takes Newton steps with the penalty kept exact (one `lasso` each), from the last weights of the
variable and with its last Hessian X' diag(p (1 - p)) X / n, which is drawn anew only where a step with it is refused or
slow; a step that six halvings do not save falls back on X'X / 4, which bounds every Hessian, so that its step descends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from scipy.special import expit

from solverkit.kinds.dag.problem import Dag
from solverkit.kinds.dag.scores import samples
from solverkit_dag.kernels.lasso import lasso

KEPT = 300_000  # fits that are remembered
ACCURACY = 1e-9  # of the logistic fit: largest (sub)gradient
STEPS = 200
HALVINGS = 6


class Fits(ABC):
    """Fits of the variables of one problem."""

    def __init__(self, d: int, l1: float, forbidden: np.ndarray) -> None:
        self.allowed, self.l1 = ~forbidden, l1
        self.made = 0  # fits that were not remembered
        self._last = np.zeros((d, d))  # row u: the last weights of u
        self._held: dict[tuple[int, bytes], float] = {}

    def value(self, u: int, inside: np.ndarray) -> float:
        """The score of variable u with the parents `inside`, (d,) bool, less those that are forbidden."""
        key = (u, np.packbits(inside).tobytes())
        found = self._held.get(key)
        if found is None:
            if len(self._held) >= KEPT:
                self._held.clear()
            self.made += 1
            found = self._held[key] = self.fit(u, inside & self.allowed[:, u], self._last[u])
        return found

    def cold(self, u: int, inside: np.ndarray) -> tuple[float, np.ndarray]:
        """That score and its weights, (d,), to the last bit the same whatever was fitted before."""
        w = np.zeros(len(inside))
        return self.fit(u, inside & self.allowed[:, u], w), w

    @abstractmethod
    def fit(self, u: int, inside: np.ndarray, w: np.ndarray) -> float:
        """The score; w (d,) is the start and becomes the weights."""

    @abstractmethod
    def slope(self, W: np.ndarray) -> np.ndarray:
        """Gradient of the smooth part of all scores at once, (d, d)."""


class LeastSquares(Fits):
    """From the Gram matrix."""

    def __init__(self, gram: np.ndarray, l1: float, forbidden: np.ndarray) -> None:
        super().__init__(len(gram), l1, forbidden)
        self.gram = gram

    def fit(self, u: int, inside: np.ndarray, w: np.ndarray) -> float:
        """Exact to rounding."""
        return 0.5 * float(self.gram[u, u]) + float(lasso(self.gram, self.gram[u], inside, self.l1, w))

    def slope(self, W: np.ndarray) -> np.ndarray:
        """-S (I - W)."""
        product: np.ndarray = self.gram @ W - self.gram
        return product


class Logistic(Fits):
    """From samples in {0, 1}."""

    def __init__(self, X: np.ndarray, l1: float, forbidden: np.ndarray) -> None:
        super().__init__(X.shape[1], l1, forbidden)
        self.X, self.n = X, len(X)
        self.bound = X.T @ X / (4 * self.n)
        self._hessian: dict[int, np.ndarray] = {}

    def cold(self, u: int, inside: np.ndarray) -> tuple[float, np.ndarray]:
        """Without the last Hessian as well."""
        self._hessian.pop(u, None)
        return super().cold(u, inside)

    def fit(self, u: int, inside: np.ndarray, w: np.ndarray) -> float:
        """Newton's method on the smooth part; the value at the last accepted w."""
        w[~inside] = 0.0
        value, slope, p = self._at(u, w)
        residual = self._residual(slope, w, inside)
        for _ in range(STEPS):
            if residual <= ACCURACY:
                break
            hessian = self._hessian.get(u)
            taken = None if hessian is None else self._try(u, w, slope, inside, hessian, value)
            if taken is None or taken[4] > 0.2 * residual:
                hessian = self._hessian[u] = (self.X * (p * (1 - p))[:, None]).T @ self.X / self.n
                taken = self._try(u, w, slope, inside, hessian, value) or taken
            if taken is None:
                taken = self._try(u, w, slope, inside, self.bound, value)
            if taken is None:  # to rounding
                break
            w[:], value, slope, p, residual = taken
        return value

    def slope(self, W: np.ndarray) -> np.ndarray:
        """X'(sigma(XW) - X) / n."""
        product: np.ndarray = self.X.T @ (expit(self.X @ W) - self.X) / self.n
        return product

    def _try(
        self, u: int, w: np.ndarray, slope: np.ndarray, inside: np.ndarray, hessian: np.ndarray, value: float
    ) -> tuple[np.ndarray, float, np.ndarray, np.ndarray, float] | None:
        """The step of a quadratic model, halved until it descends, and what is there; None where it does not."""
        fresh = w.copy()
        lasso(hessian, hessian @ w - slope, inside, self.l1, fresh)
        for _ in range(HALVINGS):
            reached, gradient, p = self._at(u, fresh)
            if reached < value:
                return fresh, reached, gradient, p, self._residual(gradient, fresh, inside)
            fresh = w + 0.5 * (fresh - w)
        return None

    def _at(self, u: int, w: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        z, y = self.X @ w, self.X[:, u]
        p = expit(z)
        value = float((np.logaddexp(0.0, z) - y * z).mean()) + self.l1 * float(np.abs(w).sum())
        return value, self.X.T @ (p - y) / self.n, p

    def _residual(self, slope: np.ndarray, w: np.ndarray, inside: np.ndarray) -> float:
        excess = np.where(w != 0, np.abs(slope + self.l1 * np.sign(w)), np.maximum(np.abs(slope) - self.l1, 0.0))
        return float(excess[inside].max(initial=0.0))


def make_fits(problem: Dag, gram: np.ndarray) -> Fits:
    """Those of a problem's score."""
    if problem.score == "logistic":
        return Logistic(np.ascontiguousarray(samples(problem), dtype=float), problem.l1, problem.known.forbidden)
    return LeastSquares(gram, problem.l1, problem.known.forbidden)
