"""DAGMA (Bello, Aragam and Ravikumar, NeurIPS 2022, arXiv 2209.08037), linear, as the package `dagma` has it.

    min_W  mu_k ((1/2) tr((I - W)'S(I - W)) + lambda1 |W|_1) + h_s(W),   h_s = -log det(sI - W * W) + d log s

for a falling sequence mu_k, by Adam. The answer is thresholded; where cycles are left, its least weights go until there
are none. Limits are looked at every hundred iterations.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import numpy as np

from solverkit.engine.solver import Context, Observe, OneShotSolver
from solverkit.kinds.base import Point
from solverkit.kinds.dag.problem import Dag
from solverkit.kinds.dag.scores import samples
from solverkit_baselines.dag.answers import as_point, unproven, without_cycles, without_knowledge
from solverkit_baselines.dag.options import DagmaOptions

BETWEEN = 100
"""Iterations between looks at the limits."""


class Dagma(OneShotSolver[Dag]):
    """DAGMA with the least squares loss."""

    Options = DagmaOptions

    def solve(self, problem: Dag, start: Point, ctx: Context, observe: Observe) -> Point:
        without_knowledge(problem, "dagma")
        observe(start)
        W = self._fit(np.array(samples(problem)), start, ctx, observe)
        raise unproven("dagma", as_point(problem, without_cycles(W), self.options.refit))

    def _fit(self, X: np.ndarray, start: Point, ctx: Context, observe: Observe) -> np.ndarray:
        """Its W, thresholded; X is centred in place by the package."""
        from dagma import linear

        options = self.options
        bar, linear.tqdm = linear.tqdm, lambda **_: _Ticks(start, ctx, observe)
        try:
            found: np.ndarray = linear.DagmaLinear(loss_type="l2").fit(
                X,
                lambda1=options.lambda1,
                w_threshold=options.w_threshold,
                T=options.stages,
                s=[1.0, 0.9, 0.8, 0.7, 0.6],
                warm_iter=options.warm_iterations,
                max_iter=options.last_iterations,
                lr=options.learning_rate,
            )
        finally:
            linear.tqdm = bar
        return np.asarray(found, dtype=float)


class _Ticks:
    """Stands where the package puts its progress bar: counts, and looks at the limits."""

    def __init__(self, start: Point, ctx: Context, observe: Observe) -> None:
        self._start, self._ctx, self._observe, self._count = start, ctx, observe, 0

    def __enter__(self) -> _Ticks:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def update(self, steps: Any = 1) -> None:
        """One iteration; the package skips ahead at the end of a stage, which is no work."""
        self._count += 1
        if self._count % BETWEEN == 0:
            self._ctx.charge("njev", BETWEEN)
            self._observe(self._start)
