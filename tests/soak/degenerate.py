"""R13 and R14: every degenerate, infeasible and unbounded problem by every method that takes it.

Never a traceback, a warning, a wrong answer that is CERTIFIED, or a proof of what is not so; infeasible and unbounded
problems are never certified. A case is a problem and a method; `CASES` is more than there are.
"""

from __future__ import annotations

from itertools import islice

from tests.degenerate.table import EDGES, REFUSED
from tests.degenerate.trial import methods, trial
from tests.soak import Tally

CASES = 1000


def run(cases: int, seed: int, only: tuple[str, ...] = ()) -> Tally:
    """The first so many of them."""
    tally = Tally()
    words: dict[str, int] = {}
    every = ((edge, method) for edge in EDGES for method in methods(edge) or [""])
    if only:
        every = ((edge, method) for edge, method in every if method in only)
    for edge, method in islice(every, cases):
        if not method:
            words["refused"] = words.get("refused", 0) + 1
            tally.count("" if edge.known == REFUSED else f"{edge.kind}, {edge.name}: no method takes it")
            continue
        word, wrong = trial(edge, method)
        words[word] = words.get(word, 0) + 1
        tally.count(f"{edge.kind}, {edge.name}, by {method}: {wrong}" if wrong else "")
    tally.facts = {word: words[word] for word in sorted(words)}
    return tally
