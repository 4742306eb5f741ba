"""R9, R10 and R13 on Netlib: answers of linear programs are certified, wrong ones are not, and infeasible ones never.

Each program is solved by HiGHS's simplex method. An answer has to be CERTIFIED with Netlib's value; wrong answers are
made from it as in R9, and wrong is what misses rows, bounds or the value by LEAST of their size. Infeasible programs go
to every method that takes them; a proof of infeasibility is counted, a certified point is a failure. A case is an
answer, a wrong answer, or an infeasible program and a method; `SOLVERKIT_NETLIB` names a file of more programs than the
repository has (`python -m tests.netlib.collect`).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

import solverkit as sk
from solverkit.kinds.base import PointStatus
from solverkit.kinds.inclusion.certificate import certify
from tests.netlib.programs import FILE, Program, programs
from tests.soak import Tally
from tests.verdicts.damage import adversary, wrong
from tests.verdicts.subject import TOL, Subject

CASES = 3000
PER_PROGRAM = 40
LEAST = 1e-4
ALLOWED = 2e-3  # Netlib's list is off by as much
SECONDS, SHORT = 60.0, 3.0
METHODS = ("highs-simplex", "highs-ipm", "halpern")


def run(cases: int, seed: int) -> Tally:
    """The first so many."""
    tally, rng = Tally(), np.random.default_rng(seed)
    counts = {"certified": 0, "wrong answers": 0, "infeasible programs": 0, "of which proven": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for program in programs(Path(os.environ.get("SOLVERKIT_NETLIB", FILE))).values():
            if tally.cases >= cases:
                break
            found = islice(_tried(program, rng, counts), cases - tally.cases)
            for failure in found:
                tally.count(f"{program.name}: {failure}" if failure else "")
    tally.facts = dict(counts)
    return tally


def _tried(program: Program, rng: np.random.Generator, counts: dict[str, int]) -> Iterator[str]:
    """What fails in each case, empty where nothing does."""
    if program.infeasible:
        counts["infeasible programs"] += 1
        yield from _infeasible(program, counts)
        return
    result = sk.solve(program.problem(), "highs-simplex", max_time=SECONDS, tol=TOL)
    value = float(result.certificate.facts.get("objective", np.nan))
    if result.point_status is not PointStatus.CERTIFIED:
        yield f"{result.point_status.name}, {result.message}"
        return
    counts["certified"] += 1
    yield "" if abs(value - program.value) <= ALLOWED * (1 + abs(program.value)) else f"{value}, not {program.value}"
    for number, sort in enumerate(_certified(_subject(program, result.point, value), rng)):
        if number >= PER_PROGRAM:
            break
        counts["wrong answers"] += 1
        yield sort


def _infeasible(program: Program, counts: dict[str, int]) -> Iterator[str]:
    proven = False
    for method in METHODS:
        result = sk.solve(program.problem(), method, max_time=SHORT, tol=TOL)
        word = result.certificate.facts.get("proven", "infeasible")
        proven |= "proven" in result.certificate.facts
        if result.point_status is PointStatus.CERTIFIED:
            yield f"{method}: CERTIFIED, and it is infeasible"
        else:
            yield "" if word == "infeasible" else f"{method}: proven {word}, and it is infeasible"
    counts["of which proven"] += proven


def _subject(program: Program, point: dict[str, np.ndarray], value: float) -> Subject:
    problem, n = program.problem(), len(program.c)
    answer = np.concatenate([point["x"], point["y"]])

    def error(u: np.ndarray) -> float:
        x = u[:n]
        missed = abs(float(program.c @ x) - value) / (1 + abs(value))
        return max(program.broken(x), missed) / LEAST

    def own(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        for size in 10.0 ** rng.uniform(-5, 0, 6):
            moved = answer + size * (1 + np.abs(answer)) * rng.standard_normal(len(answer))
            yield "in the bounds", problem.resolvent(moved, 1e-12)

    return Subject(program.name, problem, answer, error, certify, problem.blocks, own)


def _certified(subject: Subject, rng: np.random.Generator) -> Iterator[str]:
    """Of each wrong answer, what is wrong with its verdict."""
    near = subject.answer
    for sort, vector in wrong(subject, None, rng):
        near = vector if sort == "near miss" else near
        status = subject.verdict(vector).status
        yield f"{sort}, error {subject.error(vector):.3g}, CERTIFIED" if status is PointStatus.CERTIFIED else ""
    for sort, vector, ratio in adversary(subject, near, rng):
        yield f"{sort}, error {subject.error(vector):.3g}, CERTIFIED" if ratio <= 1 else ""
