"""SciPy's own tests pass with our methods, but for those that are listed with the reason."""

from __future__ import annotations

import numpy as np
import pytest

import solverkit as sk
from tests.scipy_tests.applicable import KNOWN
from tests.scipy_tests.run import run

constrained = pytest.importorskip("scipy.optimize.tests.test_minimize_constrained")


def test_those_that_apply_pass():
    found = run("--short")
    names = {name.rpartition("::")[2]: why for name, why in found["failures"].items()}
    assert set(names) <= set(KNOWN), names
    assert found["passed"] >= 50


@pytest.mark.parametrize("made", ["MaratosGradInFunc", "MaratosTestArgs"])
def test_wrong_jacobian(made):
    """Two of SciPy's problems have a Jacobian twice the derivative; right, and the same problem is certified."""
    problem = getattr(constrained, made)(*(("a", 234) if made == "MaratosTestArgs" else ()))
    args = ("a", 234) if made == "MaratosTestArgs" else ()
    given = {"jac": problem.grad, "hess": problem.hess, "args": args}
    wrong = problem.constr
    assert wrong.jac([1.0, 0.0]) == [[4.0, 0.0]]
    result = sk.minimize(problem.fun, problem.x0, constraints=wrong, **given)
    assert not result.success
    assert "of c" in result.certificate["oracles"].note
    assert "functions contradict each other (worst: " in result.message
    wrong.jac = lambda x: [[2 * x[0], 2 * x[1]]]
    result = sk.minimize(problem.fun, problem.x0, constraints=wrong, **given)
    assert result.success, result
    np.testing.assert_allclose(result.x, [1, 0], atol=1e-5)
