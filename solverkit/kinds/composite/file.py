"""From a validated problem file to a composite problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds import formulas, variables
from solverkit.kinds.composite import chi
from solverkit.kinds.composite.kinks import Kink, RowKinks, Subgradients
from solverkit.kinds.composite.linear_maps import Stack
from solverkit.kinds.composite.losses import FromFunction, Loss, RowLoss
from solverkit.kinds.composite.problem import Composite
from solverkit.kinds.composite.recognize import Reader
from solverkit.kinds.composite.samples import sample_mean
from solverkit.kinds.composite.schema import Kinks, Losses, Samples
from solverkit.kinds.composite.squares import Lowered, squared_part
from solverkit.kinds.composite.terms import Euclidean, Nothing, Outer
from solverkit.kinds.expectation import expected
from solverkit.operators.proximal import Product, ProximalMap

if TYPE_CHECKING:
    from solverkit.kinds.base import Block, Source
    from solverkit.kinds.composite.parts import Nonsmooth, Simple, Smooth
    from solverkit.kinds.composite.schema import CompositeFile, RowKinkForm, RowLossForm
    from solverkit.kinds.source import KeyPath

LOSSES: dict[str, Loss] = {"least_squares": "least-squares", "logistic": "logistic", "huber": "huber"}


def build(file: CompositeFile, source: Source) -> Composite:
    """The problem of a file. Where there is a defect, it is recorded and a harmless stand-in comes back."""
    (block, *_), simple_set = variables.build(file.variables, source, ("variables",))
    lipschitz = None if file.lipschitz is None else source.number(file.lipschitz, ("lipschitz",))
    if lipschitz is not None and not 0 < lipschitz < np.inf:
        source.defect(("lipschitz",), f"must be a positive number, not {lipschitz:g}")
    structured, nonsmooth = _nonsmooth(file.nonsmooth, block, source)
    simple: Simple = chi.read(file.simple, file.geometry, block, simple_set, source)
    smooth = _smooth(file.smooth, block, source, lipschitz)
    if isinstance(file.smooth, str) and isinstance(simple, Euclidean) and not source.defects:
        strong = squared_part(file.smooth, block, source)
        if strong > 0:
            smooth, simple = Lowered(smooth, strong), simple.stronger(strong)
    return Composite(
        name=source.name,
        variable=block,
        smooth=smooth,
        simple=simple,
        structured=structured,
        nonsmooth=nonsmooth,
        expect=expected(source, (block,)),
    )


def _smooth(given: Any, block: Block, source: Source, lipschitz: float | None) -> Smooth:
    nothing = Nothing(block.size)
    if given is None:
        return nothing
    if isinstance(given, Samples):
        return sample_mean(given.term, given.samples, block, source, ("smooth",), lipschitz) or nothing
    if not isinstance(given, Losses):
        function = formulas.objective(given, {block.name: block.shape}, source, ("smooth",))
        return FromFunction(function, lipschitz)
    key = next(name for name in LOSSES if getattr(given, name) is not None)
    form = getattr(given, key)
    A, b, scale = _rows(form, block, source, ("smooth", key))
    delta = source.number(form.delta, ("smooth", key, "delta"))
    try:
        return RowLoss(LOSSES[key], A, b, scale, delta)
    except UsageError as error:
        source.defect(("smooth", key), str(error))
        return nothing


def _rows(form: RowLossForm | RowKinkForm, block: Block, source: Source, path: KeyPath) -> tuple[Any, Any, float]:
    """(A, b, scale)."""
    A = source.matrix(form.matrix, block.size, (*path, "matrix"))
    b = source.array(form.targets, (A.shape[0],), (*path, "targets"))
    return A, b, 1 / A.shape[0] if form.scale is None else source.number(form.scale, (*path, "scale"))


def _nonsmooth(given: Any, block: Block, source: Source) -> tuple[Outer | None, Nonsmooth | None]:
    path = ("nonsmooth",)
    if given is None or isinstance(given, str):
        return _structured(given, block, source), None
    if isinstance(given, Samples):
        return None, sample_mean(given.term, given.samples, block, source, path)
    if not isinstance(given, Kinks):
        return None, Subgradients(formulas.objective(given, {block.name: block.shape}, source, path))
    if given.subgradients is not None:
        function = source.scalar(given.subgradients, (*path, "subgradients"), {block.name: block.shape})
        return None, Subgradients(function)
    key: Kink = "absolute" if given.absolute is not None else "hinge"
    form = getattr(given, key)
    A, b, scale = _rows(form, block, source, (*path, key))
    try:
        return None, RowKinks(key, A, b, scale)
    except UsageError as error:
        source.defect((*path, key), str(error))
        return None, None


def _structured(text: str | None, block: Block, source: Source) -> Outer | None:
    if text is None:
        return None
    reader = Reader(source, block.name, block.shape, ("nonsmooth",))
    parts = [part for part in map(reader.structured, reader.split(text) or []) if part is not None]
    if not parts:
        return None
    return stacked(parts)


def stacked(parts: list[tuple[Any, ProximalMap]]) -> Outer:
    """g_1(K_1 x) + g_2(K_2 x) + ... as one g(K x)."""
    if len(parts) == 1:
        return Outer(*parts[0])
    at, slices = 0, []
    for linear, outer in parts:
        slices.append((slice(at, at + linear.rows), outer))
        at += linear.rows
    together: ProximalMap = Product(slices)
    return Outer(Stack([linear for linear, _ in parts]), together)
