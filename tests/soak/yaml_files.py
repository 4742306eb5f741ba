"""R4: 100,000 mutated problem files: read, or refused with line and column; nothing runs, nothing is opened elsewhere.

The corpus is every problem file of the repository but those that generate or read much. No file may end in a traceback,
take more than 2 s or 512 MB, or do what `tests/fuzz/audit.py` forbids. What is read also tells its start and its
fingerprint.
"""

from __future__ import annotations

import importlib
import pkgutil
import random
import re
import shutil
import tempfile
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
SMALL = 300_000  # bytes of a folder
SLOW = (
    "breast-cancer-log-l2", "digits-cleaning-30", "digits-cleaning-50", "digits-representation", "tv-denoising-1000",
    "qp-lower-bound", "heat-equation", "newton-p-laplace",
)  # fmt: skip
"""Files that take more than 0.2 s as they are, so that a mutant of them could be called slow."""


@cache
def corpus() -> tuple[Path, ...]:
    """Problem files by kind and name."""
    files = (file for file in sorted(PROBLEMS.glob("*/*/problem.yaml")) if file.parent.name not in SLOW)
    return tuple(file for file in files if sum(each.stat().st_size for each in file.parent.iterdir()) <= SMALL)


def read(path: Path) -> None:
    """All that a user's first command does with a file."""
    problem = sk.load(path)
    problem.start(np.random.default_rng(0))
    problem.fingerprint()


def warm() -> None:
    """Every module of the core, each kind and each generator once: the classes that they make are no part of a try."""
    for module in pkgutil.walk_packages(sk.__path__, "solverkit."):
        if not module.name.endswith(("__main__", ".pyomo.factory")):
            importlib.import_module(module.name)
    for name in ("sklearn.datasets", "casadi", "networkx", "pandas", "torch"):
        importlib.import_module(name)
    for file in {_sort(file): file for file in corpus()}.values():
        read(file)


def _sort(file: Path) -> tuple[str, ...]:
    """The kind of a file and the generators that it names."""
    return (file.parents[1].name, *re.findall(r"generate: ([\w-]+)", file.read_text()))


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
