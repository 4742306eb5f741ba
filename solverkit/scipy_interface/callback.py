"""SciPy's callbacks, of which there are three: `callback(x)`, `callback(intermediate_result)`, `callback(x, state)`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from scipy.optimize import OptimizeResult


def with_state(callback: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """The callback in one of the engine's two signatures.

    The third one is that of SciPy's trust-constr: `state` is what `intermediate_result` is, and its `niter` its `nit`.
    A callback that returns True ends the run, as it does there.

    Raises nothing: what is no function of one or two arguments fails when it is called, as in SciPy.
    """
    if callback is None:
        return None
    try:
        names = [p.name for p in inspect.signature(callback).parameters.values() if p.default is p.empty]
    except (TypeError, ValueError):  # compiled functions have no signature
        names = ["x"]
    if len(names) == 2:

        def both(intermediate_result: OptimizeResult) -> None:
            intermediate_result.niter = intermediate_result.nit
            _stop(callback(intermediate_result.x, intermediate_result))

        return both
    if names == ["intermediate_result"]:

        def named(intermediate_result: OptimizeResult) -> None:
            _stop(callback(intermediate_result=intermediate_result))

        return named
    return lambda x: _stop(callback(x))


def _stop(answer: Any) -> None:
    if answer is True:
        raise StopIteration
