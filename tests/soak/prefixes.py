"""R6: a file that is cut at any byte is refused, or means the same as the whole.

Every original of `guarded_files`, and small problem files of each kind, at every byte (long files at 2,000 places).
csv, LIBSVM and YAML files have no end of their own: cut within the last number, or between two lines, they are whole
files of other data, which no reader can tell. There a cut must only be read or refused, as any file.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

import solverkit as sk
from solverkit.errors import SolverKitError
from tests.soak import Tally
from tests.soak.guarded_files import AROUND, PROBLEMS, originals

CASES = 60_000
PLACES = 2000
OPEN_ENDED = (".csv", ".libsvm", ".yaml")
"""Formats without an end of their own: a cut one may be whole."""
SMALL = 3  # problem files of each kind, the shortest


def contents() -> dict[str, list[bytes]]:
    """Whole files by format."""
    found = dict(originals())
    found[".yaml"] = []
    for kind in sorted(PROBLEMS.iterdir()):
        files = [file for file in kind.glob("*/problem.yaml") if len(list(file.parent.iterdir())) == 1]
        found[".yaml"] += [file.read_bytes() for file in sorted(files, key=lambda file: file.stat().st_size)[:SMALL]]
    return found


def run(cases: int, seed: int) -> Tally:
    """So many cuts, shared out over the formats."""
    tally, formats = Tally(), contents()
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(prefix="solverkit-cut-") as name:
        for suffix, files in formats.items():
            if suffix in AROUND:
                (Path(name) / "data.yaml").write_text(AROUND[suffix])
            share = max(cases // len(formats) // max(len(files), 1), 1)
            same = 0
            for content in files:
                cut = partial(_meaning, Path(name), suffix)
                whole = cut(content)
                if whole is None:
                    tally.failures.append(f"a whole {suffix} file is refused")
                    continue
                places = np.arange(len(content))
                if len(places) > min(share, PLACES):
                    places = np.sort(rng.choice(places, min(share, PLACES), replace=False))
                for place in map(int, places):
                    failure, equal = _cut(cut, content[:place], whole, suffix)
                    same += equal
                    tally.count(f"{suffix} cut at byte {place} of {len(content)}: {failure}" if failure else "")
            tally.facts[suffix] = f"{same} the same"
    return tally


def _cut(cut: partial, content: bytes, whole: str, suffix: str) -> tuple[str, bool]:
    try:
        found = cut(content)
    except Exception as error:
        return f"raises {type(error).__name__}: {error}", False
    if found is None or found == whole:
        return "", found == whole
    return ("" if suffix in OPEN_ENDED else "another problem"), False


def _meaning(folder: Path, suffix: str, content: bytes) -> str | None:
    """The fingerprint of what is read; None where it is refused."""
    place = folder / f"data{suffix}"
    place.write_bytes(content)
    path = place.with_suffix(".yaml") if suffix in AROUND else place
    try:
        return sk.load(path).fingerprint()
    except SolverKitError:
        return None
