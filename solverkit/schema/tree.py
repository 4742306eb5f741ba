"""What is done to every schema that Pydantic makes before an editor shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Json = dict[str, Any]


def of_model(model: type[BaseModel], prefix: str = "") -> Json:
    """The schema of a model, with `prefix` before the names of its definitions, so that several fit in one document."""
    schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    schema["$defs"] = {f"{prefix}{name}": part for name, part in schema.get("$defs", {}).items()}
    for part in nodes(schema):
        _strict_names(part)
        for content in part.get("properties", {}).values():
            content.pop("title", None)  # the key again, in capitals
    return schema


def nodes(schema: Any) -> Iterator[Json]:
    """Every schema within a schema, itself first."""
    if isinstance(schema, dict):
        yield schema
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for part in inner:
        yield from nodes(part)


def within(definitions: Json, name: str, key: str, change: Callable[[Json], None]) -> None:
    """Apply `change` to the schema of a key of a definition, where there is one."""
    content = definitions.get(name, {}).get("properties", {}).get(key)
    if content is not None:
        change(content)


def suggest(names: list[str]) -> Callable[[Json], None]:
    """A change that makes editors offer names; others stay allowed, for they may be installed elsewhere."""

    def change(content: Json) -> None:
        rules = {key: content.pop(key) for key in list(content) if key not in ("description", "default")}
        content["anyOf"] = [{"enum": names}, rules]

    return change


def _strict_names(part: Json) -> None:
    """A mapping whose keys follow a pattern has no other keys."""
    if isinstance(part.get("patternProperties"), dict):
        part.setdefault("additionalProperties", False)
