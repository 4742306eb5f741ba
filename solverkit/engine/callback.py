"""Callbacks with SciPy's two signatures: `callback(intermediate_result)` and `callback(x)`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from solverkit.kinds.base import Point, Problem


def flat(problem: Problem, point: Point) -> np.ndarray | None:
    """The point as one vector, a copy; None for kinds whose points are none."""
    if hasattr(problem, "flat"):
        try:
            return np.array(problem.flat(point))
        except (KeyError, ValueError):
            return None
    return np.array(point["x"]) if "x" in point else None


def objective(problem: Problem, point: Point) -> float:
    """The objective in float64, NaN where the kind has none or the problem's own function fails."""
    try:
        return float(problem.objective(point))
    except Exception:
        return float("nan")


def adapt(callback: Callable[..., Any], problem: Problem) -> Callable[..., None]:
    """One signature for both: SciPy tells them apart by the single parameter name `intermediate_result`."""
    try:
        named = set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):
        named = False

    def show(point: Point, nit: int, time: float, report: dict[str, float]) -> None:
        x = flat(problem, point)
        blocks = {name: np.array(block) for name, block in point.items()}
        if not named:
            callback(blocks if x is None else x)
            return
        fun = report["objective"] if "objective" in report else objective(problem, point)
        callback(
            intermediate_result=OptimizeResult(x=x, fun=fun, nit=nit, point=blocks, report=dict(report), time=time)
        )

    return show
