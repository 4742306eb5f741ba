"""What the forms of problem files share: blocks with their sets, tables, and the check before a problem is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.kinds import variables
from solverkit.kinds.expectation import expected
from solverkit.kinds.inclusion.probes import doubts
from solverkit.kinds.inclusion.problem import Inclusion

if TYPE_CHECKING:
    from solverkit.kinds.base import Block, Source
    from solverkit.kinds.inclusion.operator import Operator
    from solverkit.kinds.source import KeyPath
    from solverkit.operators.proximal import ProximalMap


class Unusable(Exception):
    """A defect was recorded, and nothing can be built."""


def table(value: Any, source: Source, place: KeyPath) -> Any:
    """A matrix whose columns are not known beforehand: data by name, or a list of lists."""
    data = source.data.get(value, value) if isinstance(value, str) else value
    if hasattr(data, "tocsr"):
        return data
    before = len(source.defects)
    if isinstance(value, str) and value not in source.data:
        here = ", ".join(source.data) or "none"
        source.defect(place, f"no data are named '{value[:64]}' (data here: {here})")
        raise Unusable
    array = np.asarray(data, dtype=float) if not isinstance(data, list | tuple) else _listed(data, source, place)
    if len(source.defects) > before:
        raise Unusable
    if array.ndim != 2:
        source.defect(place, f"needs a matrix, and has shape {array.shape}")
        raise Unusable
    return array


def _listed(rows: Any, source: Source, place: KeyPath) -> np.ndarray:
    """Rows written out in the file, each number an expression of parameters or not."""
    lengths = {len(row) if isinstance(row, list | tuple) else -1 for row in rows}
    if len(lengths) != 1 or lengths <= {-1, 0}:
        source.defect(place, "a matrix is a list of rows, all of one length")
        return np.zeros((1, 1))
    return source.array(rows, (len(rows), lengths.pop()), place)


def blocks_of(
    given: variables.Variables, source: Source, place: KeyPath
) -> tuple[tuple[Block, ...], tuple[ProximalMap, ...]]:
    """The blocks and their sets as proximal maps, one by one."""
    from solverkit.operators.proximal import of_set

    blocks, sets = [], []
    for name, variable in given.items():
        (block,), simple = variables.build({name: variable}, source, place)
        blocks.append(block)
        sets.append(of_set(simple))
    return tuple(blocks), tuple(sets)


def declared(value: Any, source: Source, place: KeyPath) -> float | None:
    if value is None:
        return None
    before = len(source.defects)
    number = source.number(value, place)
    if len(source.defects) == before and not 0 < number < np.inf:
        source.defect(place, f"a Lipschitz constant is positive and finite, not {number:g}")
    return number


def checked(
    part: Operator,
    blocks: tuple[Block, ...],
    sets: tuple[ProximalMap, ...],
    form: str,
    monotone: bool,
    source: Source,
    place: KeyPath,
) -> Inclusion:
    """The inclusion, once nothing speaks against what its author says of F."""
    if source.defects:
        raise Unusable
    problem = Inclusion(source.name, blocks, part, sets, form, None, monotone, expected(source, blocks))
    for key, message in doubts(problem).items():
        source.defect((place[0], key) if key == "lipschitz" else place, message)
    return problem
