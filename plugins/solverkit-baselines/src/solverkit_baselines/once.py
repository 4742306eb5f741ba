"""Oracles that remember what they said at their latest points, so that a tool which asks twice is charged once."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np

from solverkit.kinds.base import Problem

P = TypeVar("P", bound=Problem)

KEPT = 3  # a point and the two beside it that central differences ask for


class Once(Generic[P]):
    """The oracles of one problem, with what each said at its latest points."""

    def __init__(self, problem: P) -> None:
        self.problem = problem
        self._known: dict[str, dict[bytes, Any]] = {}

    def __call__(self, oracle: str, *arguments: np.ndarray | np.floating) -> Any:
        """problem.oracle(*arguments), computed where it is not remembered."""
        known = self._known.setdefault(oracle, {})
        key = b"".join(argument.tobytes() for argument in arguments)
        if key not in known:
            value = getattr(self.problem, oracle)(*arguments)
            if len(known) == KEPT:
                del known[next(iter(known))]
            known[key] = value
        return known[key]
