"""The promise as the core keeps it now: names, hooks, records, signatures, and the order of calls."""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import json
from pathlib import Path
from typing import Any

from solverkit import plugin
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.kinds.composite.problem import Composite
from solverkit.kinds.dag.problem import Dag
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.linear_sequence.problem import LinearSequence
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit.plugin import Kind, Observe, OneShotSolver, Problem, Solver, Source
from solverkit.registry import hookspecs
from solverkit.testing import SolverConformance
from tests.promise.called import called

STORED = Path(__file__).with_name("promise.json")
RECORDS = (plugin.SolverSpec, plugin.KindSpec, plugin.SourceSpec, plugin.CommandSpec)
DATA = (plugin.Context, plugin.Certificate, plugin.Term, plugin.Weighted, plugin.Block, plugin.Constraints)
PROTOCOLS: tuple[Any, ...] = (
    Solver,
    OneShotSolver,
    plugin.Stop,
    Kind,
    Problem,
    Source,
    plugin.Charge,
    plugin.Log,
    Observe,
)
PROBLEMS: tuple[Any, ...] = (Bilevel, Composite, Dag, Inclusion, LinearSequence, Nonlinear)
CALLED = ("__init__", "__call__", "__getitem__")  # public, though not by name
MEMBERS = (plugin.PointStatus, plugin.Termination)


def promise() -> dict[str, Any]:
    """All of it, in JSON's own types."""
    return {
        "api": plugin.API,
        "names": sorted(plugin.__all__),
        "hooks": {name: _signature(vars(hookspecs)[name]) for name in sorted(vars(hookspecs)) if _is_hook(name)},
        "records": {each.__name__: _fields(each) for each in RECORDS},
        "data": {each.__name__: _fields(each) for each in DATA},
        "protocols": {each.__name__: _members(each) for each in (*PROTOCOLS, *DATA)},
        "problems": {each.kind: _problem(each) for each in PROBLEMS},
        "members": {each.__name__: [member.name for member in each] for each in MEMBERS},
        "calls": called(),
        "conformance": sorted(name for name in vars(SolverConformance) if name.startswith("test_")),
        "conformance_settings": [
            name for name in inspect.get_annotations(SolverConformance) if not name.startswith("_")
        ],
    }


def differences(stored: dict[str, Any], now: dict[str, Any], path: str = "") -> list[str]:
    """Where the promise was broken or grew, a line each. The order of keys counts: records are made by position."""
    found = []
    before, after = [key for key in stored if key in now], [key for key in now if key in stored]
    if before != after:
        found.append(f"the order of {path} was {', '.join(before)}, is {', '.join(after)}")
    for key in sorted({*stored, *now}, key=str):
        here = f"{path}.{key}" if path else str(key)
        if key not in now:
            found.append(f"{here} is gone")
        elif key not in stored:
            found.append(f"{here} is new")
        elif isinstance(stored[key], dict) and isinstance(now[key], dict):
            found += differences(stored[key], now[key], here)
        elif stored[key] != now[key]:
            found.append(f"{here} was {stored[key]!r}, is {now[key]!r}")
    return found


def stored() -> dict[str, Any]:
    """What was promised."""
    return json.loads(STORED.read_text())


def _fields(record: Any) -> dict[str, str]:
    return {field.name: _default(field) for field in dataclasses.fields(record)}


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return getattr(field.default, "__qualname__", None) or repr(field.default)
    return "made anew" if field.default_factory is not dataclasses.MISSING else "required"


def _problem(problem: Any) -> dict[str, str]:
    """What a method may ask of a problem of the core: its fields, members, and the counter of each oracle."""
    found = _members(problem) | {field.name: "field" for field in dataclasses.fields(problem)}
    for name, counter in problem.oracles.items():
        word = counter if isinstance(counter, str) else f"{counter.counter}, weighted"
        found[name] = f"{_signature(getattr(problem, name))}, {word}"
    return {name: found[name] for name in sorted(found) if not name.startswith("_")}


def _is_hook(name: str) -> bool:
    return name.startswith("solverkit_")


def _members(protocol: Any) -> dict[str, str]:
    """Signatures of its methods, "property" for properties, "attribute" for what is declared alone; by name."""
    fields = {field.name for field in dataclasses.fields(protocol)} if dataclasses.is_dataclass(protocol) else set()
    found = {name: "attribute" for name in inspect.get_annotations(protocol) if not name.startswith("_")}
    for name, member in vars(protocol).items():
        if name.startswith("_") and name not in CALLED:
            continue
        if isinstance(member, (property, functools.cached_property)):
            found[name] = "property"
        elif inspect.isfunction(member):
            found[name] = _signature(member)
    if dataclasses.is_dataclass(protocol) or getattr(protocol, "_is_protocol", False):
        found.pop("__init__", None)  # written by Python, not by us
    return {name: found[name] for name in sorted(found) if name not in fields}


def _signature(function: Any) -> str:
    """Names and defaults of the parameters: what a caller or an override depends on."""
    shown = []
    for parameter in inspect.signature(function).parameters.values():
        default = "" if parameter.default is parameter.empty else f"={_plain(parameter.default)}"
        star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        shown.append(f"{star}{parameter.name}{default}")
    return f"({', '.join(shown)})"


def _plain(value: Any) -> str:
    return value.name if isinstance(value, enum.Enum) else repr(value)
