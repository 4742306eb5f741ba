"""Derivatives along random directions against central differences: for maps that are too slow for every coordinate."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

STEP = 1e-5


def check_slopes(function: Callable[..., torch.Tensor], inputs: Sequence[torch.Tensor], tol: float = 1e-6) -> None:
    """Forward and reverse mode agree with differences, relative to the size of the derivative."""
    generator = torch.Generator().manual_seed(0)
    primals = [part.detach() for part in inputs]
    directions = [torch.randn(part.shape, generator=generator, dtype=torch.float64) for part in primals]
    ahead, behind = (
        function(*(part + sign * STEP * d for part, d in zip(primals, directions, strict=True))) for sign in (1, -1)
    )
    slope = (ahead - behind) / (2 * STEP)
    value, change = torch.func.jvp(function, tuple(primals), tuple(directions))
    size = tol * float(slope.abs().max())
    assert size > 0
    np.testing.assert_allclose(change, slope, atol=size)
    weight = torch.randn(value.shape, generator=generator, dtype=torch.float64)
    parts = torch.func.vjp(function, *primals)[1](weight)
    found = sum(float((part * d).sum()) for part, d in zip(parts, directions, strict=True))
    np.testing.assert_allclose(found, float((weight * slope).sum()), atol=size * float(weight.abs().sum()))
