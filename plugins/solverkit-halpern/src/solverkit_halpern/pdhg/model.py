"""What the primal-dual iteration asks of a problem, whatever its form.

    min_x max_y  f(x) + x'A y - g(y),      x (p,), y (q,)

| here | meaning |
|---|---|
| prox_x(v, tau) | prox of tau f at v, linear terms included |
| prox_y(v, sigma) | prox of sigma g at v |
| forward, adjoint | A y and A'x: one product each |
| assess | merit of T(z) and whether the run is done, from products that are at hand |
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from solverkit.kinds.base import Point
from solverkit_halpern.pdhg.state import PdhgState


class Model(Protocol):
    """One form of problem, in the coordinates that the iteration works in."""

    shape: tuple[int, int]  # (p, q)
    check: int  # iterations between assessments where the options do not say
    longest: float  # the share of all iterations at which an epoch ends, likewise

    def prox_x(self, v: np.ndarray, tau: float) -> np.ndarray: ...

    def prox_y(self, v: np.ndarray, sigma: float) -> np.ndarray: ...

    def prepare(self, state: PdhgState) -> None:
        """Called before each iteration: the place to change how products are made."""
        ...

    def start(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(x, y) in the model's coordinates, of the problem's u."""
        ...

    def forward(self, y: np.ndarray) -> np.ndarray: ...

    def adjoint(self, x: np.ndarray) -> np.ndarray: ...

    def assess(self, state: PdhgState) -> None:
        """Set `merit`, and `done` where the certificate's own test holds for the answer."""
        ...

    def observe(self, state: PdhgState) -> None:
        """Look at T(z) after each iteration: what costs next to nothing."""
        ...

    def norm(self, state: PdhgState, faces: bool) -> tuple[float, np.ndarray]:
        """The norm to step by, and the vector that shows it; on the current faces where asked and known."""
        ...

    def answer(self, state: PdhgState) -> Point: ...
