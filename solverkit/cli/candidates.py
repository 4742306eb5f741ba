"""What a shell offers when the user presses Tab: names from the registry, and files by their suffix.

Nothing here opens a problem: a Tab has to be answered within the blink of an eye.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from solverkit.registry import registry

PROBLEM_FILE, FOLDER, SUITE_FILE = "problem", "dir", "suite"
"""Types of an item that the shell itself replaces by the names of files; see `solverkit.cli.shells`."""

HEAD = 16_384
"""Bytes of a problem file in which its kind is looked for."""

KIND = re.compile(rb"^kind:\s*[\"']?([A-Za-z0-9_-]+)", re.MULTILINE)


def methods(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Methods; those of the problem's kind where the command line names a file that says so, or a kind."""
    files = [ctx.params.get("file"), *ctx.args]  # click leaves arguments among the rest while an option lacks its value
    kind = ctx.params.get("kind") or next(filter(None, map(kind_of, files)), None)
    return _items(((spec.name, spec.summary) for spec in registry.methods(kind) or registry.methods()), incomplete)


def kinds(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Kinds of problem."""
    return _items(((spec.name, spec.summary) for spec in registry.kinds()), incomplete)


def devices(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Families of devices."""
    return _items((("cpu", ""), ("cuda", "")), incomplete)


def dtypes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Arithmetics."""
    return _items((("float64", ""), ("float32", "")), incomplete)


def plugins(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Installed plugins, the last one of a list separated by commas."""
    before, comma, last = incomplete.rpartition(",")
    names = {name for record in registry.plugins() for name in (record.name, record.distribution) if name}
    found = _items(((name, "") for name in sorted(names)), last)
    return [CompletionItem(f"{before}{comma}{item.value}", help=item.help) for item in found]


def options(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`name=` for every option of the method that the command line names."""
    method = next((spec for spec in registry.methods() if spec.name == ctx.params.get("method")), None)
    if method is None or "=" in incomplete:
        return []
    fields = registry.options(method).model_fields
    return _items(((f"{name}=", info.description or "") for name, info in fields.items()), incomplete)


def problem_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files that hold a problem, and folders on the way to them."""
    return [CompletionItem(incomplete, type=PROBLEM_FILE)]


def suite_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """YAML files, and folders on the way to them."""
    return [CompletionItem(incomplete, type=SUITE_FILE)]


def folders(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Folders."""
    return [CompletionItem(incomplete, type=FOLDER)]


def kind_of(file: str | None) -> str | None:
    """The kind that a YAML file names in its first lines; None where it does not, or cannot be read."""
    if not file or not file.endswith((".yaml", ".yml")):
        return None
    try:
        with open(file, "rb") as stream:
            found = KIND.search(stream.read(HEAD))
    except (OSError, ValueError):
        return None
    return found[1].decode() if found else None


def _items(rows: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=text) for name, text in rows if name.startswith(incomplete)]
