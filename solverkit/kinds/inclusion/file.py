"""From a validated problem file to an inclusion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds import formulas
from solverkit.kinds.expectation import expected
from solverkit.kinds.fields import Python
from solverkit.kinds.inclusion import forms
from solverkit.kinds.inclusion.called import Called, CalledOperator
from solverkit.kinds.inclusion.fitting import Unusable, blocks_of, checked, declared, table
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.recognize import bilinear_payoff, bilinear_saddle
from solverkit.kinds.inclusion.sum_file import finite_sum
from solverkit.kinds.inclusion.written import SaddleOperator, VectorOperator

if TYPE_CHECKING:
    from solverkit.kinds.base import Block, Source
    from solverkit.kinds.inclusion.schema import (
        GameForm,
        InclusionFile,
        LinearProgramForm,
        OperatorForm,
        Polytope,
        SaddleForm,
    )
    from solverkit.kinds.source import KeyPath
    from solverkit.operators.proximal import ProximalMap

FORMS = ("game", "saddle", "finite_sum", "operator", "linear_program")


def build(file: InclusionFile, source: Source) -> Inclusion:
    """The inclusion of a file. Where there is a defect, it is recorded and a harmless stand-in comes back."""
    given = [form for form in FORMS if getattr(file, form) is not None]
    if len(given) != 1:
        if given or not source.defects:  # what was meant as a form may be among the defects
            here = f"here are {' and '.join(given)}" if given else "here is none"
            source.defect((given[1] if given else "kind",), f"give exactly one of {', '.join(FORMS)}; {here}", key=True)
        return _stand_in(source)
    builders: dict[str, Callable[[Any, Source], Inclusion]] = {
        "game": _game,
        "saddle": _saddle,
        "finite_sum": finite_sum,
        "operator": _operator,
        "linear_program": _linear_program,
    }
    try:
        return builders[given[0]](getattr(file, given[0]), source)
    except Unusable:
        return _stand_in(source)


# -- games and linear programs


def _game(form: GameForm, source: Source) -> Inclusion:
    payoff = table(form.payoff, source, ("game", "payoff"))
    if (form.rows is None) != (form.columns is None):
        key = "columns" if form.columns is None else "rows"
        source.defect(("game",), f"polytopes are given for both players; `{key}` is missing", key=True)
        raise Unusable
    if form.rows is None or form.columns is None:
        return _made(lambda: forms.matrix_game(source.name, payoff), source, ("game", "payoff"))
    polytopes = [
        _polytope(part, payoff.shape[axis], source, ("game", key))
        for axis, (key, part) in enumerate((("rows", form.rows), ("columns", form.columns)))
    ]
    return _made(lambda: forms.sequence_game(source.name, payoff, *polytopes[0], *polytopes[1]), source, ("game",))


def _polytope(form: Polytope, columns: int, source: Source, place: KeyPath) -> tuple[Any, np.ndarray]:
    matrix = source.matrix(form.matrix, columns, (*place, "matrix"))
    return matrix, source.array(form.rhs, (matrix.shape[0],), (*place, "rhs"))


def _linear_program(form: LinearProgramForm, source: Source) -> Inclusion:
    place = ("linear_program",)
    A = table(form.matrix, source, (*place, "matrix"))
    m, n = A.shape

    def side(name: str, length: int, otherwise: float) -> np.ndarray:
        value = getattr(form, name)
        return source.array(otherwise if value is None else value, (length,), (*place, name))

    sides = (
        side("row_lower", m, -np.inf),
        side("row_upper", m, np.inf),
        side("lower", n, 0.0),
        side("upper", n, np.inf),
    )
    cost, constant = side("cost", n, 0.0), source.number(form.constant, (*place, "constant"))
    return _made(lambda: forms.program(source.name, cost, A, *sides, constant, form.maximize), source, place)


def _made(make: Callable[[], Inclusion], source: Source, place: KeyPath) -> Inclusion:
    """What `make` gives, with the file's `expect:`; its ValueError as a defect."""
    if source.defects:
        raise Unusable
    try:
        problem = make()
    except ValueError as error:
        source.defect(place, str(error))
        raise Unusable from None
    return replace(problem, expect=expected(source, problem.variables))


# -- expressions


def _operator(form: OperatorForm, source: Source) -> Inclusion:
    blocks, sets = blocks_of(form.variables, source, ("operator", "variables"))
    shapes = {block.name: block.shape for block in blocks}
    place = ("operator", "value")
    if isinstance(form.value, Python):
        return _python(form, blocks, sets, source)
    texts = form.value if isinstance(form.value, dict) else {"": form.value}
    if isinstance(form.value, dict):
        for name in shapes:
            if name not in texts:
                source.defect(place, f"F of the variable '{name}' is missing")
        for name in texts:
            if name not in shapes:
                source.defect((*place, name), f"no such variable (variables here: {', '.join(shapes)})", key=True)
    parts: list[tuple[str, KeyPath]] = [(texts[name], (*place, name)) for name in shapes if name in texts]
    if not isinstance(form.value, dict):
        parts = [(form.value, place)]
    function = source.function(parts, shapes)
    size = sum(block.size for block in blocks)
    if not source.defects and function.outputs != size:
        source.defect(place, f"F has {function.outputs} entries, and the variables have {size}")
    part = VectorOperator(function, declared(form.lipschitz, source, ("operator", "lipschitz")))
    return checked(part, blocks, sets, "operator", form.monotone, source, place)


def _python(form: OperatorForm, blocks: tuple[Block, ...], sets: tuple[ProximalMap, ...], source: Source) -> Inclusion:
    """F by a function in Python."""
    place = ("operator", "value")
    assert isinstance(form.value, Python)
    function = source.python(form.value.python, place)
    lipschitz = declared(form.lipschitz, source, ("operator", "lipschitz"))
    if function is None or source.defects:
        raise Unusable
    start = np.concatenate([block.start.ravel() for block in blocks])
    try:
        call = Called.of(function, {block.name: block.shape for block in blocks}, start)
    except UsageError as error:
        source.defect(place, str(error))
        raise Unusable from None
    return checked(CalledOperator(call, lipschitz), blocks, sets, "operator", form.monotone, source, place)


def _saddle(form: SaddleForm, source: Source) -> Inclusion:
    first, one = blocks_of(form.minimize, source, ("saddle", "minimize"))
    second, two = blocks_of(form.maximize, source, ("saddle", "maximize"))
    for name in form.maximize:
        if name in form.minimize:
            source.defect(("saddle", "maximize", name), f"'{name}' is a variable of both sides", key=True)
    blocks = (*first, *second)
    shapes = {block.name: block.shape for block in blocks}
    function = formulas.objective(form.function, shapes, source, ("saddle", "function"))
    sizes = [sum(block.size for block in side) for side in (first, second)]
    sign = np.repeat([1.0, -1.0], sizes)
    if not source.defects and len(blocks) == 2 and form.lipschitz is None:
        bilinear = bilinear_payoff(function, sizes[0])
        if bilinear is not None:
            problem = bilinear_saddle(source.name, bilinear, blocks, (*one, *two))
            return replace(problem, expect=expected(source, blocks))
    part = SaddleOperator(function, declared(form.lipschitz, source, ("saddle", "lipschitz")), sign)
    return checked(part, blocks, (*one, *two), "saddle", form.monotone, source, ("saddle", "function"))


def _stand_in(source: Source) -> Inclusion:
    """Never returned by the loader, which raises for the defect."""
    return forms.matrix_game(source.name, np.zeros((1, 1)))
