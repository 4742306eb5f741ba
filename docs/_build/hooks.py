"""What mkdocs calls while it builds the site: generated pages, links to files of the repository, formulas, order."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from mkdocs.exceptions import PluginError  # noqa: E402
from mkdocs.structure.files import File, Files  # noqa: E402

from docs._build import gallery, mathematics, reference, repository  # noqa: E402

ORDER = ("Tutorial", "How to", "Gallery", "Notebooks", "Reference", "Explanation")
NOTEBOOKS = ROOT / "build" / "notebooks"
STYLE = Path(__file__).parent / "site.css"


def on_files(files: Files, config: Any) -> Files:
    """Add the reference, the notebooks that were executed, the schemas, and the files that pages link to."""
    from solverkit import schema

    for path, text in reference.pages().items():
        files.append(File.generated(config, path, content=text))
    for name, content in (("problem", schema.problem()), ("suite", schema.suite())):
        files.append(File.generated(config, f"schema/{name}.json", content=json.dumps(content, indent=1)))
    for picture in gallery.pictures():
        files.append(File.generated(config, f"gallery/{picture.name}", abs_src_path=str(picture)))
    files.append(File.generated(config, "assets/site.css", content=STYLE.read_text()))
    files.append(File.generated(config, "assets/STIXGeneral.ttf", abs_src_path=str(_font())))
    for item in sorted(NOTEBOOKS.rglob("*")) if NOTEBOOKS.is_dir() else ():
        if item.is_file() and item.suffix != ".ipynb":
            where = f"notebooks/{item.relative_to(NOTEBOOKS).as_posix()}"
            files.append(File.generated(config, where, abs_src_path=str(item)))
    wanted: set[str] = set()
    for file in files.documentation_pages():
        wanted |= repository.linked(file.src_uri, file.content_string)
    for path in sorted(wanted):
        files.append(File.generated(config, repository.page_of(path), content=repository.page(path)))
    return files


def _font() -> Path:
    """The STIX font, as matplotlib brings it along under a free licence."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "STIXGeneral.ttf"


def on_nav(nav: Any, config: Any, files: Files) -> Any:
    """Sections in the order in which a reader needs them; files of the repository are reached by links alone."""
    nav.items = [item for item in nav.items if item.title != "Source"]
    nav.items.sort(key=lambda item: ORDER.index(item.title) if item.title in ORDER else -1)
    return nav


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Lead links to files of the repository to their pages."""
    return gallery.with_pictures(page.file.src_uri, repository.rewritten(page.file.src_uri, markdown))


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """Render formulas. A wrong one ends the build with the page and its text."""
    try:
        return mathematics.rendered(html)
    except mathematics.BadFormula as error:
        raise PluginError(f"{page.file.src_uri}: formula {error}") from error
