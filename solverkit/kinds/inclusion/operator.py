"""The two halves of an inclusion, as methods see them: a monotone operator F and a maximally monotone G.

0 in F(u) + G(u),   F = (1 / n) sum_i F_i,   J_{s G} = (I + s G)^{-1}
"""

from __future__ import annotations

from inspect import getattr_static
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard, runtime_checkable

if TYPE_CHECKING:
    import numpy as np


@runtime_checkable
class Operator(Protocol):
    """A single-valued monotone F on R^N. NumPy arrays at this boundary, each result the caller's own."""

    @property
    def size(self) -> int:
        """N."""
        ...

    @property
    def count(self) -> int:
        """n, the number of components; 1 where F is not a sum."""
        ...

    @property
    def lipschitz(self) -> float | None:
        """A valid L with ||F(u) - F(v)|| <= L ||u - v||; None where none is known."""
        ...

    @property
    def cocoercive(self) -> bool:
        """Whether <F(u) - F(v), u - v> >= (1 / L) ||F(u) - F(v)||^2 is known to hold for some L."""
        ...

    @property
    def weights(self) -> np.ndarray | None:
        """(n,) probabilities q for sampling by importance, their sum 1; None for uniform ones."""
        ...

    @property
    def mean_lipschitz(self) -> float | None:
        """L_Q with E_{i ~ Q} ||F_i(u) - F_i(v)||^2 / (n q_i)^2 <= L_Q^2 ||u - v||^2; None where none is known."""
        ...

    def value(self, u: np.ndarray) -> np.ndarray:
        """F(u), (N,)."""
        ...

    def components(self, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """(1 / b) sum_{i in samples} F_i(u) / (n q_i), (N,): unbiased for samples drawn by `weights`."""
        ...

    def to(self, device: str, dtype: str) -> Operator:
        """The same operator with its arithmetic elsewhere; `self` where nothing changes."""
        ...

    def digest(self) -> str:
        """A hex sha256 of what is computed: part of the problem's fingerprint."""
        ...


@runtime_checkable
class Bilinear(Operator, Protocol):
    """F of  min_x max_y  c'x + x'A y - b'y:   F(x, y) = (c + A y, b - A'x),   u = (x, y).

    Methods that know this form use A directly: by the problem's counted oracles `forward` and `adjoint`, or by compiled
    kernels on `matrix`, which charge what they do. There are n = max(p, q) components: component i samples row i for
    the second half and column i for the first, where A has them; kernels may draw the two independently.
    """

    @property
    def matrix(self) -> Any:
        """A, (p, q): a C-ordered array or a csr_array."""
        ...

    @property
    def linear_x(self) -> np.ndarray:
        """c, (p,)."""
        ...

    @property
    def linear_y(self) -> np.ndarray:
        """b, (q,)."""
        ...


def is_bilinear(part: Operator) -> TypeGuard[Bilinear]:
    """Whether an operator has what `Bilinear` adds.

    isinstance would work every property out to see whether it is there: norms of rows, a spectral norm.
    """
    return all(getattr_static(part, name, None) is not None for name in ("matrix", "linear_x", "linear_y"))


class Resolvent(Protocol):
    """G by its resolvent. Steps are a positive number, or one for each coordinate where G is a product of blocks."""

    def __call__(self, u: np.ndarray, step: float | np.ndarray) -> np.ndarray:
        """J_{step G}(u), (N,): a new array."""
        ...

    def digest(self) -> str:
        """A text that is equal for equal G: part of the problem's fingerprint."""
        ...
