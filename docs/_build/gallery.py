"""The pictures of the gallery: the code of each page is executed, and its `picture` becomes a file of the site."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "gallery"
OUT = ROOT / "build" / "gallery"
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def pictures() -> list[Path]:
    """Draw what is older than its page; all files, by name."""
    OUT.mkdir(parents=True, exist_ok=True)
    drawn = []
    for page in sorted(PAGES.glob("*.md")):
        code = CODE.search(page.read_text())
        if code is None:
            continue
        file = OUT / f"{page.stem}.png"
        if not file.exists() or file.stat().st_mtime < page.stat().st_mtime:
            names: dict[str, object] = {}
            exec(compile(code[1], str(page), "exec"), names)
            names["picture"].savefig(file, dpi=100)  # type: ignore[attr-defined]
        drawn.append(file)
    return drawn


def with_pictures(path: str, markdown: str) -> str:
    """The text of a page of the gallery with its picture, of the list with all of them."""
    name = Path(path)
    if name.parent.as_posix() != "gallery":
        return markdown
    if name.stem != "README":
        title = markdown.splitlines()[0].lstrip("# ")
        return f"{markdown}\n![{title}]({name.stem}.png)\n"
    return re.sub(
        r"^- \[(.+?)\]\((\w+)\.md\)$", r"[![\1](\2.png){ width=320 }](\2.md)\n[\1](\2.md)\n", markdown, flags=re.M
    )
