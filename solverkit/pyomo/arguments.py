"""What Pyomo users pass to `solve` besides its own arguments: honoured, or refused by name.

| argument | here |
|---|---|
| keepfiles, solnfile | nothing is written on the way; true or a path is refused |
| symbolic_solver_labels | names are the model's, either way |
| logfile | the progress and the result go there |
| report_timing | seconds of writing, solving, certifying and loading are printed |
| suffixes | names of `prices.SUFFIXES`; the model's own suffixes say where they go |
| solver_io, io_options, options_string, add_options, solver, executable, ... | refused |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from solverkit.errors import UsageError
from solverkit.pyomo.prices import SUFFIXES

REFUSED = {
    "keepfiles": "no files are written on the way; model.write('model.nl') writes the model",
    "solnfile": "no files are written on the way; options={'out': FOLDER} keeps the result",
    "options_string": "give options={...}",
    "add_options": "give options={...}",
    "solver_options": "give options={...}",
    "io_options": "the model is not given to another program",
    "solver": "give method=...",
    "executable": "the solver runs in this process; method=... names which",
    "raise_exception_on_nonoptimal_result": "pyo.assert_optimal_termination(results) raises",
}
"""Pyomo's arguments without a counterpart, and what to do instead; false, None and empty ones say nothing."""


def check(given: Mapping[str, Any]) -> None:
    """Raise UsageError for the first argument that is not honoured."""
    for name, value in given.items():
        if name in ("solver_io", "symbolic_solver_labels") and value in (None, "nl", True, False):
            continue
        if name == "suffixes":
            unknown = [suffix for suffix in value or () if suffix not in (*SUFFIXES, ".*")]
            if unknown:
                raise UsageError(f"suffixes: '{unknown[0]}' is not filled here; there are {', '.join(SUFFIXES)}")
            continue
        if name in REFUSED and not value:
            continue
        remedy = REFUSED.get(name, "see solverkit.pyomo.SolverKit.solve for those that are")
        raise UsageError(f"argument {name!r} is not taken by the solver 'solverkit': {remedy}")


def parsed(text: str) -> dict[str, Any]:
    """Options as Pyomo's `set_options` takes them: `name=value name=value`, numbers as numbers."""
    found: dict[str, Any] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"options: {word!r} has no value; write name=value")
        found[name] = _number(value)
    return found


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)
