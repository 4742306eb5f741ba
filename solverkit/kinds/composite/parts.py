"""The parts of a composite objective, as methods see them.

    Psi(x) = f(x) + h(x) + chi(x),   f smooth,   h(x) = g(K x) or known by subgradients,   chi simple

NumPy arrays at this boundary, each result the caller's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np

    from solverkit.operators.proximal import ProximalMap

Geometry = Literal["euclidean", "entropy"]


@runtime_checkable
class Smooth(Protocol):
    """A convex f on R^n with a Lipschitz gradient; perhaps a mean over samples."""

    size: int  # n
    count: int  # terms of the mean; 1 where f is not one
    quadratic: bool  # whether f is proven quadratic

    @property
    def lipschitz(self) -> float | None:
        """A valid L of the gradient in the Euclidean norm; None where none is known."""
        ...

    def value(self, x: np.ndarray) -> float:
        """f(x)."""
        ...

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """grad f(x), (n,)."""
        ...

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Both, for less than twice the work."""
        ...

    def batch_gradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """The mean of the gradients of some terms, by index, (n,)."""
        ...

    def to(self, device: str, dtype: str) -> Smooth:
        """The same function with its arithmetic elsewhere; `self` where nothing changes."""
        ...

    def digest(self) -> str:
        """A hex sha256 of what is computed: part of the problem's fingerprint."""
        ...


@runtime_checkable
class Structured(Protocol):
    """h(x) = g(K x) = max_y <K x, y> - g*(y), g closed convex with a cheap proximal map."""

    size: int  # n
    rows: int  # m
    outer: ProximalMap  # g, on R^m
    diameter: float  # D_Y = max over dom g* of ||y||^2 / 2, infinite where dom g* is unbounded

    def forward(self, x: np.ndarray) -> np.ndarray:
        """K x, (m,)."""
        ...

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """K'y, (n,)."""
        ...

    def to(self, device: str, dtype: str) -> Structured:
        """The same K with its arithmetic elsewhere; `self` where nothing changes."""
        ...

    def digest(self) -> str:
        """A hex sha256 of K and g."""
        ...


@runtime_checkable
class Nonsmooth(Protocol):
    """A convex h known by its values and subgradients alone; perhaps a mean over samples."""

    size: int
    count: int

    @property
    def lipschitz(self) -> float | None:
        """M with ||h'(x)|| <= M, where known."""
        ...

    def value(self, x: np.ndarray) -> float:
        """h(x)."""
        ...

    def subgradient(self, x: np.ndarray) -> np.ndarray:
        """One of its subgradients, (n,)."""
        ...

    def batch_subgradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """The mean of subgradients of some terms, (n,)."""
        ...

    def digest(self) -> str:
        """A hex sha256 of what is computed."""
        ...


@runtime_checkable
class Simple(Protocol):
    """chi, with the indicator of the set X in it: strongly convex in its geometry, V(v, u) >= ||u - v||^2 / 2.

    V(v, u) is ||u - v||^2 / 2, or sum u log(u / v) on the simplex.
    """

    size: int
    geometry: Geometry
    strong: float  # mu >= 0: chi - mu V(v, .) is convex for every v of the domain

    def value(self, x: np.ndarray) -> float:
        """chi(x); infinite outside of X beyond rounding."""
        ...

    def violation(self, x: np.ndarray) -> float:
        """How far x breaks the inequalities of X."""
        ...

    def step(self, g: np.ndarray, centre: np.ndarray, weight: float) -> np.ndarray:
        """argmin_u <g, u> + chi(u) + weight V(centre, u), (n,); weight > 0, or >= 0 where mu > 0 or X is bounded."""
        ...

    def lowest(self, g: np.ndarray) -> float:
        """min_u <g, u> + chi(u), minus infinity where it has no bound."""
        ...

    def between(self, v: np.ndarray, a: float, w: np.ndarray, b: float) -> np.ndarray:
        """The centre c with a V(v, u) + b V(w, u) = (a + b) V(c, u) + constant: a mean, geometric for the entropy."""
        ...

    def distance(self, v: np.ndarray, u: np.ndarray) -> float:
        """V(v, u)."""
        ...

    def digest(self) -> str:
        """A text that is equal for equal chi."""
        ...
