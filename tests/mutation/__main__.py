"""`python -m tests.mutation [AREA ...] [--sample 40]`: the share of mutants that a test kills, and the survivors."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.branches.__main__ import OUT, ROOT, measure
from tests.branches.areas import AREAS
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.trial import KILLED, SURVIVED, TIMED_OUT, trial, warm

JUDGED = tomllib.loads((Path(__file__).with_name("judged.toml")).read_text())
SECONDS = 240.0  # of one mutant; a mutant that does not end counts as killed


@dataclass(frozen=True)
class Case:
    """A mutant, where it is, and the tests that take its line."""

    file: Path
    mutant: Mutant
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.mutant.name}"

    @property
    def text(self) -> str:
        """The line as it stands, by which a judgement knows it when lines move."""
        return self.file.read_text().splitlines()[self.mutant.line - 1].strip()


def cases(area: str, sample: int, seed: int) -> list[Case]:
    """A sample of the area's mutants, the same for the same seed; lines without a test of their own are left out."""
    data = measure(area, reuse=(OUT / area / "report.json").exists())
    report = OUT / area / "contexts.json"
    data.json_report(outfile=str(report), show_contexts=True)
    found = json.loads(report.read_text())["files"]
    files = [file for folder in AREAS[area].tests for file in sorted((ROOT / folder).rglob("test_*.py"))]
    every = []
    for pattern in AREAS[area].files:
        for file in sorted((ROOT / "solverkit").glob(pattern)):
            lines = found.get(str(file.relative_to(ROOT)), {}).get("contexts", {})
            for mutant in mutants(file.read_text()):
                named = {_test(context, files) for context in lines.get(str(mutant.line), ())}
                tests = tuple(sorted(named - {""}))
                if tests:
                    every.append(Case(file, mutant, tests))
    return random.Random(seed).sample(every, min(sample, len(every)))


def _test(context: str, files: list[Path]) -> str:
    """What coverage calls `linear_sequence.test_files.test_x`, in the words of pytest; empty where it is no test."""
    parts = context.split(".")
    for end in range(len(parts) - 1, 0, -1):
        for file in files:
            if file.with_suffix("").parts[-end:] == tuple(parts[:end]):
                return f"{file.relative_to(ROOT)}::{'::'.join(parts[end:])}"
    return ""


def judged(case: Case) -> bool:
    """Whether somebody read it and found that it changes nothing."""
    entries = JUDGED.get(str(case.file.relative_to(ROOT)), [])
    return any(each["line"] == case.text and each["what"] == case.mutant.what for each in entries)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("areas", nargs="*", choices=[*AREAS, []], metavar="AREA", help=", ".join(AREAS))
    parser.add_argument("--sample", type=int, default=40, help="mutants of each area")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    warm()
    low = False
    for area in arguments.areas or list(AREAS):
        begun, ends = time.monotonic(), {KILLED: 0, SURVIVED: 0, TIMED_OUT: 0}
        tried = [case for case in cases(area, arguments.sample, arguments.seed) if not judged(case)]
        with ThreadPoolExecutor(arguments.jobs) as pool:
            found = pool.map(lambda case: trial(case.file, case.mutant.source, case.tests, SECONDS), tried)
            for case, end in zip(tried, found, strict=True):
                ends[end] += 1
                if end == SURVIVED:
                    print(f"  survived: {case.name}    {case.text}", flush=True)
        score = 1 - ends[SURVIVED] / max(len(tried), 1)
        print(f"{area}: {100 * score:.0f} % of {len(tried)} killed ({ends[TIMED_OUT]} did not end), "
              f"{time.monotonic() - begun:.0f} s", flush=True)  # fmt: skip
        low = low or score <= 0.9
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
