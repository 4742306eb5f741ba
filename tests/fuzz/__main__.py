"""`python -m tests.fuzz [--minutes 5] [--format FORMAT]`: fresh mutants of every format until the time is up.

Every finding is printed with the name that makes it again, and its file is kept in build/fuzz.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.tries import READ, REFUSED, File, tried
from tests.soak import guarded_files, yaml_files

KEPT = Path(__file__).parents[2] / "build" / "fuzz"
FORMATS = ("yaml", *(suffix[1:] for suffix in guarded_files.originals()))
ROUND = 200  # mutants of a format before the next one's turn


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--format", choices=FORMATS, help="this one alone")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    asked = parser.parse_args()
    end, found, count = time.monotonic() + 60 * asked.minutes, 0, 0
    print(f"seed {asked.seed}", flush=True)
    for turn, name in enumerate(itertools.cycle([asked.format] if asked.format else FORMATS)):
        if time.monotonic() > end:
            break
        with tempfile.TemporaryDirectory(prefix="solverkit-fuzz-") as folder:
            module = yaml_files if name == "yaml" else guarded_files
            for case, outcome in tried(_made(name, asked.seed + turn, Path(folder)), module.read, module.warm):
                count += 1
                if outcome not in (READ, REFUSED):
                    found += 1
                    print(f"{name}: {case}: {outcome}", flush=True)
                    _keep(name, case, Path(folder))
    print(f"{count} mutants, {found} findings{f', kept in {KEPT}' if found else ''}")
    return 1 if found else 0


def _made(name: str, seed: int, folder: Path) -> Iterator[File]:
    if name == "yaml":
        return yaml_files.mutants(ROUND, seed, folder)
    return guarded_files.mutants(f".{name}", ROUND, seed, folder)


def _keep(name: str, case: str, folder: Path) -> None:
    """The latest file of the folder is the one that was tried."""
    latest = max((file for file in folder.rglob("*") if file.is_file()), key=lambda file: file.stat().st_mtime)
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name} {case}{latest.suffix}".replace(" ", "-").replace(",", "")).write_bytes(latest.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
