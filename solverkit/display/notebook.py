"""One output of a notebook that renews itself: a bar and a line of text."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from solverkit.display.html import text as escaped


def in_notebook() -> bool:
    """Whether a kernel of Jupyter's runs this: a shell of IPython with a connection to a page. Nothing is imported."""
    shell = sys.modules.get("IPython")
    current = shell.get_ipython() if shell is not None else None
    return current is not None and hasattr(current, "kernel")


class Output:
    """Appears with the first `show`."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str, share: float | None) -> None:
        """The line, and a bar where a share between 0 and 1 is known."""
        bar = "" if share is None else f"<progress max='1' value='{share:.3f}'></progress> "
        self._put(f"{bar}<code style='white-space:pre-wrap'>{escaped(text)}</code>")

    def close(self) -> None:
        """Leave nothing behind."""
        if self._handle is not None:
            self._put("")

    def _put(self, page: str) -> None:
        screen = import_module("IPython.display")  # there wherever a kernel is; no dependency of ours
        if self._handle is None:
            self._handle = screen.display(screen.HTML(page), display_id=True)
        else:
            self._handle.update(screen.HTML(page))
