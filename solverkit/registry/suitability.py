"""Why a method cannot take a problem: one sentence a reason, each ending in the next step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from solverkit.registry.specs import SolverSpec
from solverkit.text import clean

if TYPE_CHECKING:
    from solverkit.kinds.base import Problem

_DERIVATIVES = frozenset({"gradient", "jacobian", "hessian", "hvp"})


def reasons(spec: SolverSpec, problem: Problem, device: str, dtype: str, others: Sequence[SolverSpec]) -> list[str]:
    """What stands between `spec` and `problem`; empty where nothing does. `others` are all methods installed."""
    same_kind = [other for other in others if other.kind == problem.kind and other.name != spec.name]
    if spec.kind != problem.kind:
        here = f"method '{spec.name}' solves {spec.kind} problems, '{clean(problem.name)}' is {problem.kind}"
        return [f"{here}. {_instead(same_kind, f'for {problem.kind} problems')}"]
    found = []
    lacking = [name for name in spec.requires if name not in problem.provides]
    if lacking:
        provided = ", ".join(sorted(map(clean, problem.provides))) or "nothing"
        needs = ", ".join(f"'{name}'" for name in lacking)
        remedy = _instead([other for other in same_kind if set(other.requires) <= problem.provides], "that fit")
        if _DERIVATIVES.issuperset(lacking):
            remedy = f"Write the problem as expressions, which bring all derivatives, or: {remedy}"
        text = f"method '{spec.name}' needs {needs}; problem '{clean(problem.name)}' provides {provided}"
        found.append(f"{text}. {remedy}")
    family = device.partition(":")[0]
    if family not in spec.backends:
        remedy = f"Use --device {spec.backends[0]}" if spec.backends else "It names no device at all"
        found.append(f"method '{spec.name}' does not run on {clean(family)}. {remedy}")
    if dtype not in spec.dtypes:
        remedy = f"Use --dtype {spec.dtypes[0]}" if spec.dtypes else "It names no dtype at all"
        found.append(f"method '{spec.name}' does not compute in {clean(dtype)}. {remedy}")
    return found


def _instead(methods: Sequence[SolverSpec], what: str) -> str:
    names = ", ".join(method.name for method in methods)
    return f"Methods {what}: {names}" if names else f"No methods {what} are installed: see `solverkit plugins`"
