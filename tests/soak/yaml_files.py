"""R4: 100,000 mutated problem files: read, or refused with line and column; nothing runs, nothing is opened elsewhere.

The corpus is every problem file of the repository that is read within 0.2 s. No file may end in a traceback, take more than
2 s or 512 MB, or do what `tests/fuzz/audit.py` forbids. What is read is also asked for its start and its fingerprint.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

import solverkit as sk
from tests.fuzz.mutate import of_problem
from tests.fuzz.tries import READ, REFUSED, tried
from tests.soak import Tally

CASES = 100_000
PROBLEMS = Path(__file__).parents[2] / "problems"
QUICK, SMALL = 0.2, 300_000  # seconds, bytes of a folder


@cache
def corpus() -> tuple[Path, ...]:
    """Problem files that are read quickly, largest kinds thinned out."""
    found = []
    for file in sorted(PROBLEMS.glob("*/*/problem.yaml")):
        if sum(each.stat().st_size for each in file.parent.rglob("*") if each.is_file()) > SMALL:
            continue
        sk.load(file)
        begun = time.perf_counter()
        sk.load(file)
        if time.perf_counter() - begun < QUICK:
            found.append(file)
    return tuple(found)


def read(path: Path) -> None:
    """All that a user's first command does with a file."""
    problem = sk.load(path)
    problem.start(np.random.default_rng(0))
    problem.fingerprint()


def warm() -> None:
    """Each kind once, so that what they import is there."""
    for kind in {file.parents[1].name: file for file in corpus()}.values():
        read(kind)


def run(cases: int, seed: int) -> Tally:
    """So many mutants."""
    tally, counts = Tally(), {READ: 0, REFUSED: 0}
    with tempfile.TemporaryDirectory(prefix="solverkit-fuzz-") as name:
        for case, outcome in tried(mutants(cases, seed, Path(name)), read, warm):
            counts[outcome] = counts.get(outcome, 0) + 1 if outcome in counts else 0
            tally.count("" if outcome in (READ, REFUSED) else f"{case}: {outcome}")
    tally.facts = {READ: counts[READ], REFUSED: counts[REFUSED]}
    return tally


def mutants(count: int, seed: int, folder: Path) -> Iterator[tuple[str, Path, bytes]]:
    """(name, place, content); the name says how to make it again."""
    files = corpus()
    for index in range(count):
        rng = random.Random(f"{seed} {index}")
        file, other = rng.choice(files), rng.choice(files)
        place = folder / file.parents[1].name / file.parent.name
        if not place.exists():
            shutil.copytree(file.parent, place)
        text = of_problem(file.read_text(), other.read_text(), rng)
        yield f"{file.parent.name}, mutant {index} of seed {seed}", place / file.name, text.encode(errors="replace")
