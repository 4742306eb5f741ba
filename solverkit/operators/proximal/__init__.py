"""Projections and proximal maps: NumPy and torch from one source, batched over leading axes."""

from solverkit.operators.proximal.balls import L1Ball, L2Ball
from solverkit.operators.proximal.base import Projection, ProximalMap
from solverkit.operators.proximal.boxes import Box, Free, LInfBall, NonNegative, Zero
from solverkit.operators.proximal.simplex import Simplex

__all__ = [
    "Box",
    "Free",
    "L1Ball",
    "L2Ball",
    "LInfBall",
    "NonNegative",
    "Projection",
    "ProximalMap",
    "Simplex",
    "Zero",
]
