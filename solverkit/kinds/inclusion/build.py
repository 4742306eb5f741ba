"""Inclusions from Python, without a file. Each raises `InvalidProblem` or `UsageError` with what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds import from_python
from solverkit.kinds.inclusion import forms
from solverkit.kinds.inclusion.kind import InclusionKind
from solverkit.kinds.inclusion.operator import Operator
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.source import NamedSource

if TYPE_CHECKING:
    from solverkit.operators.proximal import ProximalMap

Expect = Mapping[str, Any] | None


def game(payoff: Any, name: str = "game", expect: Expect = None) -> Inclusion:
    """min_x max_y x'A y over two simplices: x pays the row player's loss, y earns it.

    payoff : (p, q) A, dense or sparse
    """
    return _usable(lambda: forms.matrix_game(name, payoff, expect))


def sequence_form(
    payoff: Any, E: Any, e: Any, F: Any, f: Any, name: str = "sequence-form", expect: Expect = None
) -> Inclusion:
    """min_x max_y x'A y over { x >= 0, E x = e } and { y >= 0, F y = f }, such as realization plans.

    payoff : (p, q); E : (r, p), e : (r,); F : (s, q), f : (s,). The polytopes are bounded and not empty. Block `x`
    holds x and the multipliers of F y = f, block `y` holds y and those of E x = e; see `forms.sequence_game`.
    """
    return _usable(lambda: forms.sequence_game(name, payoff, E, e, F, f, expect))


def linear_program(
    c: Any,
    A: Any,
    row_lower: Any,
    row_upper: Any,
    lower: Any = 0.0,
    upper: Any = np.inf,
    constant: float = 0.0,
    names: tuple[Sequence[str], Sequence[str]] = ((), ()),
    *,
    maximize: bool = False,
    name: str = "linear-program",
    expect: Expect = None,
) -> Inclusion:
    """min c'x + constant subject to row_lower <= A x <= row_upper, lower <= x <= upper, as a bilinear saddle problem.

    c : (n,); A : (m, n), dense or sparse; sides : numbers or arrays, infinite (or beyond 1e20) where open
    names : of the variables and of the rows, for messages
    maximize : maximize c'x + constant; `c` of the problem's structure is then -c

    Block `x` is x, block `y` the multipliers of the rows: y_i > 0 presses on row_upper, y_i < 0 on row_lower.
    """
    return _usable(
        lambda: forms.program(name, c, A, row_lower, row_upper, lower, upper, constant, maximize, names, expect)
    )


def saddle(
    minimize: Mapping[str, Any],
    maximize: Mapping[str, Any],
    function: str | Callable[..., Any],
    *,
    data: Mapping[str, Any] | None = None,
    parameters: Mapping[str, float] | None = None,
    monotone: bool = True,
    lipschitz: float | None = None,
    sets: Mapping[str, ProximalMap] | None = None,
    name: str = "saddle",
    expect: Expect = None,
) -> Inclusion:
    """min over some variables, max over the others of a convex-concave function.

    minimize, maximize : name -> `{shape, start, lower, upper, set}`, as in a problem file
    function : an expression, or a torch function of the blocks by name that returns one number
    sets : block -> a proximal map in place of the block's set: the resolvent of its part of G
    """
    form = {
        "minimize": dict(minimize),
        "maximize": dict(maximize),
        "function": function,
        "monotone": monotone,
        "lipschitz": lipschitz,
    }
    return _with(_from_file({"saddle": form}, name, data, parameters, expect), sets)


def finite_sum(
    *,
    variables: Mapping[str, Any] | None = None,
    minimize: Mapping[str, Any] | None = None,
    maximize: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    parameters: Mapping[str, float] | None = None,
    sets: Mapping[str, ProximalMap] | None = None,
    name: str = "finite-sum",
    expect: Expect = None,
    **terms: Any,
) -> Inclusion:
    """0 in (1 / n) sum_i F_i(u) + G(u), the terms given as in the `finite_sum:` section of a problem file.

    terms : `samples`, `own`, and one of `function` (payoff of one sample, of `minimize` and `maximize`), `value` (F_i),
        `columns`, `matrices`, or `python` with `count`: a function of NumPy arrays or torch tensors, of the blocks by
        name and `samples` (integer indices), that returns the mean of their F_i, an array or one for each block

        finite_sum(
            minimize={"w": dict(shape=30)},
            maximize={"p": dict(shape=569, set="simplex", start=1 / 569)},
            samples={"a": X, "b": labels},
            own=["p"],
            function="569*p*logistic(-b*dot(a, w)) + 0.005*sum(w**2)",
        )
    """
    sides = {"variables": variables, "minimize": minimize, "maximize": maximize}
    form = {**{key: dict(value) for key, value in sides.items() if value is not None}, **terms}
    return _with(_from_file({"finite_sum": form}, name, data, parameters, expect), sets)


def inclusion(
    operator: str | Mapping[str, str] | Callable[..., Any] | Operator,
    variables: Mapping[str, Any],
    *,
    data: Mapping[str, Any] | None = None,
    parameters: Mapping[str, float] | None = None,
    monotone: bool = True,
    lipschitz: float | None = None,
    sets: Mapping[str, ProximalMap] | None = None,
    name: str = "inclusion",
    expect: Expect = None,
) -> Inclusion:
    """0 in F(u) + G(u).

    operator : F as an expression of the size of u, one expression for each block, a function of NumPy arrays or torch
        tensors (of the blocks by name, or of u), or an object that fulfils `inclusion.operator.Operator`
    variables : name -> `{shape, start, lower, upper, set}`, as in a problem file
    sets : block -> a proximal map in place of the block's set: the resolvent of its part of G
    """
    if not isinstance(operator, str | Mapping) and isinstance(operator, Operator):
        return _own(operator, variables, monotone, sets, name, expect)
    value = dict(operator) if isinstance(operator, Mapping) else operator
    form = {"variables": dict(variables), "value": value, "monotone": monotone, "lipschitz": lipschitz}
    return _with(_from_file({"operator": form}, name, data, parameters, expect), sets)


def _own(
    part: Operator,
    variables: Mapping[str, Any],
    monotone: bool,
    sets: Mapping[str, ProximalMap] | None,
    name: str,
    expect: Expect,
) -> Inclusion:
    """The inclusion of an operator object: blocks and sets as of a file with F = 0, then F."""
    from solverkit.kinds.inclusion.probes import doubts

    size = sum(int(np.prod(np.atleast_1d(given.get("shape", ())), dtype=int)) for given in variables.values())
    if size != part.size:
        raise UsageError(f"the operator has size {part.size}, and the variables have {size} elements")
    zero = {key: f"0*{key}" for key in variables}
    frame = _with(
        _from_file({"operator": {"variables": dict(variables), "value": zero}}, name, None, None, expect), sets
    )
    problem = replace(frame, part=part, monotone=monotone, form="finite-sum" if part.count > 1 else "operator")
    if wrong := doubts(problem):
        raise UsageError("; ".join(wrong.values()))
    return problem


def _with(problem: Inclusion, sets: Mapping[str, ProximalMap] | None) -> Inclusion:
    """The problem with some of its sets replaced."""
    names = [block.name for block in problem.variables]
    for key in sets or {}:
        if key not in names:
            raise UsageError(f"sets: no variable '{key}' (variables here: {', '.join(names)})")
    chosen = tuple((sets or {}).get(key, part) for key, part in zip(names, problem.sets, strict=True))
    return problem if chosen == problem.sets else replace(problem, sets=chosen)


def _from_file(
    document: dict[str, Any],
    name: str,
    data: Mapping[str, Any] | None,
    parameters: Mapping[str, float] | None,
    expect: Expect,
) -> Inclusion:
    """What a problem file with these keys gives."""
    arrays = {key: value if hasattr(value, "tocsr") else np.asarray(value) for key, value in (data or {}).items()}
    source = NamedSource(name, parameters, arrays, expect)
    problem: Inclusion = from_python.build(InclusionKind(), document, source)
    return problem


def _usable(make: Callable[[], Inclusion]) -> Inclusion:
    try:
        return make()
    except ValueError as error:
        raise UsageError(str(error)) from None
