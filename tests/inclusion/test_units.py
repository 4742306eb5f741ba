"""What stops an iteration on a linear program: a row or a column in a small unit beside one in a large unit counts."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.inclusion.linear import WIDE, optimality
from solverkit.kinds.inclusion.structure import LinearProgram

INF = np.inf


def program(c: list[float], A: list[list[float]], row_lower: list[float]) -> LinearProgram:
    """min c'x, A x >= row_lower, x >= 0."""
    m, n = np.shape(A)
    return LinearProgram(np.array(c), np.array(A), np.array(row_lower), np.full(m, INF), np.zeros(n), np.full(n, INF))


@pytest.mark.parametrize(
    ("given", "x", "y", "what"),
    [
        (program([1.0, 0.0], [[1e6, 0.0], [0.0, 1e-6]], [1e6, 1e-6]), [1.0, 0.0], [-1e-6, 0.0], "rows"),
        (program([1e6, -1e-6], [[1.0, 0.0]], [1.0]), [1.0, 0.0], [-1e6], "columns"),
    ],
)
def test_one_row_or_column_keeps_an_iteration_going(given, x, y, what):
    found = optimality(given, np.array([*x, *y]))
    norms = (found.primal / found.primal_scale, found.dual / found.dual_scale, found.gap / found.gap_scale)
    assert max(norms) < 1e-11
    assert getattr(found, what) == pytest.approx(1.0, rel=1e-3)
    assert found.worst == pytest.approx(1 / WIDE, rel=1e-3)
