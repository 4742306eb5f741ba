"""R10: of right answers at a tenth of the tolerance, fewer than one in a thousand is refused.

Half are the known answers of `tests/verdicts/KIND.py`, as they are and moved to a tenth of what the certificate lets
pass; half are degenerate ones (`tests/verdicts/degenerate.py`). Each refusal is printed; the bar is their share.
"""

from __future__ import annotations

import warnings
from itertools import islice

import numpy as np

from solverkit.kinds.base import PointStatus
from tests.soak import Tally
from tests.verdicts.damage import near_miss
from tests.verdicts.degenerate import answers
from tests.verdicts.kinds import KINDS, subjects
from tests.verdicts.subject import TOL

CASES = 12_000
SHARE = 1e-3
MOVED = 4  # of each subject, beside the answer itself


def run(cases: int, seed: int) -> Tally:
    """So many right answers."""
    refused: dict[str, list[str]] = {}
    tried: dict[str, int] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for index, kind in enumerate(KINDS):
            refused[kind], tried[kind] = _of_kind(kind, cases // (2 * len(KINDS)), [seed, index])
        refused["degenerate"], tried["degenerate"] = _degenerate(cases - sum(tried.values()), seed)
    tally = Tally(cases=sum(tried.values()))
    found = [failure for failures in refused.values() for failure in failures]
    if len(found) > SHARE * tally.cases:
        tally.failures = found
    tally.facts = {name: f"{len(refused[name])} of {tried[name]} refused" for name in tried}
    return tally


def _of_kind(kind: str, cases: int, seed: list[int]) -> tuple[list[str], int]:
    rng, failures, done = np.random.default_rng(seed), [], 0
    for subject in subjects(kind, rng):
        vectors = [subject.answer] if subject.error(subject.answer) <= max(subject.right, 0.1) else []
        for _ in range(MOVED if subject.right else 0):
            moved = near_miss(subject, rng, subject.right, above=False)
            vectors += [] if moved is None else [moved]
        for vector in islice(vectors, cases - done):
            done += 1
            verdict = subject.verdict(vector, TOL)
            if verdict.status is not PointStatus.CERTIFIED:
                failures.append(f"{kind}, {subject.name}: {_said(verdict)}")
        if done >= cases:
            break
    return failures, done


def _degenerate(cases: int, seed: int) -> tuple[list[str], int]:
    failures = []
    for name, problem, point, certify in islice(answers(np.random.default_rng(seed)), cases):
        verdict = certify(problem, point, TOL, 0)
        if verdict.status is not PointStatus.CERTIFIED:
            failures.append(f"{name}: {_said(verdict)}")
    return failures, cases


def _said(verdict) -> str:
    broken = [f"{term.name} {term.value / term.scaling:.2g}" for term in verdict.terms if not term.ok]
    return f"{verdict.status.name}, {verdict.unverified or ', '.join(broken)}"
