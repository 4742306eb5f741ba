"""CVXPY with Clarabel and SCS on composite problems: certified answers, the dual they hand over, refusals."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

import solverkit as sk
from solverkit.errors import UsageError
from solverkit.kinds.base import PointStatus
from solverkit.kinds.composite import composite
from solverkit.kinds.composite.certificate import certify
from solverkit.kinds.composite.problem import DUAL
from solverkit.testing import Budget, SolverConformance

if find_spec("cvxpy") is None:
    pytest.skip("CVXPY is not installed", allow_module_level=True)

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((12, 8)), RNG.standard_normal(12)


def fused():
    """Least squares with a total variation, in a box."""
    return composite(
        variables={"x": {"shape": 8, "lower": -1, "upper": 1}},
        data={"A": A, "b": B},
        smooth={"least_squares": {"matrix": "A", "targets": "b"}},
        nonsmooth="0.1*total_variation(x)",
        simple="0.1*sum(x**2)",
    )


def denoised():
    """Shrinking: x_i = max(|b_i| - 1/2, 0) sign b_i."""
    return composite(
        variables={"x": {"shape": 12}}, data={"b": B}, smooth="0.5*sum((x - b)**2)", nonsmooth="0.5*norm1(x)"
    )


def portfolio():
    """Entropy alone: the softmax of B."""
    return composite(
        variables={"x": {"shape": 12, "set": "simplex", "start": 1 / 12}},
        geometry="entropy",
        data={"b": B},
        simple="entropy(x) - dot(b, x)",
    )


@pytest.mark.parametrize("method", ["cvxpy-clarabel", "cvxpy-scs"])
def test_certified(method):
    found = sk.solve(denoised(), method, tol=1e-5)
    assert found.point_status is PointStatus.CERTIFIED, found.message
    np.testing.assert_allclose(found.point["x"], np.sign(B) * np.maximum(abs(B) - 0.5, 0), atol=1e-2)
    found = sk.solve(fused(), method, tol=1e-5)
    assert found.point_status is PointStatus.CERTIFIED, found.message
    found = sk.solve(portfolio(), method, tol=1e-5)
    np.testing.assert_allclose(found.point["x"], np.exp(B) / np.exp(B).sum(), atol=1e-2)
    assert found.point_status is PointStatus.CERTIFIED, found.message


def test_the_dual_certifies_by_itself():
    problem = fused()
    found = sk.solve(problem, "cvxpy-clarabel", tol=1e-8)
    assert found.point[DUAL].shape == (7,)
    verdict = certify(problem, found.point, 1e-6)
    assert verdict.status is PointStatus.CERTIFIED
    assert verdict["gap"].note == ""  # the certificate had nothing to improve


def test_what_cannot_be_said_is_refused():
    problem = composite(
        variables={"x": {"shape": 3}},
        smooth=(lambda x: float(np.cosh(x).sum()), lambda x: np.sinh(x)),
        simple="sum(x**2)",
    )
    with pytest.raises(UsageError, match="Called"):
        sk.solve(problem, "cvxpy-clarabel")


class TestClarabel(SolverConformance):
    method = "cvxpy-clarabel"
    problems = (fused, denoised)
    budget = Budget(max_time=20.0)
