"""Small sequences with dense answers: the oracle of the tests."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from solverkit.kinds.linear_sequence import linear_sequence


def matrices(T=6, n=5, seed=0):
    """Symmetric positive definite tridiagonal matrices of one pattern, (T, n, n) dense."""
    rng = np.random.default_rng(seed)
    found = np.zeros((T, n, n))
    for A in found:
        side = rng.uniform(0.1, 1.0, n - 1)
        A += np.diag(side, 1) + np.diag(side, -1) + np.diag(rng.uniform(2.5, 4.0, n))
    return found


def rights(T=6, n=5, seed=1):
    return np.random.default_rng(seed).standard_normal((T, n))


def recorded(T=6, n=5, rtol=1e-8, context=True):
    """The sequence of `matrices` and `rights`."""
    pairs = zip(matrices(T, n), rights(T, n), strict=True)
    systems = (
        (csr_array(A), b, {"level": float(t)}) if context else (csr_array(A), b) for t, (A, b) in enumerate(pairs)
    )
    return linear_sequence(systems, rtol=rtol)


def answers(problem):
    """(T, n) by dense elimination, each with the right-hand side that follows from the answer before."""
    x, previous = np.zeros((problem.T, problem.n)), problem.initial
    for t in range(problem.T):
        system = problem.system(t, previous)
        previous = x[t] = np.linalg.solve(system.matrix.toarray(), system.rhs)
    return x
