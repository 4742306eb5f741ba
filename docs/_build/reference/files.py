"""The keys of problem and suite files, from their JSON Schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docs._build.markdown import code, escaped, page, table
from solverkit import schema
from solverkit.registry import registry

Json = dict[str, Any]

REFERENCE = "#/$defs/"


def pages() -> dict[str, str]:
    """`reference/files/KIND.md` of each kind, that of suites, and their index."""
    found = {f"reference/files/{spec.name}.md": _kind(spec.name, spec.summary) for spec in registry.kinds()}
    return {"reference/files/index.md": _index(), "reference/files/suite.md": _suite(), **found}


def _index() -> str:
    kinds = [f"- [{spec.name}]({spec.name}.md): {escaped(spec.summary)}" for spec in registry.kinds()]
    return page(
        "# Keys of files",
        "Made from the JSON Schemas that `solverkit schema` prints "
        "([problem](../../schema/problem.json), [suite](../../schema/suite.json)); "
        "[how an editor uses them](../../how-to/editors.md). What the keys mean is told on "
        "[the page of problem files](../problem-files.md).",
        "\n".join([*kinds, "- [suite](suite.md): what `solverkit bench` runs"]),
    )


def _kind(kind: str, summary: str) -> str:
    content = schema.problem(kind)
    definitions = content["$defs"]
    parts = [f"# Keys: {kind}", f"A problem file of kind {code(kind)}: {escaped(summary)}."]
    for name in (name for name in definitions if not _part(definitions, name)):
        parts += [f"## {'In the file' if name == kind else 'With a file beside it: ' + code(name.rpartition('.')[2])}"]
        parts += [_model(definitions[name], definitions)]
    return page(*parts, *_definitions(definitions, kind))


def _part(definitions: Json, name: str) -> bool:
    """Whether a definition is a part of a file rather than a whole one."""
    return "solverkit" not in definitions[name].get("properties", {})


def _definitions(definitions: Json, kind: str) -> Iterator[str]:
    shown = set()
    for name, content in definitions.items():
        label = _label(name)
        if (
            "properties" in content
            and _part(definitions, name)
            and label not in shown
            and not name.startswith("options.")
        ):
            shown.add(label)
            yield page(f"## {label}", _model(content, definitions))


def _suite() -> str:
    content = schema.suite()
    options = sorted(name.removeprefix("options.") for name in content["$defs"] if name.startswith("options."))
    links = ", ".join(f"[{code(name)}](../methods/{name}.md#options)" for name in options)
    return page(
        "# Keys: suite",
        "What [`solverkit bench`](../../how-to/benchmark.md) reads.",
        _model(content, content["$defs"]),
        *_definitions(content["$defs"], "suite"),
        "## Options of methods",
        f"`options` of a method are those of its page: {links}.",
    )


def _model(content: Json, definitions: Json) -> str:
    needed = content.get("required", [])
    rows = [
        (
            code(key),
            _words(value),
            "yes" if key in needed else _default(value),
            escaped(_description(value, definitions)),
        )
        for key, value in content["properties"].items()
    ]
    one = [names for rule in content.get("oneOf", []) for names in rule.get("required", [])]
    return page(
        escaped(content.get("description", "")),
        table(("key", "value", "needed, or default", "meaning"), rows),
        f"Exactly one of {', '.join(map(code, one))}." if one else "",
    )


def _default(value: Json) -> str:
    default = value.get("default")
    if isinstance(default, bool):
        return code(str(default).lower())
    return "" if default in (None, []) or isinstance(default, dict) else code(default)


def _description(value: Json, definitions: Json) -> str:
    reference = value.get("$ref", "").removeprefix(REFERENCE)
    return value.get("description") or definitions.get(reference, {}).get("description", "")


def _label(name: str) -> str:
    return name.rpartition(".")[2]


def _words(value: Json) -> str:
    """What a key may hold, in words; parts with keys of their own are links to their table."""
    if "$ref" in value:
        label = _label(value["$ref"].removeprefix(REFERENCE))
        return f"[{label}](#{label.lower()})"
    if "const" in value:
        return code(value["const"])
    if "enum" in value:
        choices = [choice for choice in value["enum"] if choice is not None]
        return " or ".join(code(choice) for choice in choices) if len(choices) <= 6 else "a name"
    for rule in ("anyOf", "oneOf"):
        if rule in value:
            words = dict.fromkeys(_words(part) for part in value[rule] if part.get("type") != "null")
            return " or ".join(words)
    kind = value.get("type")
    if isinstance(kind, list):
        return " or ".join(_words({**value, "type": one}) for one in kind if one != "null")
    if kind == "array":
        return f"list of {_words(value['items'])}" if value.get("items") else "list"
    if kind == "object":
        inner = [*value.get("patternProperties", {}).values(), value.get("additionalProperties")]
        models = [part for part in inner if isinstance(part, dict)]
        return f"mapping of names to {_words(models[0])}" if models else "mapping"
    return {"string": "text", "number": "number", "integer": "integer", "boolean": "true or false"}.get(
        str(kind), "any"
    )
