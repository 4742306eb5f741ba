"""Bilevel problems from Python, without a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from solverkit.kinds import from_python
from solverkit.kinds.bilevel.kind import BilevelKind
from solverkit.kinds.bilevel.objective import Given
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.kinds.bilevel.summands import Summands
from solverkit.kinds.source import NamedSource


def bilevel(
    upper: Mapping[str, Any],
    lower: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
    parameters: Mapping[str, float] | None = None,
    name: str = "bilevel",
    expect: Mapping[str, Any] | None = None,
) -> Bilevel:
    """A bilevel problem from the keys of a problem file, with Python functions where a file has texts.

    upper, lower : `variables`, `minimize`, `samples`, `subject_to`, and for the lower level `convex`. `variables` maps
        names to `{shape, start, lower, upper, set}`. `minimize` is an expression, a torch function of the blocks, data
        and parameters by name (`lambda x, y, A, b: ...`), `{"python": function, "degree": 2}` to declare it quadratic,
        which is probed, or a `Summands` object. `samples` names the data and variables whose leading axis counts
        samples. `subject_to` maps names to expressions, or `"inequality"` (<= 0) and `"equality"` (== 0) to torch
        functions of the blocks. `module={"net": net}` adds the parameters of a torch module as the block `net`, which
        functions get as a callable (`modules.py`); `module=net` is short for that
    data : name -> array, sparse matrix or torch tensor. Functions get tensors: floating-point ones in the working
        precision, whole numbers as they are
    parameters : name -> number

    Raises `InvalidProblem` with everything that is wrong.

        problem = bilevel(
            upper=dict(variables={"x": dict(shape=2, start=1.0)}, minimize=lambda x, y: ((x - y) ** 2).sum()),
            lower=dict(variables={"y": dict(shape=2)}, minimize="0.5*sum(y**2) - dot(x, y)"),
        )
    """
    arrays = {key: value.detach().cpu().numpy() if _is_tensor(value) else value for key, value in (data or {}).items()}
    source = NamedSource(name, parameters, arrays, expect)
    levels = {"upper": dict(upper), "lower": dict(lower)}
    models: dict[str, Any] = {}
    for key, level in levels.items():
        models |= _with_modules(level, source, key)
        if isinstance(level.get("minimize"), Summands) and not isinstance(level["minimize"], type):
            level["minimize"] = Given(level["minimize"])
    problem: Bilevel = from_python.build(BilevelKind(), levels, source, models)
    return problem


def _is_tensor(value: Any) -> bool:
    return callable(getattr(value, "detach", None)) and callable(getattr(value, "numpy", None))


def _with_modules(level: dict[str, Any], source: NamedSource, key: str) -> dict[str, Any]:
    """Replace `module` of a level by blocks of parameters; block -> `modules.Stateless`."""
    given = level.pop("module", None)
    if given is None:
        return {}
    from solverkit.kinds.bilevel.modules import Stateless, refusal

    models: dict[str, Any] = {}
    variables = dict(level.get("variables") or {})
    for name, module in (given if isinstance(given, Mapping) else {"net": given}).items():
        wrong = refusal(module)
        if not wrong and name in variables:
            wrong = f"'{name}' is a variable already; choose another name"
        if wrong:
            source.defect((key, "module", name), wrong)
            variables.setdefault(name, {"shape": 1})
            continue
        models[name] = Stateless(module)
        variables[name] = {"shape": len(models[name].start), "start": models[name].start}
    level["variables"] = variables
    return models
