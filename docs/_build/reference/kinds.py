"""The kinds of problem and the generators of data."""

from __future__ import annotations

import inspect

from docs._build import explanations
from docs._build.markdown import code, docstring, escaped, page, table
from solverkit.registry import registry
from solverkit.registry.specs import KindSpec, SourceSpec


def pages() -> dict[str, str]:
    """`reference/kinds.md` and `reference/sources.md`."""
    return {"reference/kinds.md": _kinds(), "reference/sources.md": _sources()}


def _kinds() -> str:
    return page(
        "# Kinds of problem",
        "What can be solved. Each kind has a problem file, builders in Python, methods, and a certificate of its own.",
        *map(_kind, registry.kinds()),
    )


def _kind(spec: KindSpec) -> str:
    methods = [f"[{code(method.name)}](methods/{method.name}.md)" for method in registry.methods(spec.name)]
    rows = [
        ("problem files", f"[keys](files/{spec.name}.md)"),
        ("from Python", f"[builders](python-problems.md#{spec.name})"),
        ("methods", ", ".join(methods) or "none are installed"),
        ("comes with", escaped(registry.origin(spec).origin)),
    ]
    if certificate := explanations.of_kind(spec.name):
        rows.insert(0, ("certificate", f"[its terms and formulas](../{certificate})"))
    return page(f"## {spec.name}", escaped(spec.summary), table(("", ""), rows))


def _sources() -> str:
    return page(
        "# Generators of data",
        "Seeded arrays by name, for `data: {A: {generate: NAME, size: 100, seed: 1}}`. Other keys are the arguments.",
        *map(_source, registry.sources()),
    )


def _source(spec: SourceSpec) -> str:
    function = registry.source(spec.name)
    rows = [
        (code(parameter.name), "has to be given" if parameter.default is parameter.empty else code(parameter.default))
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    return page(
        f"## {code(spec.name)}",
        f"{escaped(spec.summary)} ({escaped(registry.origin(spec).origin)})",
        docstring(inspect.getdoc(function)),
        table(("argument", "default"), rows) or "It takes no argument.",
    )
