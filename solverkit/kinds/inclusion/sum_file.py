"""From the `finite_sum:` section of a problem file to an inclusion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.expressions import shapes as rule
from solverkit.kinds.inclusion.called import Called, CalledSum
from solverkit.kinds.inclusion.fitting import Unusable, blocks_of, checked, declared, table
from solverkit.kinds.inclusion.sampled import SampledOperator, program_of
from solverkit.kinds.inclusion.sums import ColumnSum, MatrixSum

if TYPE_CHECKING:
    from solverkit.kinds.base import Block, Source
    from solverkit.kinds.inclusion.operator import Operator
    from solverkit.kinds.inclusion.problem import Inclusion
    from solverkit.kinds.inclusion.schema import ColumnsForm, FiniteSumForm, MatricesForm
    from solverkit.kinds.source import KeyPath
    from solverkit.operators.proximal import ProximalMap

PLACE = ("finite_sum",)
TERMS = ("function", "value", "python", "columns", "matrices")


def finite_sum(form: FiniteSumForm, source: Source) -> Inclusion:
    """The inclusion of a finite sum. Unusable where there is a defect."""
    given = [name for name in TERMS if getattr(form, name) is not None]
    if len(given) != 1:
        here = f"here are {' and '.join(given)}" if given else "here is none"
        source.defect(PLACE, f"give exactly one of {', '.join(TERMS)}; {here}", key=True)
        raise Unusable
    blocks, sets, sign = _variables(form, given[0] == "function", source)
    builders: dict[str, Callable[[], Operator]] = {
        "function": lambda: _payoff(form, blocks, sign, source),
        "value": lambda: _terms(form, blocks, source),
        "python": lambda: _python(form, blocks, source),
        "columns": lambda: _columns(form.columns, blocks, source),  # type: ignore[arg-type]  # it is given
        "matrices": lambda: _matrices(form.matrices, blocks, source),  # type: ignore[arg-type]
    }
    part = builders[given[0]]()
    return checked(part, blocks, sets, "finite-sum", form.monotone, source, (*PLACE, given[0]))


def _variables(
    form: FiniteSumForm, payoff: bool, source: Source
) -> tuple[tuple[Block, ...], tuple[ProximalMap, ...], np.ndarray]:
    """Blocks, sets, and the sign of each element: -1 for those that maximize."""
    wanted, others = ("minimize", "maximize"), ("variables",)
    for name in others if payoff else wanted:
        if getattr(form, name):
            right = " and ".join(wanted if payoff else others)
            source.defect((*PLACE, name), f"this finite sum has its variables under {right}", key=True)
    sides = wanted if payoff else others
    blocks: list[Block] = []
    sets: list[ProximalMap] = []
    signs = [np.zeros(0)]
    for name, value in zip(sides, (1.0, -1.0), strict=False):
        for block, part in zip(*blocks_of(getattr(form, name), source, (*PLACE, name)), strict=True):
            if block.name in [other.name for other in blocks]:
                source.defect((*PLACE, name, block.name), f"'{block.name}' is a variable of both sides", key=True)
            blocks.append(block)
            sets.append(part)
            signs.append(np.full(block.size, value))
        if not getattr(form, name) and not source.defects:
            source.defect(PLACE, f"needs variables under `{name}`", key=True)
    if source.defects:
        raise Unusable
    return tuple(blocks), tuple(sets), np.concatenate(signs)


# -- expressions over samples


def _payoff(form: FiniteSumForm, blocks: Sequence[Block], sign: np.ndarray, source: Source) -> Operator:
    rows, shapes = _samples(form, source)
    local = _local(form, blocks, len(rows), source)
    function = source.scalar(form.function or "0", (*PLACE, "function"), {**local, **shapes})
    return _sampled(form, blocks, function, rows, sign, source)


def _terms(form: FiniteSumForm, blocks: Sequence[Block], source: Source) -> Operator:
    rows, shapes = _samples(form, source)
    local = _local(form, blocks, len(rows), source)
    place = (*PLACE, "value")
    if isinstance(form.value, dict):
        for name in [name for name in local if name not in form.value]:
            source.defect(place, f"F_i of the variable '{name}' is missing")
        for name in [name for name in form.value if name not in local]:
            source.defect((*place, name), f"no such variable (variables here: {', '.join(local)})", key=True)
        texts: list[tuple[str, KeyPath]] = [(form.value[name], (*place, name)) for name in local if name in form.value]
    else:
        texts = [(str(form.value), place)]
    function = source.function(texts, {**local, **shapes})
    size = sum(rule.size(shape) for shape in local.values())
    if not source.defects and function.outputs != size:
        source.defect(place, f"F_i has {function.outputs} entries, and a sample sees {size} of the variables")
    return _sampled(form, blocks, function, rows, None, source)


def _samples(form: FiniteSumForm, source: Source) -> tuple[np.ndarray, dict[str, tuple[int, ...]]]:
    """(one row a sample: its part of every array, ravelled; the shape of each part)."""
    if not form.samples:
        source.defect(PLACE, "`samples:` names the data whose rows are the samples", key=True)
        raise Unusable
    parts: list[np.ndarray] = []
    shapes: dict[str, tuple[int, ...]] = {}
    for name, value in form.samples.items():
        data = source.data.get(value) if isinstance(value, str) else np.asarray(value, dtype=float)
        place = (*PLACE, "samples", name)
        if name in source.data or name in source.parameters:
            word = "data" if name in source.data else "a parameter"
            source.defect(place, f"'{name}' is {word} already; choose another name for the sample's part", key=True)
        if data is None:
            here = ", ".join(source.data) or "none"
            source.defect(place, f"no data of that name (data here: {here})")
            continue
        array = data.toarray() if hasattr(data, "toarray") else np.asarray(data, dtype=float)
        if array.ndim not in (1, 2):
            source.defect(place, f"needs one row a sample, and has shape {array.shape}")
        elif parts and len(array) != len(parts[0]):
            source.defect(place, f"has {len(array)} rows, and the other samples have {len(parts[0])}")
        else:
            parts.append(array.reshape(len(array), -1))
            shapes[name] = array.shape[1:]
    if source.defects:
        raise Unusable
    return np.concatenate(parts, axis=1), shapes


def _local(form: FiniteSumForm, blocks: Sequence[Block], count: int, source: Source) -> Mapping[str, tuple[int, ...]]:
    """What a sample sees of each block: own ones without their first axis."""
    shapes = {block.name: block.shape for block in blocks}
    for k, name in enumerate(form.own):
        place = (*PLACE, "own", k)
        if name not in shapes:
            source.defect(place, f"no variable '{name}' (variables here: {', '.join(shapes)})")
        elif shapes[name][:1] != (count,):
            source.defect(
                place, f"'{name}' has shape {shapes[name]}; one entry or row for each of {count} samples is needed"
            )
    if source.defects:
        raise Unusable
    return {name: shape[1:] if name in form.own else shape for name, shape in shapes.items()}


def _sampled(
    form: FiniteSumForm,
    blocks: Sequence[Block],
    function: Any,
    rows: np.ndarray,
    sign: np.ndarray | None,
    source: Source,
) -> Operator:
    lipschitz = declared(form.lipschitz, source, (*PLACE, "lipschitz"))
    program = None if source.defects else program_of(function)
    if program is None:
        raise Unusable
    shapes = {block.name: block.shape for block in blocks}
    return SampledOperator(program, shapes, frozenset(form.own), rows, sign, lipschitz)


# -- the others


def _python(form: FiniteSumForm, blocks: Sequence[Block], source: Source) -> Operator:
    place = (*PLACE, "python")
    assert form.python is not None
    function = source.python(form.python.python, place)
    count = _count(form.count, "count", None, source)
    lipschitz = declared(form.lipschitz, source, (*PLACE, "lipschitz"))
    if function is None or source.defects:
        raise Unusable
    start = np.concatenate([block.start.ravel() for block in blocks])
    try:
        call = Called.of(function, {block.name: block.shape for block in blocks}, start, np.arange(min(2, count)))
    except UsageError as error:
        source.defect(place, str(error))
        raise Unusable from None
    return CalledSum(call, count, lipschitz)


def _columns(form: ColumnsForm, blocks: Sequence[Block], source: Source) -> Operator:
    size = sum(block.size for block in blocks)
    place = (*PLACE, "columns")
    matrix = table(form.matrix, source, (*place, "matrix"))
    if matrix.shape != (size, size):
        source.defect((*place, "matrix"), f"has shape {matrix.shape}; the variables need ({size}, {size})")
    constant = source.array(form.constant, (size,), (*place, "constant"))
    count = _count(form.count, "columns", size, source)
    if source.defects:
        raise Unusable
    return ColumnSum(matrix, constant, count)


def _matrices(form: MatricesForm, blocks: Sequence[Block], source: Source) -> Operator:
    size = sum(block.size for block in blocks)
    place = (*PLACE, "matrices", "matrices")
    data = source.data.get(form.matrices) if isinstance(form.matrices, str) else form.matrices
    array = np.asarray(data, dtype=float) if data is not None and not hasattr(data, "tocsr") else np.zeros(0)
    if array.ndim == 2 and array.shape[1] == size and len(array) % size == 0:
        array = array.reshape(-1, size, size)
    if array.ndim != 3 or array.shape[1:] != (size, size):
        source.defect(place, f"needs dense data of shape (n, {size}, {size}) or (n {size}, {size})")
        raise Unusable
    offsets = source.array(form.offsets, (len(array), size), (*PLACE, "matrices", "offsets"))
    if source.defects:
        raise Unusable
    return MatrixSum(array, offsets)


def _count(value: Any, key: str, otherwise: int | None, source: Source) -> int:
    """A number of components, from 1 on and at most `otherwise` where that is given."""
    place = (*PLACE, "columns", "count") if otherwise is not None else (*PLACE, key)
    if value is None:
        if otherwise is None:
            source.defect((*PLACE, "python"), "`count:` says how many components there are")
        return otherwise or 1
    before = len(source.defects)
    number = source.number(value, place)
    most = np.inf if otherwise is None else otherwise
    if len(source.defects) == before and not (number == round(number) and 1 <= number <= most):
        source.defect(
            place, f"a whole number from 1 on{'' if otherwise is None else f' and at most {otherwise}'}, not {number:g}"
        )
        return 1
    return int(number)
