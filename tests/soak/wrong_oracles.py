"""R11: of 200 wrong oracles, over all kinds, every one is seen by the certificate at the right answer.

What is made wrong, and how, is in `tests/verdicts/mutants.py`. Each is tried at an answer that the right oracles
certify, so that nothing but the oracle can be at fault; a seed more brings other problems.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator

import numpy as np

from solverkit.kinds.base import PointStatus
from tests.soak import Tally
from tests.verdicts.mutants import KINDS, Mutant

CASES = 2000


def run(cases: int, seed: int) -> Tally:
    """So many wrong oracles, the kinds in turn."""
    tally, caught, held = Tally(), Counter[str](), Counter[str]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for mutant in _in_turn(seed):
            if tally.cases >= cases:
                break
            if mutant.right().status is not PointStatus.CERTIFIED:
                tally.count(f"{mutant.kind}: {mutant.name}: the answer is not certified with the right oracle")
                continue
            passed = mutant.wrong().status is PointStatus.CERTIFIED
            tally.count(f"{mutant.kind}: {mutant.name}: CERTIFIED" if passed else "")
            held[mutant.kind] += 1
            caught[mutant.kind] += not passed
    tally.facts = {kind: f"{caught[kind]} of {held[kind]}" for kind in held}
    return tally


def _in_turn(seed: int) -> Iterator[Mutant]:
    number = 0
    while True:
        turns = [make(np.random.default_rng([seed, number, index])) for index, make in enumerate(KINDS)]
        while turns:
            for turn in list(turns):
                mutant = next(turn, None)
                if mutant is None:
                    turns.remove(turn)
                else:
                    yield mutant
        number += 1
