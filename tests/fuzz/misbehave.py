"""A reader that does what the file says, for the test of the judge."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import numpy as np

from solverkit.errors import SolverKitError


def do_what_is_forbidden(path: Path) -> None:
    """A reader that does what the content says."""
    match path.read_text():
        case "write":
            (path.parent / "owned").write_text("")
        case "leave":
            Path("/etc/hostname").read_bytes()
        case "connect":
            socket.socket().close()
        case "run":
            subprocess.run(["true"], check=False)
        case "execute":
            exec(compile("1 + 1", "<file>", "exec"))
        case "die":
            os._exit(3)
        case "eat":
            np.ones(2**27)
        case "raise":
            raise KeyError("x")
        case _:
            raise SolverKitError("refused")


def nothing() -> None:
    """No imports to make."""
