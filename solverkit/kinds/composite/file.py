"""From a validated problem file to a composite problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds import formulas, variables
from solverkit.kinds.composite import chi
from solverkit.kinds.composite.linear_maps import Stack
from solverkit.kinds.composite.losses import FromFunction, Loss, RowLoss
from solverkit.kinds.composite.problem import Composite
from solverkit.kinds.composite.recognize import Reader
from solverkit.kinds.composite.schema import Losses
from solverkit.kinds.composite.terms import Nothing, Outer
from solverkit.kinds.expectation import expected
from solverkit.operators.proximal import Product, ProximalMap

if TYPE_CHECKING:
    from solverkit.kinds.base import Block, Source
    from solverkit.kinds.composite.parts import Smooth
    from solverkit.kinds.composite.schema import CompositeFile

LOSSES: dict[str, Loss] = {"least_squares": "least-squares", "logistic": "logistic", "huber": "huber"}


def build(file: CompositeFile, source: Source) -> Composite:
    """The problem of a file. Where there is a defect, it is recorded and a harmless stand-in comes back."""
    (block, *_), simple_set = variables.build(file.variables, source, ("variables",))
    lipschitz = None if file.lipschitz is None else source.number(file.lipschitz, ("lipschitz",))
    if lipschitz is not None and not 0 < lipschitz < np.inf:
        source.defect(("lipschitz",), f"must be a positive number, not {lipschitz:g}")
    return Composite(
        name=source.name,
        variable=block,
        smooth=_smooth(file.smooth, block, source, lipschitz),
        simple=chi.read(file.simple, file.geometry, block, simple_set, source),
        structured=_structured(file.nonsmooth, block, source),
        expect=expected(source, (block,)),
    )


def _smooth(given: Any, block: Block, source: Source, lipschitz: float | None) -> Smooth:
    if given is None:
        return Nothing(block.size)
    if not isinstance(given, Losses):
        function = formulas.objective(given, {block.name: block.shape}, source, ("smooth",))
        return FromFunction(function, lipschitz)
    key = next(name for name in LOSSES if getattr(given, name) is not None)
    form, path = getattr(given, key), ("smooth", key)
    A = source.matrix(form.matrix, block.size, (*path, "matrix"))
    b = source.array(form.targets, (A.shape[0],), (*path, "targets"))
    scale = 1 / A.shape[0] if form.scale is None else source.number(form.scale, (*path, "scale"))
    delta = source.number(form.delta, (*path, "delta"))
    try:
        return RowLoss(LOSSES[key], A, b, scale, delta)
    except UsageError as error:
        source.defect(path, str(error))
        return Nothing(block.size)


def _structured(text: str | None, block: Block, source: Source) -> Outer | None:
    if text is None:
        return None
    reader = Reader(source, block.name, block.shape, ("nonsmooth",))
    parts = [part for part in map(reader.structured, reader.split(text) or []) if part is not None]
    if not parts:
        return None
    if len(parts) == 1:
        return Outer(*parts[0])
    at, slices = 0, []
    for linear, outer in parts:
        slices.append((slice(at, at + linear.rows), outer))
        at += linear.rows
    together: ProximalMap = Product(slices)
    return Outer(Stack([linear for linear, _ in parts]), together)
