"""Vectors combined with one number that depends on the variables: CasADi's Jacobians against torch's."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.expressions.compile import compile_function


@pytest.mark.parametrize(
    "text",
    [
        "C @ x + normsq(x)/20 - s",
        "normsq(x) - C @ x",
        "concat(C @ x, x[0:2]) + normsq(x)",
        "(C @ x)*sum(x) + dot(x, x)",
        "max(C @ x, normsq(x))",
    ],
)
@pytest.mark.parametrize(("n", "rows"), [(20, 3), (90, 30), (90, 2)])
def test_jacobian(text, n, rows):
    rng = np.random.default_rng(0)
    data = {"C": rng.normal(size=(rows, n)), "s": rng.normal(size=rows)}
    one, two = (compile_function(text, {"x": (n,)}, data, target=target) for target in ("casadi", "torch"))
    z, w = rng.normal(size=n), rng.normal(size=one.outputs)
    np.testing.assert_allclose(one.jacobian(z).toarray(), two.jacobian(z).toarray(), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(one.vjp(z, w), two.vjp(z, w), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(one.hessian(z, w).toarray(), two.hessian(z, w).toarray(), rtol=1e-10, atol=1e-10)
