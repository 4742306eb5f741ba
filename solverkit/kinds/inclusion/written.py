"""Operators that are written down: F by an expression or a Python function, or by the payoff of a saddle problem.

    VectorOperator     F(u) = r(u),                               r : R^N -> R^N
    SaddleOperator     F(x, y) = (grad_x phi, -grad_y phi),       min_x max_y phi(x, y), phi convex-concave

An affine F is understood as such: its matrix says exactly whether F is monotone and cocoercive, and L.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, diags_array

if TYPE_CHECKING:
    from solverkit.expressions.function import Function
    from solverkit.kinds.inclusion.operator import Operator

DENSE = 400  # variables up to which eigenvalues of an affine operator are worked out
ROUNDING = 1e-10  # relative to the size of the matrix


@dataclass(frozen=True, eq=False)
class Written(ABC):
    """What both share. `declared` is the Lipschitz constant that the author gives."""

    function: Function
    declared: float | None = None

    count = 1
    weights = None
    mean_lipschitz = None

    @property
    def size(self) -> int:
        """N."""
        return self.function.inputs

    @property
    @abstractmethod
    def affine(self) -> bool:
        """Whether F is affine, as far as is proven."""

    @abstractmethod
    def value(self, u: np.ndarray) -> np.ndarray:
        """F(u), (N,)."""

    @abstractmethod
    def jacobian(self, u: np.ndarray) -> csr_array:
        """dF/du, sparse (N, N)."""

    def components(self, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """F(u): there is one component."""
        return self.value(u)

    @cached_property
    def spectrum(self) -> Spectrum | None:
        """Of an affine F with at most DENSE variables; None elsewhere."""
        return Spectrum.of(self.jacobian(np.zeros(self.size))) if self.affine and self.size <= DENSE else None

    @cached_property
    def lipschitz(self) -> float | None:
        """What the author gives, or the norm of an affine F's matrix."""
        if self.declared is not None or self.spectrum is None:
            return self.declared
        return self.spectrum.norm

    @cached_property
    def cocoercive(self) -> bool:
        """Proven for an affine F without a skew part where it matters; not known elsewhere."""
        return self.spectrum is not None and self.spectrum.cocoercive

    @abstractmethod
    def digest(self) -> str:
        """Of the function."""

    def to(self, device: str, dtype: str) -> Operator:
        """The same operator with its arithmetic elsewhere."""
        function = self.function.to(device, dtype)
        return self if function is self.function else replace(self, function=function)


@dataclass(frozen=True, eq=False)
class VectorOperator(Written):
    """F(u) = r(u)."""

    @property
    def affine(self) -> bool:
        return self.function.degree in (0, 1)

    def value(self, u: np.ndarray) -> np.ndarray:
        return self.function.value(u)

    def jacobian(self, u: np.ndarray) -> csr_array:
        return self.function.jacobian(u)

    def digest(self) -> str:
        return f"operator {self.function.digest()}"


@dataclass(frozen=True, eq=False)
class SaddleOperator(Written):
    """F(x, y) = (grad_x phi, -grad_y phi); `function` is phi, `sign` is 1 on x and -1 on y."""

    sign: Any = None  # (N,)

    @property
    def affine(self) -> bool:
        return self.function.degree in (0, 1, 2)

    def payoff(self, u: np.ndarray) -> float:
        """phi(x, y)."""
        return float(self.function.value(u)[0])

    def value(self, u: np.ndarray) -> np.ndarray:
        return self.sign * self.function.gradient(u)

    def jacobian(self, u: np.ndarray) -> csr_array:
        return csr_array(diags_array(self.sign) @ self.function.hessian(u, np.ones(1)))

    def digest(self) -> str:
        first = int((self.sign > 0).sum())
        return f"saddle {first} {self.function.digest()}"


@dataclass(frozen=True)
class Spectrum:
    """What the matrix J of an affine operator proves.

    F is monotone if and only if S = (J + J') / 2 has no negative eigenvalue; it is cocoercive if and only if it is
    monotone and J d = 0 wherever S d = 0, since then <J d, d> >= (1 / L) ||J d||^2 for a large enough L.
    """

    least: float  # least eigenvalue of S
    norm: float  # ||J||_2
    cocoercive: bool

    @classmethod
    def of(cls, jacobian: Any) -> Spectrum:
        """Of a sparse or dense square matrix."""
        J = jacobian.toarray() if hasattr(jacobian, "toarray") else np.asarray(jacobian)
        norm = float(np.linalg.norm(J, 2)) if J.size else 0.0
        values, vectors = np.linalg.eigh((J + J.T) / 2)
        flat = vectors[:, values <= ROUNDING * norm]
        still = float(np.abs(J @ flat).max(initial=0.0)) <= np.sqrt(ROUNDING) * norm
        least = float(values.min(initial=0.0))
        return cls(least, norm, least >= -ROUNDING * norm and still)

    @property
    def monotone(self) -> bool:
        return self.least >= -ROUNDING * self.norm
