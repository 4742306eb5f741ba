"""What the parent and the workers of one `solverkit bench` share, in a hidden folder beside the runs.

It holds a file `stop` once no further run is to be begun, a file a batch that a worker has taken, and a file a worker
in which its last words stand if it dies. A kill of everything leaves it behind; the next command takes it away.
"""

from __future__ import annotations

import os
import shutil
import socket
import uuid
from pathlib import Path

PREFIX = ".session-"
TIMEOUT = "Timeout ("
"""How the last words of a worker begin that was ended because its run took too long; `faulthandler` writes this."""


class Session:
    """One command that makes runs in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.path = folder / f"{PREFIX}{name}"

    @classmethod
    def begin(cls, folder: Path) -> Session:
        """A new one; what dead commands of this machine left is taken away."""
        for old in folder.glob(f"{PREFIX}{_host()}-*"):
            pid = old.name.split("-")[-2]
            if pid.isdigit() and not _alive(int(pid)):
                shutil.rmtree(old, ignore_errors=True)
        session = cls(folder, f"{_host()}-{os.getpid()}-{uuid.uuid4().hex[:8]}")
        session.path.mkdir()
        return session

    def stop(self) -> None:
        """Let every worker end after the run that it has in hand."""
        (self.path / "stop").touch()

    @property
    def stopped(self) -> bool:
        """Whether no further run is to be begun."""
        return (self.path / "stop").exists()

    def take(self, batch: str) -> bool:
        """Whether nobody had this batch before."""
        try:
            os.close(os.open(self.path / f"batch-{batch}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        except FileExistsError:
            return False
        return True

    def last_words(self, worker: str) -> Path:
        """Where a worker's last words stand; `worker` is the name of its file of runs."""
        return self.path / f"{worker}.txt"

    def end(self) -> None:
        """Take the folder away."""
        shutil.rmtree(self.path, ignore_errors=True)


def _host() -> str:
    return "".join(letter for letter in socket.gethostname() if letter.isalnum())[:40] or "host"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
