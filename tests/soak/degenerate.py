"""R13 and R14: every degenerate, infeasible and unbounded problem by every method that takes it.

Never a traceback, a warning, a wrong answer that is CERTIFIED, or a proof of what is not so; infeasible and unbounded
problems are never certified. A case is a problem and a method; `CASES` is more than there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice

from tests.degenerate.impossible import IMPOSSIBLE
from tests.degenerate.table import EDGES, INFEASIBLE, REFUSED, UNBOUNDED, Edge
from tests.degenerate.trial import SECONDS, methods, trial
from tests.soak import Tally

CASES = 2000
SHORT = 2.0  # seconds a method has for a problem without an answer, or close to one


def run(cases: int, seed: int, only: tuple[str, ...] = (), edges: Sequence[Edge] = (*EDGES, *IMPOSSIBLE)) -> Tally:
    """The first so many of them."""
    tally = Tally()
    words: Counter[str] = Counter()
    without, proven = set(), set()  # problems without an answer, and those with a proof of it
    every = ((edge, method) for edge in edges for method in methods(edge) or [""])
    if only:
        every = ((edge, method) for edge, method in every if method in only)
    for edge, method in islice(every, cases):
        name = f"{edge.kind}, {edge.name}"
        if edge.known in (INFEASIBLE, UNBOUNDED):
            without.add(name)
        if not method:
            words["refused"] += 1
            tally.count("" if edge.known in (REFUSED, INFEASIBLE) else f"{name}: no method takes it")
            continue
        word, wrong = trial(edge, method, SECONDS if edge in EDGES else SHORT)
        words[word] += 1
        if word == f"proven {edge.known}":
            proven.add(name)
        tally.count(f"{name}, by {method}: {wrong}" if wrong else "")
    tally.facts = {word: words[word] for word in sorted(words)}
    tally.facts |= {"problems without an answer": len(without), "of which proven": len(proven)}
    return tally
