"""Files tried in a process with limits: what reading each of them did."""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from solverkit.errors import InvalidProblem, SolverKitError
from tests.fuzz.audit import Audit

MEMORY = 512 * 2**20  # bytes that one file may take beside what the process has
PATIENCE = 60.0  # seconds until a process that says nothing is ended: much, for a busy machine stops one for a while
SLOW = 2.0  # seconds of processor time
READ, REFUSED = "read", "refused"
File = tuple[str, Path, bytes]
"""Name, place, content."""

Read = Callable[[Path], object]


def tried(files: Iterable[File], read: Read, warm: Callable[[], object]) -> Iterator[tuple[str, str]]:
    """(name, outcome) of each (name, place, content): READ, REFUSED, or what was wrong.

    A content is written to its place, which other files may lie beside; `warm` is called first, so that imports are no
    part of a try. A process that dies or hangs is replaced, and its file named."""
    context = multiprocessing.get_context("spawn")  # a fork of a process that ran torch may hang
    pending = iter(files)
    child: Any = None
    try:
        for name, place, content in pending:
            place.write_bytes(content)
            if child is None or not child[1].is_alive():
                child = _started(context, read, warm)
            pipe, process = child
            pipe.send(place)
            try:
                outcome = pipe.recv() if pipe.poll(PATIENCE) else f"hangs longer than {PATIENCE:g} s"
            except EOFError:
                process.join()
                outcome = f"kills the process: {process.exitcode}"
            if outcome.startswith(("hangs", "kills")):
                process.kill()
                child = None
            yield name, outcome
    finally:
        if child is not None:
            child[1].kill()


def _started(context: Any, read: Read, warm: Callable[[], object]) -> tuple[Any, Any]:
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, read, warm), daemon=True)
    process.start()
    theirs.close()
    ours.recv()
    return ours, process


def _serve(pipe: Any, read: Read, warm: Callable[[], object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    audit = Audit()
    warm()
    gc.freeze()
    size = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, resource.RLIM_INFINITY))
    pipe.send(None)
    while True:
        place = pipe.recv()
        begun = time.process_time()
        audit.begin(place.parent)
        outcome = _outcome(read, place)
        seen, seconds = audit.end(), time.process_time() - begun
        if seen:
            outcome = f"does what it must not: {'; '.join(seen[:3])}"
        elif seconds > SLOW:
            outcome = f"takes {seconds:.1f} s ({outcome})"
        pipe.send(outcome)


def _outcome(read: Read, place: Path) -> str:
    try:
        read(place)
    except InvalidProblem as error:
        lost = [defect for defect in error.defects if defect.file.endswith((".yaml", ".yml")) and not defect.line]
        return f"refused without a place: {lost[0]}" if lost else REFUSED
    except SolverKitError:
        return REFUSED
    except MemoryError:
        return f"takes more than {MEMORY >> 20} MB"
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"raises {type(error).__name__}: {error} at {Path(last.filename).name}:{last.lineno}"
    return READ
