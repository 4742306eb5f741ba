"""From the text of `simple:` and the variable's set to chi."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from solverkit.expressions.tree import Call, Name, Tree
from solverkit.kinds.composite.recognize import Reader, Weighted, is_square, linear
from solverkit.kinds.composite.terms import Bounded, Entropy, Euclidean
from solverkit.operators.proximal import L1, Box, Free, of_set

if TYPE_CHECKING:
    from solverkit.kinds.base import Block, Source
    from solverkit.kinds.composite.parts import Geometry, Simple
    from solverkit.operators.proximal import ProximalMap
    from solverkit.operators.sets import SimpleSet

PATH = ("simple",)


def read(text: str | None, geometry: Geometry, block: Block, simple_set: SimpleSet, source: Source) -> Simple:
    """chi; defects go to `source`."""
    reader = Reader(source, block.name, block.shape, PATH)
    terms = [] if text is None else reader.split(text) or []
    norm, entropy, rest = 0.0, 0.0, []
    for term in terms:
        named = term.tree.function if isinstance(term.tree, Call) and _is_variable(term.tree, block.name) else ""
        if named == "norm1" and term.factor > 0:
            norm += term.factor
        elif named == "entropy" and term.factor > 0:
            entropy += term.factor
        else:
            rest.append(term)
    strong, slope = _quadratic(rest, reader, block)
    if geometry == "entropy":
        return _entropic(entropy, slope, strong, norm, block, simple_set, source)
    if entropy:
        source.defect(PATH, "entropy(x) has no Euclidean step: say `geometry: entropy`, with the variable on a simplex")
    part = of_set(simple_set)
    if norm:
        part = _with_norm(norm, part, block, source)
    return Euclidean(block.size, part, strong, slope)


def _is_variable(call: Call, name: str) -> bool:
    return len(call.arguments) == 1 and isinstance(call.arguments[0], Name) and call.arguments[0].name == name


def _quadratic(terms: list[Weighted], reader: Reader, block: Block) -> tuple[float, np.ndarray]:
    """(mu, q) of (mu / 2) ||x||^2 + <q, x>."""
    strong, slope, others = 0.0, np.zeros(block.size), []
    for term in terms:  # what is written plainly needs no compiler, which a million variables would keep busy
        given = linear(term.tree, block.name, block.shape, reader.source.constants)
        if is_square(term.tree, block.name):
            strong += 2 * term.factor
        elif given is not None:
            slope = slope + term.factor * given
        else:
            others.append(term)
    more, tilt = _compiled(others, reader, block)
    if strong + more < 0:
        reader.source.defect(PATH, f"has the curvature {strong + more:g}, and is not convex")
        return 0.0, slope
    return strong + more, slope + tilt


def _compiled(terms: list[Weighted], reader: Reader, block: Block) -> tuple[float, np.ndarray]:
    nothing = 0.0, np.zeros(block.size)
    if not terms:
        return nothing
    trees: list[Tree | None] = [term.tree for term in terms]
    function = reader.source.compiled(trees, reader.variables)
    if reader.source.defects:
        return nothing
    factors, zero = np.array([term.factor for term in terms]), np.zeros(block.size)
    if function.degree is None or function.degree > 2:
        odd = next((term for term in terms if not _polynomial(term, reader)), terms[0])
        reader.source.defect(
            PATH, "known here are squares with one curvature, linear terms, norm1(x) and entropy(x)", odd.offset
        )
        return nothing
    hessian = function.hessian(zero, factors)
    curvature = hessian.diagonal()
    entries = hessian.tocoo()
    off = np.abs(entries.data[entries.row != entries.col]).max(initial=0.0)
    if np.ptp(curvature) > 1e-12 * np.abs(curvature).max(initial=0.0) or off > 0:
        reader.source.defect(
            PATH, "squares here have the same curvature in every coordinate; others belong in `smooth`"
        )
        return nothing
    if abs(float(factors @ function.value(zero))) > 0:
        reader.source.defect(PATH, "a constant has no effect on the answer: leave it out, or add it to `smooth`")
        return nothing
    return float(curvature[0]), function.vjp(zero, factors)


def _polynomial(term: Weighted, reader: Reader) -> bool:
    degree = reader.source.compiled([term.tree], reader.variables).degree
    return degree is not None and degree <= 2


def _with_norm(weight: float, part: ProximalMap, block: Block, source: Source) -> ProximalMap:
    if isinstance(part, Free):
        return L1(weight)
    if isinstance(part, Box):
        return Bounded(L1(weight), part)
    source.defect(
        PATH, "norm1(x) goes with bounds, or with no set at all: together with another set it has no closed form"
    )
    return L1(weight)


def _entropic(
    strong: float, slope: np.ndarray, square: float, norm: float, block: Block, simple_set: SimpleSet, source: Source
) -> Simple:
    from solverkit.operators.sets import Simplex

    if not (isinstance(simple_set, Simplex) and simple_set.total == 1):
        source.defect(("variables", block.name), "`geometry: entropy` needs `set: simplex`", key=True)
    if square or norm:
        source.defect(PATH, "squares and norm1(x) have no closed step in the entropy: put squares in `smooth`")
    if not (block.start > 0).all():
        source.defect(
            ("variables", block.name, "start"), "the entropy starts inside of the simplex: above 0 everywhere"
        )
    return Entropy(block.size, strong, slope)
