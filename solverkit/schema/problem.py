"""The JSON Schema of problem files: the model of each kind, chosen by what stands under `kind:`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from solverkit.formats.document import model_of
from solverkit.registry import registry
from solverkit.schema.tree import DIALECT, Json, of_model, suggest, within


def problem(kind: str | None = None) -> Json:
    """The schema of problem files, of one kind or of all that are installed.

    Raises UsageError for a kind that nobody has."""
    names = [kind] if kind is not None else [spec.name for spec in registry.kinds()]
    definitions: Json = {}
    choices: list[Any] = []
    for name in names:
        registry.kind(name)
        forms = _forms(name)
        for key, model in forms.items():
            schema = _whole(name, model, f"{name}." if key is None else f"{name}.{key}.")
            definitions |= schema.pop("$defs")
            definitions[_title(name, key)] = schema
        choices.append(_choice(name, list(forms)))
    return {
        "$schema": DIALECT,
        "title": f"SolverKit problem of kind {kind}" if kind is not None else "SolverKit problem",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": names, "description": "kind of problem"}},
        "allOf": choices,
        "$defs": definitions,
    }


def _forms(kind: str) -> dict[str | None, type[BaseModel]]:
    """The models of a kind: what is written in the file itself (None), and by its key what is in a file beside it."""
    from solverkit.formats.load import MPS_KEY, NL_KEY
    from solverkit.formats.mps.document import MpsFile
    from solverkit.formats.nl.document import NlFile
    from solverkit.kinds.inclusion.problem import Inclusion
    from solverkit.kinds.nonlinear.problem import Nonlinear

    beside: dict[str, dict[str | None, type[BaseModel]]] = {
        Nonlinear.kind: {NL_KEY: NlFile},
        Inclusion.kind: {MPS_KEY: MpsFile},
    }
    return {None: model_of(registry.kind(kind)), **beside.get(kind, {})}


def _whole(kind: str, model: type[BaseModel], prefix: str) -> Json:
    schema = of_model(model, prefix)
    schema["title"] = f"{kind} problem"
    schema["properties"]["kind"] = {"const": kind, "description": "kind of problem"}
    sources = [spec.name for spec in registry.sources()]
    within(schema["$defs"], f"{prefix}GeneratedData", "generate", suggest(sources))
    return schema


def _choice(kind: str, keys: list[str | None]) -> Json:
    """Where `kind` is this one, the schema of its form."""
    then: Json = {"$ref": f"#/$defs/{_title(kind, None)}"}
    for key in keys:
        if key is not None:
            then = {"if": {"required": [key]}, "then": {"$ref": f"#/$defs/{_title(kind, key)}"}, "else": then}
    return {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": then}


def _title(kind: str, key: str | None) -> str:
    return kind if key is None else f"{kind}.{key}"
