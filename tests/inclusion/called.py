"""Operators by a plain function, which remember where they were asked; nothing is known of them but what is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from solverkit.kinds.inclusion import Inclusion, inclusion

MANY = 41  # variables from which on no Jacobian is formed by differences


class Asked:
    """F, with `asked`, the points where it was evaluated. Further attributes as given: payoff, sign, components, ..."""

    lipschitz = mean_lipschitz = weights = None
    cocoercive = False
    count = 1

    def __init__(self, function: Callable[[np.ndarray], np.ndarray], size: int, **given: Any) -> None:
        self.function, self.size = function, size
        self.asked: list[np.ndarray] = []
        for name, value in given.items():
            setattr(self, name, value)

    def value(self, u: np.ndarray) -> np.ndarray:
        self.asked.append(u.copy())
        return np.asarray(self.function(u), dtype=float)

    def to(self, device: str, dtype: str) -> Asked:
        return self

    def digest(self) -> str:
        return "asked"


def called(
    function: Callable[[np.ndarray], np.ndarray],
    size: int,
    variables: Mapping[str, Any] | None = None,
    sets: Mapping[str, Any] | None = None,
    monotone: bool = True,
    **given: Any,
) -> Inclusion:
    """The inclusion of one block `u`, or of `variables`."""
    blocks = variables or {"u": {"shape": size}}
    frame = inclusion({name: f"0*{name}" for name in blocks}, blocks, sets=sets)
    return replace(frame, part=Asked(function, size, **given), monotone=monotone)
