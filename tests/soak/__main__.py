"""`python -m tests.soak [NAME ...] [--cases N] [--minutes M] [--seed K]`: a line a bar; exit code 1 if one breaks."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

from tests.soak import Tally, TimeIsOver

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("_"))
SHOWN = 40  # failures printed of each bar


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--cases", type=int, help="in place of each bar's own number")
    parser.add_argument("--minutes", type=float, help="of each bar, after which it ends with the cases it has tried")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    broken = 0
    for name in asked.names or NAMES:
        module = importlib.import_module(f"tests.soak.{name}")
        begun = time.perf_counter()
        if asked.minutes:
            Tally.end = time.monotonic() + 60 * asked.minutes
        try:
            tally = module.run(asked.cases or module.CASES, asked.seed)
        except TimeIsOver as over:
            (tally,) = over.args
        facts = "".join(f", {fact} {value}" for fact, value in tally.facts.items())
        seconds = time.perf_counter() - begun
        print(f"{name}: {(module.__doc__ or '').splitlines()[0]}")
        print(f"  {tally.cases} cases, {len(tally.failures)} failures, {seconds:.1f} s{facts}", flush=True)
        for failure in tally.failures[:SHOWN]:
            print(f"  - {failure}")
        broken += bool(tally.failures)
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
