"""What the units of a problem must not decide."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel import bilevel
from solverkit.kinds.bilevel.certificate import certify


def follower(unit: float):
    """min (y - 1)^2 + x^2 / 2 where y minimizes unit (y - x)^2 / 2: x = y = 2 / 3."""
    return bilevel(
        upper={"variables": {"x": {"shape": 1}}, "minimize": "sum((y - 1)**2) + 0.5*sum(x**2)"},
        lower={"variables": {"y": {"shape": 1}}, "minimize": f"{unit!r}*0.5*sum((y - x)**2)", "convex": True},
    )


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
def test_y_at_a_tenth_of_the_tolerance_is_right_in_any_unit_of_f(unit):
    """In large units the residual f_y is large where y is as good as exact: the distance decides."""
    x = np.array([2 / 3])
    verdict = certify(follower(unit), {"x": x, "y": x + 1e-7})
    assert verdict.status is PointStatus.CERTIFIED
    assert certify(follower(unit), {"x": x, "y": x + 1e-2}).status is not PointStatus.CERTIFIED


def test_the_distance_is_the_true_one():
    verdict = certify(follower(1e4), {"x": np.array([2 / 3]), "y": np.array([2 / 3 + 1e-7])})
    term = verdict["lower_kkt"]
    assert term.note == "relative distance to the lower solution"
    assert term.value == pytest.approx(1e-7 / (1 + 2 / 3 + 1e-7), rel=1e-6)


def test_a_gram_matrix_with_negative_variances_is_refused_at_once():
    """Its square roots are not numbers, on which LAPACK's least squares need not end."""
    from dataclasses import replace

    from solverkit.kinds.dag import dag
    from solverkit.kinds.dag.certificate import certify as certify_graph

    problem = dag(np.random.default_rng(0).standard_normal((50, 3)), score="bic")
    W = np.zeros((3, 3))
    W[0, 2] = W[1, 2] = 1.0
    verdict = certify_graph(replace(problem, gram=-problem.gram), {"W": W})
    assert verdict.status is PointStatus.UNVERIFIED
    assert "Gram" in verdict.unverified
