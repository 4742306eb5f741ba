"""A squared part of f that is proven moves to chi, where methods can use it.

    f + chi = (f - (mu / 2) ||x||^2) + (chi + (mu / 2) ||x||^2)

Proven means: c sum(x**2) is a term of the text, and every other term is convex by its form (`_convex`), or f is
quadratic and its Hessian minus mu is positive semidefinite.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from solverkit.expressions.errors import ExpressionError
from solverkit.expressions.tree import Call, Power, Tree, names
from solverkit.kinds.composite.recognize import Reader, Weighted, is_square, is_two, terms

if TYPE_CHECKING:
    from solverkit.kinds.base import Block, Source
    from solverkit.kinds.composite.parts import Smooth

EIGENVALUES = 500
"""Largest n for which the eigenvalues of a quadratic f are looked at."""

CONVEX = frozenset({"logistic", "square", "exp", "huber", "abs", "relu", "expm1"})
"""Functions that are convex of one affine argument, element by element."""

NORMS = frozenset({"normsq", "norm", "norm1", "logsumexp", "total_variation"})
"""Functions that are convex of one affine argument, as one number."""


class Lowered:
    """f - (mu / 2) ||x||^2."""

    def __init__(self, inner: Smooth, moved: float) -> None:
        self.inner, self.moved = inner, moved
        self.size, self.count, self.quadratic = inner.size, inner.count, inner.quadratic

    @cached_property
    def lipschitz(self) -> float | None:
        """L - mu, since f is convex without the part."""
        whole = self.inner.lipschitz
        return None if whole is None else max(whole - self.moved, 1e-12 * whole)

    @cached_property
    def strong(self) -> float:
        """What is left of the curvature of f."""
        return max(float(getattr(self.inner, "strong", 0.0)) - self.moved * (1 + 1e-12), 0.0)

    def value(self, x: np.ndarray) -> float:
        """At x."""
        return self.inner.value(x) - 0.5 * self.moved * float(x @ x)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """(n,)."""
        return self.inner.gradient(x) - self.moved * x

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Both."""
        value, gradient = self.inner.value_and_gradient(x)
        return value - 0.5 * self.moved * float(x @ x), gradient - self.moved * x

    def batch_gradient(self, x: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Of some terms, each with the whole part."""
        return self.inner.batch_gradient(x, samples) - self.moved * x

    def to(self, device: str, dtype: str) -> Lowered:
        """The same with its arithmetic elsewhere."""
        moved = self.inner.to(device, dtype)
        return self if moved is self.inner else Lowered(moved, self.moved)

    def digest(self) -> str:
        """Of f and mu."""
        return f"lowered {self.moved!r} {self.inner.digest()}"


def squared_part(text: str, block: Block, source: Source) -> float:
    """mu of the largest proven (mu / 2) ||x||^2 in f; 0 where there is none."""
    reader = Reader(source, block.name, block.shape, ("smooth",))
    tree = source.tree(text, reader.path, reader.variables)
    if tree is None:
        return 0.0
    try:
        found = terms(tree, block.name, source.constants)
    except ExpressionError:
        return 0.0
    strong = sum(2 * term.factor for term in found if is_square(term.tree, block.name))
    if strong <= 0:
        return 0.0
    rest = [term for term in found if not is_square(term.tree, block.name)]
    if all(_convex(term, reader) for term in rest):
        return strong
    function = source.compiled([tree], reader.variables)
    if function.degree is None or function.degree > 2 or block.size > EIGENVALUES:
        return 0.0
    hessian = function.hessian(np.zeros(block.size), np.ones(1)).toarray()
    least = float(np.linalg.eigvalsh(hessian)[0])
    return strong if least >= strong * (1 - 1e-9) else 0.0


def _convex(term: Weighted, reader: Reader) -> bool:
    """Whether a term is convex by its form."""
    if _affine(term.tree, reader):
        return True
    tree = term.tree
    if term.factor <= 0 or not isinstance(tree, Call):
        return False
    inner = tree.arguments[0]
    if tree.function in NORMS:
        return _affine(inner, reader)
    if tree.function not in ("sum", "mean") or len(tree.arguments) != 1:
        return False
    if isinstance(inner, Power):
        return is_two(inner) and _affine(inner.base, reader)
    return isinstance(inner, Call) and inner.function in CONVEX and _affine(inner.arguments[0], reader)


def _affine(tree: Tree, reader: Reader) -> bool:
    if reader.variable not in names(tree):
        return True
    degree = reader.source.compiled([tree], reader.variables).degree
    return degree is not None and degree <= 1
