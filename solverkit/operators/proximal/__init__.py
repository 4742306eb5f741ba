"""Projections and proximal maps: NumPy and torch from one source, batched over leading axes."""

from solverkit.operators.proximal.base import ProximalMap

__all__ = ["ProximalMap"]
