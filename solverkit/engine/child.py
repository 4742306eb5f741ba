"""Foreign code in a process of its own, which can be ended at any moment.

The process is a fresh Python that imports the module of the function and nothing else. `multiprocessing` would import
the user's script as well, and run it a second time where it has no `if __name__ == "__main__"`.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import selectors
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

from solverkit.engine.solver import Stop
from solverkit.errors import SolverKitError

WAIT = 0.05  # seconds between looks
LENGTH = struct.Struct("<Q")  # before each message: its bytes
ASKED, ENDED, FAILED = "asked", "ended", "failed"


class ChildEnded(Exception):
    """The process ended without an answer: killed, out of memory, or crashed. The message says how."""


def in_child(
    work: Callable[..., Any],
    *arguments: Any,
    look: Callable[[], object],
    reply: Callable[[Any], Any] | None = None,
) -> Any:
    """`work(*arguments)` in a child process; what `look` raises, which is called every 0.05 seconds, ends it at once.

    work : a function at the top of a module that can be imported; it, its arguments and its value are pickled, which
        is safe here since both ends are ours
    reply : answers what the child asks, here; `work` has a function as its first argument then, which asks and waits.
        What `reply` raises ends the child too, and is raised here

    A `Stop` and errors of SolverKit's own are raised here as they were, another exception of `work` as RuntimeError
    with the child's words. Raises ChildEnded where there is no answer.
    """
    command = [sys.executable, "-c", "from solverkit.engine.child import serve; serve()"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        first = _packed((work, arguments, reply is not None))
        threading.Thread(target=_send, args=(child.stdin, first), daemon=True).start()
        while True:
            kind, said = _received(child.stdout, child, look)
            if kind != ASKED or reply is None:
                break
            _send(child.stdin, _packed(reply(said)))
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        with contextlib.suppress(OSError):  # a message that the child did not take
            child.stdin.close()
    if kind == FAILED:
        raise said if isinstance(said, Exception) else RuntimeError(said)
    return said


def _packed(message: Any) -> bytes:
    data = pickle.dumps(message)
    return LENGTH.pack(len(data)) + data


def _send(pipe: IO[bytes], data: bytes) -> None:
    """A message may be larger than the pipe, and the child may be gone."""
    with contextlib.suppress(OSError, ValueError):
        pipe.write(data)
        pipe.flush()


def _received(pipe: IO[bytes], child: subprocess.Popen[bytes], look: Callable[[], object]) -> tuple[str, Any]:
    """The child's next message; ChildEnded where it ends before it is whole."""
    parts = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while len(parts) < LENGTH.size or len(parts) < LENGTH.size + LENGTH.unpack_from(parts)[0]:
            if not selector.select(WAIT):
                look()
                continue
            part = os.read(pipe.fileno(), 1 << 20)
            if not part:
                code = child.wait()
                raise ChildEnded(f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}")
            parts += part
    kind, said = pickle.loads(memoryview(parts)[LENGTH.size :])
    return kind, said


def serve() -> None:
    """The child's side: read, work, write. What `work` prints goes nowhere, so that it cannot mix with the answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends this process
    out = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    with os.fdopen(out, "wb") as pipe:
        try:
            work, arguments, asks = _read(sys.stdin.buffer)
            ask = [lambda question: _asked(pipe, question)] if asks else []
            _tell(pipe, (ENDED, work(*ask, *arguments)))
        except (Stop, SolverKitError) as error:
            _tell(pipe, (FAILED, error))
        except Exception as error:
            _tell(pipe, (FAILED, f"{type(error).__name__}: {error}"))


def _tell(pipe: IO[bytes], message: Any) -> None:
    pipe.write(_packed(message))
    pipe.flush()


def _asked(pipe: IO[bytes], question: Any) -> Any:
    _tell(pipe, (ASKED, question))
    return _read(sys.stdin.buffer)


def _read(pipe: IO[bytes]) -> Any:
    (length,) = LENGTH.unpack(pipe.read(LENGTH.size))
    return pickle.loads(pipe.read(length))
