"""R7: every method on several of its problems, under limits of 0.1, 1 and 10 s: how far each run passes its limit.

The limit is on the time in the method; reading and the certificate, which is left out here, come on top. A step or a
tool may end in its own time up to 5 % of the limit or a second, whichever is more, and the machine may add SLACK.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

import solverkit as sk
from solverkit.engine.patience import SECONDS, SHARE
from solverkit.engine.status import Termination
from solverkit.engine.verdict import Judge
from solverkit.errors import SolverKitError, Unsuitable
from solverkit.kinds.base import Certificate
from tests.methods.subjects import PROBLEMS, chosen
from tests.soak import Tally

LIMITS = (0.1, 1.0, 10.0)
EACH = 4  # problems a method
CASES = 37 * EACH * len(LIMITS)
SLACK = 0.5
AGAIN = 3  # times that a run which was late is made again
EDGES = (0.0, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, np.inf)  # seconds beyond the limit, for the histogram


def run(cases: int, seed: int, limits: tuple[float, ...] = LIMITS, methods: tuple[str, ...] = ()) -> Tally:
    """So many runs, each method in its turn."""
    tally, rng = Tally(), np.random.default_rng(seed)
    beyond: list[float] = []
    ended = 0
    for method, path in _pairs(rng, methods):
        for limit in limits:
            if tally.cases >= cases:
                break
            allowed = max(SHARE * limit, SECONDS) + SLACK
            try:
                late, stopped = _passed(method, path, limit)
                for _ in range(AGAIN):  # kernels that were never compiled take seconds, and cannot be left
                    if late > allowed:
                        late, stopped = _passed(method, path, limit)
            except Unsuitable:
                break  # said only once the method looks at the data
            beyond.append(late)
            ended += stopped
            where = f"{method} on {path.parent.name}, limit {limit:g} s"
            tally.count(f"{where}: {late:.1f} s beyond it" if late > allowed else "")
    counts, _ = np.histogram(beyond, EDGES)
    tally.facts = {"reached their limit": ended, "furthest": f"{max(beyond, default=0):.2f} s"}
    tally.facts |= {f"under {edge:g} s": int(count) for edge, count in zip(EDGES[1:], counts, strict=True) if count}
    return tally


def _pairs(rng: np.random.Generator, methods: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Each method with problems that it takes, drawn at random."""
    for each in chosen():
        if methods and each.method not in methods:
            continue
        files = sorted((PROBLEMS / each.kind).glob("*/problem.yaml"))
        fitting = (files[k] for k in rng.permutation(len(files)) if _fits(each.method, files[k]))
        for _, path in zip(range(EACH), fitting, strict=False):
            yield each.method, path


@cache
def _loaded(path: Path) -> Any:
    try:
        return sk.load(path)
    except SolverKitError:
        return None  # data that are fetched, or a Python file


def _fits(method: str, path: Path) -> bool:
    problem = _loaded(path)
    return problem is not None and any(fit.fits for fit in sk.methods(problem) if fit.spec.name == method)


def _passed(method: str, path: Path, limit: float) -> tuple[float, bool]:
    """Seconds beyond the limit, and whether the limit ended the run."""
    with mock.patch.object(Judge, "__call__", return_value=Certificate(())):
        result = sk.solve(_loaded(path), method, max_time=limit, tol=1e-14)
    return max(result.timing["solve"] - limit, 0.0), result.termination is Termination.MAX_TIME
