"""What a run shows while it runs: one line that renews itself on a terminal or in a notebook, or a line a second."""

from __future__ import annotations

import sys
from typing import IO, Any, Literal, Protocol

from solverkit.display.notebook import Output, in_notebook
from solverkit.text import clean

Mode = Literal[False, True, "log"]


class Reporter(Protocol):
    """Where a run shows itself."""

    interval: float  # seconds between updates

    def update(self, nit: int, elapsed: float, report: dict[str, float], share: float | None) -> None:
        """Show iteration, seconds, scalars, and the share of the nearest limit that is used, None without a limit."""

    def message(self, text: str) -> None: ...

    def close(self) -> None: ...


def reporter(mode: Mode, method: str, stream: IO[str] | None = None) -> Reporter | None:
    """True: a line on a terminal or in a notebook, nothing elsewhere. "log": a plain line a second. False: nothing."""
    stream = sys.stderr if stream is None else stream
    if mode == "log":
        return PlainLog(stream)
    if mode and stream is not None and stream.isatty():
        return TerminalLine(stream, method)
    if mode and in_notebook():
        return NotebookLine(method)
    return None


def bar(share: float | None, width: int = 12) -> str:
    """`[####........] `, and nothing where no share is known."""
    if share is None:
        return ""
    full = int(width * min(max(share, 0.0), 1.0))
    return f"[{'#' * full}{'.' * (width - full)}] "


def line(nit: int, elapsed: float, report: dict[str, float]) -> str:
    """The same columns for every method: iteration, time, then what it reports."""
    scalars = "  ".join(f"{clean(name)} {value:.6g}" for name, value in report.items())
    return f"iteration {nit:>8}  time {elapsed:9.2f} s  {scalars}".rstrip()


class PlainLog:
    """One line an interval."""

    interval = 1.0

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def update(self, nit: int, elapsed: float, report: dict[str, float], share: float | None) -> None:
        """Print the state of the run."""
        print(line(nit, elapsed, report), file=self._stream, flush=True)

    def message(self, text: str) -> None:
        """Print a sentence of the method."""
        print(clean(text), file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing is left to do."""


class TerminalLine:
    """One line that renews itself, and goes when the run ends. rich is imported here, on a terminal alone."""

    interval = 0.1

    def __init__(self, stream: IO[str], method: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self._method = clean(method)
        self._live: Any = Live(console=Console(file=stream), auto_refresh=False, transient=True)
        self._live.start()

    def update(self, nit: int, elapsed: float, report: dict[str, float], share: float | None) -> None:
        """Renew the line."""
        from rich.text import Text

        text = Text(f"{self._method}  {bar(share)}{line(nit, elapsed, report)}", no_wrap=True, overflow="ellipsis")
        self._live.update(text, refresh=True)

    def message(self, text: str) -> None:
        """Print a sentence of the method above the line."""
        from rich.text import Text

        self._live.console.print(Text(clean(text)))

    def close(self) -> None:
        """Take the line away."""
        self._live.stop()


class NotebookLine:
    """A bar and a line under the cell, which go when the run ends."""

    interval = 0.2

    def __init__(self, method: str) -> None:
        self._method = method
        self._output = Output()

    def update(self, nit: int, elapsed: float, report: dict[str, float], share: float | None) -> None:
        """Renew both."""
        self._output.show(f"{self._method}  {line(nit, elapsed, report)}", share)

    def message(self, text: str) -> None:
        """Print a sentence of the method under the cell."""
        print(clean(text))

    def close(self) -> None:
        """Take them away."""
        self._output.close()
