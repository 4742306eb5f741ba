"""Pages of the reference that are made from the product itself: by path below `docs/`, as Markdown."""

from __future__ import annotations

from docs._build.reference import command_line, files, kinds, methods, python, statuses


def pages() -> dict[str, str]:
    """All generated pages."""
    return {
        **methods.pages(),
        **kinds.pages(),
        **files.pages(),
        **statuses.pages(),
        **command_line.pages(),
        **python.pages(),
    }
