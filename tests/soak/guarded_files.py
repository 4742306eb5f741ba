"""R5: 10,000 mutated files of each data format: read, or refused; the process lives, and nothing waits.

`.nl`, `.mps`, `.lp`, MatrixMarket, npz and npy, LIBSVM, csv. The originals are those of the repository and small ones
made here. A file may take 2 s of processor time and 512 MB at most, and never ends in a traceback.
"""

from __future__ import annotations

import io
import random
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
import scipy.io
import scipy.sparse

import solverkit as sk
from tests.fuzz.mutate import of_bytes
from tests.fuzz.tries import READ, REFUSED, tried
from tests.soak import Tally

PROBLEMS = Path(__file__).parents[2] / "problems"
LARGEST = 200_000  # bytes of an original
LP = b"""Maximize
 profit: 3 a + 2.5 b - c + 7
Subject To
 time: a + b + c <= 4
 2 <= a + 3 b - c <= 6
Bounds
 -inf <= a <= 3
 b free
End
"""
HEAD = "solverkit: 1\nkind: inclusion\nname: data\n"
AROUND = {
    ".mtx": HEAD + "data: {A: {file: data.mtx}}\ngame: {payoff: A}\n",
    ".npz": HEAD + "data: {A: {file: data.npz, key: A}}\ngame: {payoff: A}\n",
    ".npy": HEAD + "data: {A: {file: data.npy}}\ngame: {payoff: A}\n",
    ".csv": HEAD + "data: {A: {file: data.csv}}\ngame: {payoff: A}\n",
    ".libsvm": HEAD + "data: {A: {file: data.libsvm, key: X}}\ngame: {payoff: A}\n",
}
"""The problem file that reads a data file of each format; .nl, .mps and .lp are problems themselves."""


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


@cache
def originals() -> dict[str, list[bytes]]:
    """Contents by format."""
    A = np.arange(12.0).reshape(3, 4) - 5.5
    sparse = scipy.sparse.coo_array(np.where(A > 0, A, 0.0))
    found = {
        ".mtx": [
            _written(lambda out: scipy.io.mmwrite(out, sparse)),
            _written(lambda out: scipy.io.mmwrite(out, A)),
            _written(lambda out: scipy.io.mmwrite(out, (sparse @ sparse.T).tocoo(), symmetry="symmetric")),
        ],
        ".npz": [_written(lambda out: np.savez(out, A=A)), _written(lambda out: np.savez_compressed(out, A=A, B=A.T))],
        ".npy": [_written(lambda out: np.save(out, A)), _written(lambda out: np.save(out, np.asfortranarray(A)))],
        ".csv": [b"a,b,c\n1,2,3\n-4.5,5e3,6\n", b"1;2\n3;4\n"],
        ".libsvm": [b"1 1:0.5 3:2\n-1 2:1e-3\n1 1:1 2:2 3:3\n", b"+1 1:1 # first\n\n-1 3:4\n"],
        ".lp": [LP, LP.replace(b"\n", b"\r\n")],
        ".nl": [],
        ".mps": [],
    }
    for suffix in (".nl", ".mps"):
        files = sorted((*PROBLEMS.rglob(f"*{suffix}"), *(Path(__file__).parents[1]).rglob(f"*{suffix}")))
        found[suffix] = [file.read_bytes() for file in files if file.stat().st_size < LARGEST]
    return found


CASES = 10_000 * 8


def read(path: Path) -> None:
    """The problem, or the data within one."""
    problem = sk.load(path if path.suffix in (".nl", ".mps", ".lp") else path.with_suffix(".yaml"))
    problem.start(np.random.default_rng(0))


def warm() -> None:
    """Every reader once."""
    with tempfile.TemporaryDirectory() as name:
        for suffix, contents in originals().items():
            if contents:
                _around(Path(name), suffix)
                place = Path(name) / f"data{suffix}"
                place.write_bytes(contents[0])
                try:
                    read(place)
                except sk.SolverKitError:
                    continue


def run(cases: int, seed: int) -> Tally:
    """So many mutants, shared out over the formats."""
    tally, share = Tally(), cases // len(originals())
    counts = {suffix: {READ: 0, REFUSED: 0} for suffix in originals()}
    with tempfile.TemporaryDirectory(prefix="solverkit-fuzz-") as name:
        every = chain.from_iterable(mutants(suffix, share, seed, Path(name)) for suffix in originals())
        for case, outcome in tried(every, read, warm):
            if outcome in (READ, REFUSED):
                counts[case.partition(" ")[0]][outcome] += 1
            tally.count("" if outcome in (READ, REFUSED) else f"{case}: {outcome}")
    tally.facts = {suffix: f"{each[READ]} read, {each[REFUSED]} refused" for suffix, each in counts.items()}
    return tally


def mutants(suffix: str, count: int, seed: int, folder: Path) -> Iterator[tuple[str, Path, bytes]]:
    """(name, place, content)."""
    for index in range(count):
        _around(folder, suffix)
        rng = random.Random(f"{suffix} {seed} {index}")
        yield (
            f"{suffix} mutant {index} of seed {seed}",
            folder / f"data{suffix}",
            of_bytes(rng.choice(originals()[suffix]), rng),
        )


def _around(folder: Path, suffix: str) -> None:
    if suffix in AROUND:
        (folder / "data.yaml").write_text(AROUND[suffix])
