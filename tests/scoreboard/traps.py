"""Problems on which a method may claim an answer that is none, as arguments of `scipy.optimize.minimize`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

NEAR = 1e-2  # of an answer, relative in each coordinate
FLAT = 1e-6  # f above its value at an answer close by, relative: as good as the answer, however far


@dataclass(frozen=True)
class Trap:
    """`answers`: all local minimizers, empty where there is none. `near`: what is further away, relative, is wrong."""

    name: str
    fun: Callable
    x0: Sequence[float]
    jac: Callable | None = None
    constraints: tuple[Any, ...] = ()
    answers: tuple[Sequence[float], ...] = ()
    near: float = NEAR

    def right(self, x: np.ndarray) -> bool:
        """Whether x is near an answer, or without constraints one where f is as low as there to FLAT."""
        x = np.atleast_1d(np.asarray(x, dtype=float))
        if not np.isfinite(x).all():
            return False
        for answer in map(np.asarray, self.answers):
            if (np.abs(x - answer) <= self.near * (1 + np.abs(answer))).all():
                return True
            low = self.fun(answer)
            if not self.constraints and np.abs(x - answer).max() <= 1 and self.fun(x) <= low + FLAT * (1 + abs(low)):
                return True
        return False


def _row(fun: Callable, jac: Callable) -> dict[str, Any]:
    return {"type": "ineq", "fun": fun, "jac": jac}


def traps() -> list[Trap]:
    """In the order of the page; those with a state are new at each call."""

    def bowl(x):
        return float((x - 1) @ (x - 1) + 1)

    def slope(x):
        return 2 * (x - 1)

    first: list[np.ndarray] = []

    def stale(x):
        if not first:
            first.append(slope(x))
        return first[0].copy()

    noise = np.random.default_rng(0)
    scale = np.array([1e8, 1.0])
    bowls = {"answers": ([1.0, 1.0],)}
    return [
        Trap("f is NaN everywhere", lambda x: np.nan, [1.0, 2.0], lambda x: np.full(2, np.nan)),
        Trap(
            "NaN beside the minimum",
            lambda x: float(x[0] ** 2) if x[0] >= 0.5 else np.nan,
            [2.0],
            lambda x: 2 * x if x[0] >= 0.5 else np.full(1, np.nan),
            answers=([0.5],),
        ),
        Trap("gradient of wrong sign", bowl, [3.0, 1.0], lambda x: -slope(x), **bowls),
        Trap("gradient is zero", bowl, [3.0, 1.0], lambda x: np.zeros(2), **bowls),
        Trap("gradient is stale", bowl, [3.0, 1.0], stale, **bowls),
        Trap("factor 2 missing in the gradient", bowl, [3.0, 0.0], lambda x: slope(x) / 2, **bowls),
        Trap(
            "unbounded",
            lambda x: float(x[0] ** 3 + x[1] ** 2),
            [1.0, 1.0],
            lambda x: np.array([3 * x[0] ** 2, 2 * x[1]]),
        ),
        Trap("unbounded, linear", lambda x: float(-x[0] - x[1]), [1.0, 1.0], lambda x: -np.ones(2)),
        Trap(
            "infeasible rows",
            lambda x: float(x @ x),
            [0.5, 0.5],
            lambda x: 2 * x,
            (
                _row(lambda x: x[0] + x[1] - 2, lambda x: np.ones(2)),
                _row(lambda x: 1 - x[0] - x[1], lambda x: -np.ones(2)),
            ),
        ),
        Trap(
            "infeasible, curved",
            lambda x: float(x[0]),
            [0.5, 0.5],
            lambda x: np.array([1.0, 0.0]),
            (_row(lambda x: -1 - x @ x, lambda x: -2 * x),),
        ),
        Trap(
            "badly scaled",
            lambda x: float(scale @ (x - 1) ** 2),
            [3.0, 3.0],
            lambda x: 2 * scale * (x - 1),
            answers=([1.0, 1.0],),
        ),
        Trap(
            "f times 1e-10",
            lambda x: 1e-10 * bowl(x),
            [3.0, 0.0],
            lambda x: 1e-10 * slope(x),
            answers=([1.0, 1.0],),
        ),
        Trap(
            "no multiplier exists",
            lambda x: float(-x[0]),
            [0.2, 0.2],
            lambda x: np.array([-1.0, 0.0]),
            (
                _row(lambda x: (1 - x[0]) ** 3 - x[1], lambda x: np.array([-3 * (1 - x[0]) ** 2, -1.0])),
                _row(lambda x: x[1], lambda x: np.array([0.0, 1.0])),
            ),
            answers=([1.0, 0.0],),
        ),
        Trap(
            "noise in f",
            lambda x: bowl(x) + 1e-3 * noise.standard_normal(),
            [3.0, 0.0],
            slope,
            answers=([1.0, 1.0],),
            near=0.1,
        ),
        Trap(
            "kink",
            lambda x: float(np.abs(x[0] - x[1]) + 0.1 * (x @ x)),
            [3.0, 1.0],
            lambda x: np.sign(x[0] - x[1]) * np.array([1.0, -1.0]) + 0.2 * x,
            answers=([0.0, 0.0],),
        ),
        Trap(
            "starts at a saddle",
            lambda x: float(x[0] ** 2 - x[1] ** 2 + x[1] ** 4),
            [0.0, 0.0],
            lambda x: np.array([2 * x[0], -2 * x[1] + 4 * x[1] ** 3]),
            answers=([0.0, 0.5**0.5], [0.0, -(0.5**0.5)]),
        ),
        Trap(
            "starts at a maximum",
            lambda x: float((x[0] ** 2 - 1) ** 2),
            [0.0],
            lambda x: 4 * x * (x**2 - 1),
            answers=([1.0], [-1.0]),
        ),
        Trap(
            "flat valley",
            lambda x: float(x[0] ** 4 + 1e-3 * (x[1] - 1) ** 2),
            [2.0, 3.0],
            lambda x: np.array([4 * x[0] ** 3, 2e-3 * (x[1] - 1)]),
            answers=([0.0, 1.0],),
        ),
    ]
