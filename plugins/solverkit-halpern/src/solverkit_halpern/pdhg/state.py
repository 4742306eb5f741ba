"""The state of the primal-dual iteration: three points with their products, and the scalars that steer it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Pair:
    """A point z = (x, y) with its two products, so that combinations of points cost no product."""

    x: np.ndarray  # (p,)
    y: np.ndarray  # (q,)
    adjoint: np.ndarray  # (q,) A'x
    forward: np.ndarray  # (p,) A y


@dataclass
class PdhgState:
    """What a run needs to go on; everything else is rebuilt from problem and options."""

    current: Pair  # z_k
    anchor: Pair  # z_0
    image: Pair  # T(z_k), the answer
    norm: float  # of the operator, on the tangents in centred games
    step: float  # sqrt(tau sigma)
    weight: float  # omega
    vector: np.ndarray  # (q,) where the next norm begins
    tol: float
    memory: float = 0.0  # of the control of omega
    inner: int = 0  # k, iterations since the anchor
    total: int = 0
    first: float = -1.0  # residual at the anchor, negative before it is known
    last: float = np.inf  # residual at the check before
    residual: float = np.inf
    merit: float = np.inf
    restarts: int = 0
    cautious: int = 0  # restarts that are still to use the norm on the whole space
    best_x: np.ndarray | None = None  # games: the strategy with the least max(A'x) so far
    best_y: np.ndarray | None = None
    upper: float = np.inf  # its max(A'x)
    lower: float = -np.inf
    done: bool = False
    asked: float = np.inf  # residual at which the certificate was asked last
    checked: int = 0  # iterations at the latest check in double precision
    ray_x: np.ndarray | None = None  # linear programs: what the differences of iterates prove
    ray_y: np.ndarray | None = None
    verdict: str = ""  # infeasible or unbounded, with a ray
    blocks: dict[str, np.ndarray] = field(default_factory=dict)  # the answer in the words of the problem
