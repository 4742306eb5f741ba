"""What can be wrong with a derivative of a solution, and the words for it.

The implicit function theorem needs F(y, theta) = 0, F differentiable there, and dF/dy invertible. Each is looked at:

| condition | how | told by |
|---|---|---|
| F = 0 | ||F|| <= accuracy (1 + ||A y||) for each sample | InaccurateSolution |
| differentiable | second differences vanish with their step, along a random direction | NotDifferentiable |
| A invertible | the linear solver's residual, and the condition of A where A is formed | SingularJacobian |

A derivative at a point off by d is off by a multiple of d (Blondel et al. 2022, Theorem 1). Where y is not accurate the
multiple is estimated: the derivative is taken again one Newton step further, and the warning says by how much it moved.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch

from solverkit.errors import SolverKitError
from solverkit.implicit.linear import Tensor, norm
from solverkit.implicit.system import System

SHORTER = 8.0


class ImplicitWarning(UserWarning):
    """Root of what `implicit` warns of."""


class InaccurateSolution(ImplicitWarning):
    """The solver's answer does not satisfy the conditions to the asked accuracy."""


class NotDifferentiable(ImplicitWarning):
    """The conditions have a kink at the solution (a tie): the derivative is one of several."""


class SingularJacobian(ImplicitWarning):
    """dF/dy is singular at the solution: the solution is not a differentiable function of the parameters there."""


class NotASolution(SolverKitError):
    """The solver's answer cannot be differentiated: NaN, or inaccurate where `inaccurate="raise"`."""


def relative_residual(system: System, y: Tensor, thetas: Sequence[Tensor]) -> Tensor:
    """||F|| / (1 + ||A y||) for each sample, (B, 1): for F = A y - b about ||F|| / (1 + ||b||)."""
    apply, _ = system.linearized(y, thetas)
    return norm(system.value(y, *thetas)) / (1 + norm(apply(y)))


def kinked(system: System, y: Tensor, thetas: Sequence[Tensor]) -> bool:
    """Whether F has a kink at (y, theta): a second difference that does not vanish faster than its step."""
    eps = torch.finfo(y.dtype).eps
    step = eps ** (1 / 3)
    generator = torch.Generator().manual_seed(0)
    directions: list[Tensor] = [
        torch.randn(part.shape, generator=generator, dtype=torch.float64).to(part) * (1 + part.abs().max())
        for part in (y, *thetas)
        if part.numel()
    ]
    points = [part for part in (y, *thetas) if part.numel()]
    if len(points) < 1 + len(thetas):
        return False
    here = system.value(y, *thetas)

    def bend(h: float) -> Tensor:
        ahead, behind = (
            system.value(*(p + sign * h * d for p, d in zip(points, directions, strict=True))) for sign in (1, -1)
        )
        slope = ((ahead - behind).abs().amax(dim=-1) / (2 * h)).clamp(min=1e-300)
        return (ahead + behind - 2 * here).abs().amax(dim=-1) / h / slope

    wide = bend(step)
    if not bool(torch.any(wide > 20 * step)):
        return False
    return bool(torch.any((wide > 20 * step) & (bend(step / SHORTER) > 0.5 * wide)))


def warn(kind: type[ImplicitWarning], text: str) -> None:
    """At the line that called the library, as far as Python can tell."""
    warnings.warn(text, kind, stacklevel=4)
