"""Composite problems of every form, with values by Clarabel at 1e-12 through CVXPY's own words.

Wrong: Psi(x) is above the least value by more than tol (1 + |Psi(x)|), which is what a certificate denies; one part in
a hundred is left to Clarabel's own error. A point outside of X counts as what it is where it breaks X by more than
twice what the certificate lets pass, and by its nearest point in X otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import solverkit as sk
from solverkit.kinds.base import Point
from solverkit.kinds.composite.certificate import certify
from tests.composite.cases import FORMS, Case
from tests.composite.test_certificate import nearby
from tests.verdicts.subject import TOL, Subject

KEPT = 1.01
SECONDS = 2.0  # of the method that finds a dual


def subjects(rng: np.random.Generator) -> Iterator[Subject]:
    """Without an end: the forms in turn, with random data."""
    while True:
        for form in FORMS:
            yield _subject(form(int(rng.integers(2**31))))


def _subject(case: Case) -> Subject:
    chi = case.problem.simple

    def error(x: np.ndarray) -> float:
        if not np.isfinite(x).all():
            return np.inf
        broken = chi.violation(x) / (2 * TOL * (1 + float(np.abs(x).max())))
        if broken > 1:
            return np.inf
        psi = case.psi(x)
        if not np.isfinite(psi):
            psi = case.psi(chi.step(np.zeros_like(x), x, 1e12))
        return max(broken, (psi - case.value) / (KEPT * TOL * (1 + abs(psi))))

    def own(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        for size in 10.0 ** rng.uniform(-3, 1, 12):
            yield "feasible, moved", nearby(case, rng, size)

    proof: dict[str, Point] = {}

    def blocks(x: np.ndarray) -> Point:
        """With the dual that a method finds: it is a right answer's to bring, and must not help a wrong one."""
        if not proof:
            proof["found"] = sk.solve(case.problem, tol=TOL / 100, max_time=SECONDS).point
        return {**proof["found"], **case.problem.blocks(x)}

    return Subject(case.name, case.problem, case.x, error, certify, blocks, own, 0.1)
