"""A page for every method, from the facts that `solverkit describe` prints, and a list of all."""

from __future__ import annotations

from typing import Any

from docs._build import explanations
from docs._build.markdown import code, escaped, page, table
from solverkit.cli import facts
from solverkit.registry import registry
from solverkit.registry.specs import SolverSpec


def pages() -> dict[str, str]:
    """`reference/methods/NAME.md` of each, and their index."""
    found = {f"reference/methods/{spec.name}.md": _page(spec) for spec in registry.methods()}
    return {"reference/methods/index.md": _index(), **found}


def _index() -> str:
    parts = [
        "# Methods",
        "By kind of problem, the preferred ones first. `solverkit methods --for FILE` lists those that fit a file.",
    ]
    for kind in registry.kinds():
        specs = registry.methods(kind.name)
        rows = [(f"[{code(spec.name)}]({spec.name}.md)", escaped(spec.summary), escaped(spec.pays)) for spec in specs]
        parts += [f"## {kind.name}", table(("method", "what it is", "use it where"), rows)]
    return page(*parts)


def _page(spec: SolverSpec) -> str:
    options = facts.options(spec)
    explained = explanations.of_method(spec.name)
    links = [f"for [{spec.kind}](../kinds.md#{spec.kind}) problems"]
    if explained:
        links.append(f"[how it works](../../{explained})")
    rows = [(name, escaped(text)) for name, text in facts.facts(spec)]
    return page(
        f"# {code(spec.name)}",
        f"{escaped(spec.summary)} ({'; '.join(links)})",
        table(("", ""), rows),
        f"```\nsolverkit solve problem.yaml --method {spec.name}\n```",
        "## Options",
        "Given by `--set name=value`, by `options={...}` in Python, and by `options:` in a suite."
        if options
        else "None.",
        *map(_option, options),
        "## Limits",
        f"The same for every method: {', '.join(map(code, facts.LIMITS))}; see [`solve`](../command-line.md#solve).",
    )


def _option(entry: dict[str, Any]) -> str:
    symbol = f", {escaped(entry['symbol'])} of the paper" if entry["symbol"] else ""
    default = facts.default(entry)
    text = f"default {code(default)}" if default else facts.absent_default(entry)
    equation = f" {escaped(entry['equation'])}" if entry["equation"] else ""
    return page(
        f"### {code(entry['name'])}",
        f"*{escaped(facts.values(entry))}*; {text}{symbol}",
        escaped(entry["description"]) + equation,
    )
