"""A process that tries files, and may crash, hang or eat memory in place of ours."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from solverkit.reduction.failure import Failure, Question, failure


class Child:
    """Tries one file after another; a new process replaces one that died or had to be killed."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._process: Any = None
        self._pipe: Connection | None = None

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()

    def __call__(self, file: Path) -> Failure | None:
        """How the file fails; None where all is well."""
        pipe = self._started()
        try:
            pipe.send(file)
            if not pipe.poll(self.question.limit):
                self._kill()
                return Failure("hangs", (f"longer than {self.question.limit:g} s",))
            return pipe.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            code = self._process.exitcode
            self._kill()
            return Failure("dies", (signal.Signals(-code).name if code < 0 else f"exit code {code}",))

    def _started(self) -> Connection:
        """The pipe to a process that is ready: the time that Python needs to start is no part of a try."""
        if self._pipe is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self.question), daemon=True)
            self._process.start()
            theirs.close()
            self._pipe.recv()
        return self._pipe

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None


def _serve(pipe: Connection, question: Question) -> None:
    """Answer until the pipe closes. Ctrl-C is for the parent, which ends this process."""
    _imports(question)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe.send(None)
    with contextlib.suppress(EOFError), contextlib.redirect_stdout(None), contextlib.redirect_stderr(None):
        while True:
            pipe.send(failure(pipe.recv(), question))


def _imports(question: Question) -> None:
    """What a try would import, so that its time is the file's."""
    from solverkit import api as api
    from solverkit.engine import driver as driver
    from solverkit.formats import document as document
    from solverkit.registry import registry

    if question.method:
        spec = registry.method(question.method)
        registry.kind(spec.kind)
        registry.resolve(spec)
