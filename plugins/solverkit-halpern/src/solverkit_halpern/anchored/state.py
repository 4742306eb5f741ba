"""The state of an anchored iteration."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class AnchoredState:
    """What a run needs to go on."""

    u: np.ndarray  # (N,) u_k
    anchor: np.ndarray  # (N,) u_0
    image: np.ndarray  # (N,) the answer: the latest forward-backward point
    step: float  # eta
    tol: float
    value: np.ndarray  # (N,) F(u_k)
    cocoercive: bool  # which iteration
    weights: np.ndarray = field(default_factory=lambda: np.ones(1))  # of the blocks' steps
    inner: int = 0  # k, since the anchor
    total: int = 0
    first: float = -1.0  # residual at the anchor
    last: float = np.inf
    merit: float = np.inf  # ||u - J(u - eta F(u))||_inf / eta
    asked: float = np.inf
    restarts: int = 0
    done: bool = False
    blocks: dict[str, np.ndarray] = field(default_factory=dict)  # the image by blocks
