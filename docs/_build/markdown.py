"""Texts of the product as Markdown: nothing in them acts as markup but what they mean as such."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

SPECIAL = re.compile(r"([\\*_<>\[\]$#|~])")


def escaped(text: object) -> str:
    """One line of plain text; parts between backticks stay code."""
    parts = re.split(r"(`[^`]+`)", " ".join(str(text).split()))
    return "".join(part.replace("|", "\\|") if number % 2 else _plain(part) for number, part in enumerate(parts))


def _plain(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text).replace("&", "&amp;")


def code(text: object) -> str:
    """A text as code within a line or a cell of a table."""
    content = str(text).replace("|", "\\|")
    return f"`` {content} ``" if "`" in content else f"`{content}`"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; empty where there are no rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *lines]) if lines else ""


def page(*parts: str) -> str:
    """Blocks with empty lines between them; empty ones are left out."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def docstring(text: str | None) -> str:
    """A docstring: paragraphs, tables, `name : meaning` lines as a list, indented formulas as code."""
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(text or ""))
    return page(*map(_block, blocks)).strip() if text else ""


def _block(block: str) -> str:
    lines = block.split("\n")
    if all(line.startswith("|") for line in lines):
        return block
    if all(line.startswith(" ") for line in lines):
        return f"```text\n{inspect.cleandoc(block)}\n```"
    if len(lines) > 1 and re.fullmatch("-{3,}", lines[1]):
        return page(f"**{escaped(lines[0])}**", _block("\n".join(lines[2:])) if lines[2:] else "").strip()
    if _is_list(lines):
        return _list(lines)
    if all(re.match(r"[-*] |  ", line) for line in lines):
        return "\n".join(f"- {escaped(item)}" for item in re.split(r"\n?^[-*] ", block, flags=re.MULTILINE) if item)
    return escaped(block)


def _is_list(lines: list[str]) -> bool:
    return bool(re.match(r"[\w*, .]+ : ", lines[0]))


def _list(lines: list[str]) -> str:
    items: list[str] = []
    for line in lines:
        if re.match(r"[\w*, .]+ : ", line):
            items.append(line)
        else:
            items[-1] += f" {line.strip()}"
    rows = [item.split(" : ", 1) for item in items]
    return "\n".join(f"- {code(name)}: {escaped(text)}" for name, text in rows)
