"""The simple sets of problem files as proximal maps."""

from __future__ import annotations

from solverkit.operators import sets
from solverkit.operators.proximal.affine import Affine
from solverkit.operators.proximal.balls import L2Ball
from solverkit.operators.proximal.base import ProximalMap
from solverkit.operators.proximal.boxes import Box, Free
from solverkit.operators.proximal.compose import Product
from solverkit.operators.proximal.host import HostSet
from solverkit.operators.proximal.simplex import Simplex


def of_set(simple: sets.SimpleSet) -> ProximalMap:
    """The indicator of the set; a polyhedron, and a third party's set, by its own projection on the host."""
    kind = type(simple)
    if kind is sets.Free:
        return Free()
    if isinstance(simple, sets.Box):
        return Box(simple.lower, simple.upper)
    if isinstance(simple, sets.Ball):
        return L2Ball(simple.radius, simple.center)
    if isinstance(simple, sets.Simplex):
        return Simplex(simple.total)
    if isinstance(simple, sets.Product):
        return Product([(at, of_set(part)) for at, part in simple.parts])
    if isinstance(simple, sets.Affine):
        return Affine(simple.A, simple.b)
    return HostSet(simple)
