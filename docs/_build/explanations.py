"""Which hand-written page explains a method or a kind: found by the names of pages and by their headings."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from markdown.extensions.toc import slugify

DOCS = Path(__file__).parents[1]
EXPLANATION = DOCS / "explanation"


@cache
def _headings() -> dict[str, str]:
    """Names in backticks in a heading of an explanation -> `page.md#anchor`; the first one counts."""
    found: dict[str, str] = {}
    for path in sorted(EXPLANATION.glob("*.md")):
        for line in re.findall(r"^#{1,4} (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE):
            anchor = slugify(line.replace("`", ""), "-")
            for name in re.findall(r"`([^`]+)`", line):
                found.setdefault(name, f"explanation/{path.name}#{anchor}")
    return found


def of_method(name: str) -> str:
    """The page of a method, or the section whose heading names it, from the root of the docs; empty where none does."""
    if (EXPLANATION / f"{name}.md").is_file():
        return f"explanation/{name}.md"
    return _headings().get(name, "")


def of_kind(name: str) -> str:
    """The page of a kind's certificate; empty where there is none."""
    return f"explanation/{name}-certificate.md" if (EXPLANATION / f"{name}-certificate.md").is_file() else ""
