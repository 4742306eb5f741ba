"""How far a suite is: a line that renews itself on a terminal or in a notebook, elsewhere one every few seconds."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable
from typing import IO

from solverkit.bench.record import Outcome
from solverkit.bench.work import Finished
from solverkit.display.notebook import Output, in_notebook
from solverkit.engine.progress import bar
from solverkit.text import clean

EVERY = {True: 0.1, False: 5.0}
"""Seconds between lines: where the line renews itself, and elsewhere."""


class Progress:
    """Counts outcomes and shows them; nothing where `show` is False."""

    def __init__(self, show: bool = True, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stderr
        self._show = show
        self._terminal = show and self._stream.isatty()
        self._output = Output() if show and not self._terminal and in_notebook() else None
        self._total = 0
        self._counts: Counter[Outcome] = Counter()
        self._last = ""
        self._begun = self._shown = time.monotonic()

    def begin(self, total: int) -> None:
        """So many runs are to be made."""
        self._total = total
        self._begun = self._shown = time.monotonic()

    def add(self, finished: Iterable[Finished]) -> None:
        """These runs are over."""
        for run in finished:
            self._counts[run.outcome] += 1
            self._last = f"{run.problem} by {run.label}: {run.outcome.name.lower()} in {run.time:.3g} s"
        self._update()

    def say(self, text: str) -> None:
        """A sentence of its own."""
        if self._show:
            self._erase()
            print(clean(text), file=self._stream, flush=True)

    def end(self) -> None:
        """The last line stays."""
        if self._output is not None:
            self._output.close()
        if self._total and self._show:
            self._erase()
            print(self._line(), file=self._stream, flush=True)

    def _update(self) -> None:
        now = time.monotonic()
        if not self._show or now - self._shown < EVERY[self._terminal or self._output is not None]:
            return
        self._shown = now
        line = f"{self._line()}; {clean(self._last, 200)}"
        share = self._counts.total() / self._total if self._total else None
        if self._output is not None:
            self._output.show(line, share)
        elif self._terminal:
            width = shutil.get_terminal_size((80, 24)).columns
            print(f"\r\x1b[K{(bar(share) + line)[: width - 1]}", end="", file=self._stream, flush=True)
        else:
            print(line, file=self._stream, flush=True)

    def _erase(self) -> None:
        if self._terminal:
            print("\r\x1b[K", end="", file=self._stream)

    def _line(self) -> str:
        """`12 of 40 runs in 31 s: 10 solved, 2 unsolved`"""
        parts = [f"{self._counts[outcome]} {outcome.name.lower()}" for outcome in Outcome if self._counts[outcome]]
        outcomes = f": {', '.join(parts)}" if parts else ""
        return f"{self._counts.total()} of {self._total} runs in {time.monotonic() - self._begun:.0f} s{outcomes}"
