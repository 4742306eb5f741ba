"""What a gradient of f and a product with K cost here, and whether sliding pays.

Sliding takes few gradients and many products, a primal-dual method one gradient and one pair of products an iteration.
Sliding is ahead where a gradient costs more than `BREAK_EVEN` pairs. Medians of three calls on the counted oracles: the
sentence goes to the log, and nothing but `composite-auto` acts on it. Clocks differ from run to run, so the decision of
`composite-auto` is kept in its state and a resumed run does not measure again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np

from solverkit.kinds.composite.problem import Composite

BREAK_EVEN = 10.0
"""Gradient of f over a pair of products, chi's step and g's included, above which sliding pays."""

CALLS = 3


@dataclass(frozen=True)
class Costs:
    """Seconds."""

    gradient: float  # of f
    pair: float  # K, K', and the steps of g and chi that go with them

    @property
    def ratio(self) -> float:
        """Gradients are so much dearer."""
        return self.gradient / max(self.pair, 1e-9)


def measured(problem: Composite, x: np.ndarray, gradient: float | None = None) -> Costs:
    """By CALLS calls each, after one that warms up the pair; `gradient`: seconds of one that was taken anyway."""
    assert problem.structured is not None

    def pair() -> None:
        y = problem.dual_prox(problem.forward(x), 1.0)
        problem.simple_step(problem.adjoint(y), x, 1.0)

    pair()
    return Costs(_seconds(lambda: problem.smooth_gradient(x)) if gradient is None else gradient, _seconds(pair))


def sentence(costs: Costs, break_even: float = BREAK_EVEN) -> str:
    """What to say of it."""
    pays = costs.ratio >= break_even
    return (
        f"gradient of f {costs.gradient:.2g} s, a pair of products {costs.pair:.2g} s, ratio {costs.ratio:.2g}: "
        f"sliding {'pays' if pays else 'does not pay'} here (it does from {break_even:g} up)"
        + ("" if pays else "; condat-vu is the better choice")
    )


def _seconds(call: Callable[[], object]) -> float:
    taken = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return median(taken)
