"""Files of the repository that pages link to, as pages of the site: a reader sees them without the repository."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = "docs"
LINK = re.compile(r'(\]\()([^)\s#]+)(#[^)\s]*)?((?:\s+"[^"]*")?\))')
LANGUAGES = {
    ".py": "py",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".sh": "sh",
    ".json": "json",
    ".txt": "text",
}
LARGEST = 300_000
"""Bytes of a file that is shown as a page."""


def linked(page: str, text: str) -> set[str]:
    """Files outside of the docs that a page links to, from the root of the repository.

    page : path of the page below the docs"""
    targets = (_target(page, path) for _, path, _, _ in LINK.findall(text))
    return {target for target in targets if target and _shown(target)}


def rewritten(page: str, text: str) -> str:
    """The text of a page with links to such files led to their pages; `#L12` becomes the anchor of the line."""

    def change(found: re.Match[str]) -> str:
        target = _target(page, found[2])
        if not target or not _shown(target):
            return found[0]
        anchor = re.sub(r"^#L(\d+).*", r"#line-0-\1", found[3] or "")
        return f"{found[1]}{posixpath.relpath(page_of(target), posixpath.dirname(page) or '.')}{anchor}{found[4]}"

    return LINK.sub(change, text)


def page_of(path: str) -> str:
    """Where the page of a file stands, below the docs."""
    return f"source/{path}.md"


def page(path: str) -> str:
    """The page of a file: its text, or for a folder the names in it."""
    file = ROOT / path
    head = f"---\nsearch:\n  exclude: true\nhide: [navigation]\n---\n\n# {path}\n\n"
    if file.is_dir():
        names = sorted(
            f"{item.name}/" if item.is_dir() else item.name for item in file.iterdir() if item.name[0] not in "._"
        )
        return head + "\n".join(f"- `{name}`" for name in names) + "\n"
    text = file.read_text(encoding="utf-8", errors="replace")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{head}{fence}{LANGUAGES.get(file.suffix, 'text')}\n{text.rstrip()}\n{fence}\n"


def _target(page: str, path: str) -> str:
    """The file that a link means, from the root of the repository; empty where it is in the docs or on another host."""
    if re.match(r"[a-z]+:", path) or path.startswith("/"):
        return ""
    target = posixpath.normpath(posixpath.join(DOCS, posixpath.dirname(page), path))
    return "" if target.startswith(("..", f"{DOCS}/")) or target in (".", DOCS) else target


def _shown(path: str) -> bool:
    file = ROOT / path
    return file.is_dir() or (file.is_file() and file.stat().st_size <= LARGEST)
