"""The JSON Schema of suite files, with the options of every method that is installed."""

from __future__ import annotations

from solverkit.bench.suite import Suite
from solverkit.errors import SolverKitError
from solverkit.registry import registry
from solverkit.schema.tree import DIALECT, Json, of_model, suggest, within


def suite() -> Json:
    """The schema of suites. Options are held against the method's own model where the method is installed here."""
    schema = of_model(Suite)
    definitions = schema["$defs"]
    specs = registry.methods()
    within(definitions, "MethodEntry", "method", suggest([spec.name for spec in specs]))
    choices = []
    for spec in specs:
        try:
            model = registry.options(spec)
        except SolverKitError:
            continue  # `solverkit plugins` says what is wrong with it
        options = of_model(model, f"{spec.name}.")
        definitions |= options.pop("$defs")
        definitions[f"options.{spec.name}"] = options
        reference = {"anyOf": [{"$ref": f"#/$defs/options.{spec.name}"}, {"type": "null"}]}
        choices.append(
            {"if": {"properties": {"method": {"const": spec.name}}}, "then": {"properties": {"options": reference}}}
        )
    definitions["MethodEntry"]["allOf"] = choices
    return {"$schema": DIALECT, **schema, "title": "SolverKit suite"}
