"""SciPy's tests in a process of their own, where patching them reaches nobody else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def run(*arguments: str) -> dict[str, Any]:
    """Counts `passed`, `failed`, `skipped`, `other`, and the `failures`; see `python -m tests.scipy_tests --help`."""
    command = [sys.executable, "-m", "tests.scipy_tests", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])
