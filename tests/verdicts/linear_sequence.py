"""Sequences of linear systems, by dense elimination.

Wrong: some system's residual, relative to its right-hand side and computed in extended precision, is above twice what
the certificate allows, min(rtol, tol) plus one percent.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

from solverkit.kinds.linear_sequence import linear_sequence
from solverkit.kinds.linear_sequence.certificate import certify
from tests.verdicts.subject import TOL, Subject


def subjects(rng: np.random.Generator) -> Iterator[Subject]:
    """Without an end: recorded and made by a function, each row of matrix and right-hand side in a unit of its own."""
    while True:
        for called in (False, True):
            yield _subject(rng, called)


def _subject(rng: np.random.Generator, called: bool) -> Subject:
    T, n = int(rng.integers(1, 6)), int(rng.integers(1, 8))
    rtol = 10.0 ** rng.uniform(-8, -3)
    A = rng.standard_normal((T, n, n)) + 3 * np.sqrt(n) * np.eye(n)
    unit = 10.0 ** rng.uniform(-8, 8)
    A, b = unit * A, unit * rng.standard_normal((T, n)) * 10.0 ** rng.uniform(-4, 4, (T, 1))
    x = np.array([np.linalg.solve(A[t], b[t]) for t in range(T)])
    if called:
        problem = linear_sequence(
            lambda t, previous: (csr_array(A[t]), b[t]), T=T, initial=np.zeros(n), rtol=rtol, name="called"
        )
    else:
        problem = linear_sequence(((csr_array(A[t]), b[t]) for t in range(T)), rtol=rtol, name="recorded")
    wide_A, wide_b = A.astype(np.longdouble), b.astype(np.longdouble)

    def error(v: np.ndarray) -> float:
        if not np.isfinite(v).all():
            return np.inf
        left = wide_b - np.einsum("tij,tj->ti", wide_A, v.astype(np.longdouble))
        worst = np.max(np.sqrt((left**2).sum(axis=1)) / np.sqrt((wide_b**2).sum(axis=1)))
        return float(worst) / (2 * min(rtol, TOL))

    def own(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        for t in range(T):
            one = x.copy()
            one[t] *= 1 + 10.0 ** rng.uniform(-7, 0)
            yield "one system off", one
            one = x.copy()
            one[t] = x[t - 1]
            yield "the answer of the system before", one
            yield "transposed", np.array([np.linalg.solve(A[t].T, b[t]) for t in range(T)])
        yield "single precision", x.astype(np.float32).astype(float)

    return Subject(problem.name, problem, x, error, certify, lambda v: {"x": v}, own, 0.05)
