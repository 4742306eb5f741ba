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
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

from solverkit.engine.solver import Stop
from solverkit.errors import SolverKitError

WAIT = 0.05  # seconds between looks


class ChildEnded(Exception):
    """The process ended without an answer: killed, out of memory, or crashed. The message says how."""


def in_child(work: Callable[..., Any], *arguments: Any, look: Callable[[], object]) -> Any:
    """`work(*arguments)` in a child process; what `look` raises, which is called every 0.05 seconds, ends it at once.

    work : a function at the top of a module that can be imported; it, its arguments and its value are pickled, which
        is safe here since both ends are ours

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
        threading.Thread(target=_send, args=(child.stdin, pickle.dumps((work, arguments))), daemon=True).start()
        return _received(child.stdout, child, look)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()


def _send(pipe: IO[bytes], message: bytes) -> None:
    """A message may be larger than the pipe, and the child may be gone."""
    with contextlib.suppress(OSError), pipe:
        pipe.write(message)


def _received(pipe: IO[bytes], child: subprocess.Popen[bytes], look: Callable[[], object]) -> Any:
    parts: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(WAIT):
                look()
                continue
            part = os.read(pipe.fileno(), 1 << 20)
            if not part:
                break
            parts.append(part)
    if not parts:
        code = child.wait()
        raise ChildEnded(f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}")
    failed, answer = pickle.loads(b"".join(parts))
    if failed:
        raise answer if isinstance(answer, Exception) else RuntimeError(answer)
    return answer


def serve() -> None:
    """The child's side: read, work, write. What `work` prints goes nowhere, so that it cannot mix with the answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends this process
    out = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        work, arguments = pickle.loads(sys.stdin.buffer.read())
        message = pickle.dumps((False, work(*arguments)))
    except (Stop, SolverKitError) as error:
        message = pickle.dumps((True, error))
    except Exception as error:
        message = pickle.dumps((True, f"{type(error).__name__}: {error}"))
    with os.fdopen(out, "wb") as pipe:
        pipe.write(message)
