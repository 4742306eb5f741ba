"""R9: of 10,000 wrong answers to problems of each kind, none is certified.

What is wrong is decided by closed forms, enumeration or another solver, and written down for each kind in
`tests/verdicts/KIND.py`; how wrong answers are made is in `tests/verdicts/damage.py`. The cases are spread evenly over
the kinds, a fifth of them the adversary's: points that lower what the certificate sees while they stay wrong.
"""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np

from solverkit.kinds.base import PointStatus
from tests.soak import Tally
from tests.verdicts.damage import adversary, wrong
from tests.verdicts.kinds import KINDS, subjects

CASES = 60_000
PER_SUBJECT = 40  # beside those of the adversary


def run(cases: int, seed: int) -> Tally:
    """So many wrong answers, spread evenly over the kinds."""
    tally = Tally()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for index, kind in enumerate(KINDS):
            _run_kind(tally, kind, cases // len(KINDS) + (index < cases % len(KINDS)), seed)
    return tally


def _run_kind(tally: Tally, kind: str, cases: int, seed: int) -> None:
    rng, seen, done, other = np.random.default_rng([seed, KINDS.index(kind)]), Counter[str](), 0, None
    for subject in subjects(kind, rng):
        if done >= cases:
            break
        made = []
        for sort, vector in wrong(subject, other, rng):
            if len(made) >= min(PER_SUBJECT, cases - done):
                break
            verdict = subject.verdict(vector)
            made.append((sort, vector))
            tally.count(_failure(kind, subject.name, sort, subject.error(vector), verdict.status))
            seen[verdict.status.name] += 1
        done, other = done + len(made), subject
        if not made or kind == "dag":  # small steps of W are among its own sorts
            continue
        start = made[int(rng.integers(len(made)))][1]
        near = [vector for sort, vector in made if sort == "near miss"]
        for number, (sort, vector, ratio) in enumerate(adversary(subject, near[0] if near else start, rng)):
            if done >= cases or number >= PER_SUBJECT // 4:
                break
            done += 1
            status = PointStatus.CERTIFIED if ratio <= 1 else PointStatus.FEASIBLE
            tally.count(_failure(kind, subject.name, sort, subject.error(vector), status))
            seen["by the adversary"] += 1
    tally.facts[kind] = f"{done} ({', '.join(f'{count} {name.lower()}' for name, count in sorted(seen.items()))})"


def _failure(kind: str, name: str, sort: str, error: float, status: PointStatus) -> str:
    if status is not PointStatus.CERTIFIED:
        return ""
    return f"{kind}, {name}: {sort}, error {error:.3g} times what is wrong, CERTIFIED"
