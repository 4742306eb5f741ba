"""Damaged .nl files: what SolverKit's reader and CasADi's make of them, each file in a process of its own."""

from __future__ import annotations

import os
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import casadi as ca

from solverkit.errors import InvalidProblem
from solverkit.formats.nl.problem import load_nl
from tests.nl.mutants import damaged

MODEL = Path(__file__).parents[3] / "problems" / "nonlinear" / "pyomo-portfolio" / "model.nl"
MUTANTS, CUTS = 200, 80
PATIENCE = 1.0  # seconds until a reader counts as one that does not return
CODES = {0: "accepted", 1: "refused", 2: "other error"}


def ours(path: Path) -> int:
    """0 accepted, 1 refused by name."""
    try:
        load_nl(path)
    except InvalidProblem:
        return 1
    return 0


def theirs(path: Path) -> int:
    """0 accepted, 1 refused by CasADi's exception, 2 another one."""
    try:
        ca.NlpBuilder().import_nl(str(path), {})
    except RuntimeError:
        return 1
    except Exception:
        return 2
    return 0


def outcome(reader: Callable[[Path], int], content: bytes, folder: Path) -> str:
    """What a reader makes of a file."""
    path = folder / "damaged.nl"
    path.write_bytes(content)
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        try:
            code = reader(path)
        except BaseException:
            code = 2
        os._exit(code)
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return CODES[os.WEXITSTATUS(status)] if os.WIFEXITED(status) else "crashed"
        time.sleep(0.002)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return "no return"


def main() -> None:
    content = MODEL.read_bytes()
    rng = random.Random(0)
    step = len(content) // CUTS
    sets = {
        "changed": [damaged(content, rng) for _ in range(MUTANTS)],
        "cut": [content[:length] for length in range(step, len(content), step)],
    }
    words = (*CODES.values(), "no return", "crashed")
    print(f"{'files':<10} {'count':>6}  {'reader':<10}" + "".join(f"{word:>13}" for word in words))
    with tempfile.TemporaryDirectory() as folder:
        for name, files in sets.items():
            for title, reader in (("SolverKit", ours), ("CasADi", theirs)):
                counts = Counter(outcome(reader, damaged_file, Path(folder)) for damaged_file in files)
                print(f"{name:<10} {len(files):>6}  {title:<10}" + "".join(f"{counts[word]:>13}" for word in words))
