"""Projections and proximal maps: NumPy and torch from one source, batched over leading axes.

| module | maps |
|---|---|
| `boxes` | Free (also called Zero), Box, NonNegative, LInfBall |
| `simplex`, `balls` | Simplex, L1Ball, L2Ball |
| `cones` | SecondOrderCone, PSDCone |
| `affine` | Affine, Halfspace |
| `norms` | L1, L2, LInf, GroupL2, SquaredL2 |
| `compose` | Product, Translated, Scaled, Tilted, Conjugate |
| `entropy` | EntropySimplex: mirror steps |
| `of_set` | the sets of problem files as maps |
| `compiled` | the projections for loops compiled by numba (not imported here) |
"""

from solverkit.operators.proximal.affine import Affine, Halfspace
from solverkit.operators.proximal.balls import L1Ball, L2Ball
from solverkit.operators.proximal.base import Projection, ProximalMap
from solverkit.operators.proximal.boxes import Box, Free, LInfBall, NonNegative, Zero
from solverkit.operators.proximal.compose import Conjugate, Product, Scaled, Tilted, Translated
from solverkit.operators.proximal.cones import PSDCone, SecondOrderCone
from solverkit.operators.proximal.entropy import EntropySimplex
from solverkit.operators.proximal.norms import L1, L2, GroupL2, LInf, SquaredL2
from solverkit.operators.proximal.of_set import of_set
from solverkit.operators.proximal.simplex import Simplex

__all__ = [
    "L1",
    "L2",
    "Affine",
    "Box",
    "Conjugate",
    "EntropySimplex",
    "Free",
    "GroupL2",
    "Halfspace",
    "L1Ball",
    "L2Ball",
    "LInf",
    "LInfBall",
    "NonNegative",
    "PSDCone",
    "Product",
    "Projection",
    "ProximalMap",
    "Scaled",
    "SecondOrderCone",
    "Simplex",
    "SquaredL2",
    "Tilted",
    "Translated",
    "Zero",
    "of_set",
]
