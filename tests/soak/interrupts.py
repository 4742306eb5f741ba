"""R8: Ctrl-C at random moments of real commands: the first ends them with the best point, a second one at once.

Every method on its small problem, told to run long; SIGINT after a random time, in imports, reading, solving or
certifying. The command ends within PATIENCE, without a traceback, by exit code 130 or as it would have ended. Every
third case gets a second SIGINT half a second later, and has one second left then.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.methods.subjects import Chosen, chosen
from tests.soak import Tally

CASES = 100 * 37
PATIENCE = 5.0  # seconds after the first; a certificate may be under way
AGAIN = 1.0  # seconds after the second
LATEST = 4.0  # seconds after the start


def run(cases: int, seed: int) -> Tally:
    """So many interrupts, each method in its turn."""
    tally, rng = Tally(), np.random.default_rng(seed)
    codes: dict[str, int] = {}
    slowest = 0.0
    while tally.cases < cases:
        each = chosen()[tally.cases % len(chosen())]
        twice = tally.cases % 3 == 2
        moment = rng.uniform(0.1, LATEST)
        failure, code, seconds = _interrupted(each, moment, twice)
        slowest = max(slowest, seconds)
        codes[f"code {code}"] = codes.get(f"code {code}", 0) + 1
        tally.count(
            f"{each.method}, SIGINT after {moment:.2f} s{', twice' if twice else ''}: {failure}" if failure else ""
        )
    tally.facts = {"slowest end": f"{slowest:.2f} s", **{name: codes[name] for name in sorted(codes)}}
    return tally


def _interrupted(each: Chosen, moment: float, twice: bool) -> tuple[str, int | None, float]:
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "run"
        command = [
            sys.executable, "-m", "solverkit", "solve", str(each.path), "--method", each.method,
            "--tol", "1e-14", "--max-time", "60", "--out", str(out), "--quiet",
        ]  # fmt: skip
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            preexec_fn=_interactive,
        )  # fmt: skip
        time.sleep(moment)
        begun, patience = time.monotonic(), PATIENCE
        if process.poll() is None:
            os.kill(process.pid, signal.SIGINT)
        if twice:
            try:
                process.wait(0.5)
            except subprocess.TimeoutExpired:
                begun, patience = time.monotonic(), AGAIN
                os.kill(process.pid, signal.SIGINT)
        try:
            _, said = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return "does not end within 60 s", None, 60.0
        seconds = time.monotonic() - begun
        code = 130 if process.returncode == -signal.SIGINT else process.returncode  # as a shell sees it
        if "Traceback" in said:
            return f"a traceback: {said[-300:]}", code, seconds
        if code not in (0, 3, 4, 5, 130):
            return f"exit code {code}: {said[-300:]}", code, seconds
        if seconds > patience:
            return f"ends {seconds:.1f} s later", code, seconds
        return "", code, seconds


def _interactive() -> None:
    """A background process of a shell ignores SIGINT; one at a terminal does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
