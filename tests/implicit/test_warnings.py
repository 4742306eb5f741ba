"""What can be wrong is said once, with numbers; and nothing comes out as NaN."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import solverkit as sk  # noqa: E402
from solverkit.errors import UsageError  # noqa: E402
from solverkit.implicit import (  # noqa: E402
    ImplicitWarning,
    InaccurateSolution,
    NotASolution,
    NotDifferentiable,
    ProjectedGradient,
    SingularJacobian,
    Stationarity,
    by_method,
    quadratic_program,
    vjp,
)
from solverkit.operators.proximal import Box  # noqa: E402

A = torch.tensor(np.random.default_rng(0).normal(size=(8, 3)))


def rough(error):
    """A solver of min 1/4 sum (y - t)^4 + 1/2 ||A y||^2 ... that stops `error` away from y = solution."""

    def solver(theta):
        y = torch.zeros(3, dtype=torch.float64)
        for _ in range(50):
            H = torch.diag(3 * y**2) + A.T @ A
            y = y - torch.linalg.solve(H, y**3 + A.T @ (A @ y) - theta)
        return y + error * torch.tensor([1.0, -1.0, 0.5])

    return solver


def loss(y, theta):
    return 0.25 * (y**4).sum() + 0.5 * ((A @ y) ** 2).sum() - theta @ y


def gradient(solution, theta):
    return torch.autograd.grad((solution(theta) ** 2).sum(), theta)[0]


@pytest.mark.parametrize("error", [1e-1, 1e-2, 1e-3])
def test_the_warning_knows_the_error(error):
    """Its estimate is within a factor of 2 of the truth; one warning for many derivatives."""
    theta = torch.tensor([4.0, -3.0, 5.0], dtype=torch.float64, requires_grad=True)
    exact = gradient(sk.implicit(rough(0.0), Stationarity(loss)), theta)
    solution = sk.implicit(rough(error), Stationarity(loss))
    with pytest.warns(InaccurateSolution, match=r"relative error is about") as caught:
        found, _ = (gradient(solution, theta) for _ in range(2))
    assert len(caught) == 1
    estimate = float(re.search(r"relative error is about ([\d.]+\d(?:e-?\d+)?)", str(caught[0].message))[1])
    distance = float(re.search(r"about ([\d.]+\d(?:e-?\d+)?) away", str(caught[0].message))[1])
    # the pull-back alone: y itself in y^2 is the caller's
    y = rough(error)(theta.detach())
    (pulled,) = vjp(Stationarity(loss), y, (theta.detach(),), 2 * y, inaccurate="ignore")
    (true,) = vjp(Stationarity(loss), rough(0.0)(theta.detach()), (theta.detach(),), 2 * y)
    truth = float((pulled - true).norm() / pulled.norm())
    assert truth / 2 <= estimate <= 2 * truth
    assert distance == pytest.approx(1.5 * error, rel=0.3)
    assert float((found - exact).norm()) <= 10 * error * float(exact.norm())


def test_newton_steps_mend_it():
    theta = torch.tensor([4.0, -3.0, 5.0], dtype=torch.float64, requires_grad=True)
    exact = gradient(sk.implicit(rough(0.0), Stationarity(loss)), theta)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ImplicitWarning)
        found = gradient(sk.implicit(rough(1e-2), Stationarity(loss), refine=3), theta)
        gradient(sk.implicit(rough(1e-2), Stationarity(loss), inaccurate="ignore"), theta)
        gradient(sk.implicit(rough(1e-9), Stationarity(loss)), theta)
    np.testing.assert_allclose(found, exact, rtol=1e-10)


def test_it_may_raise():
    theta = torch.tensor([4.0, -3.0, 5.0], dtype=torch.float64)
    with pytest.raises(NotASolution, match=r"residual is .* above accuracy=1e-06; it is about 0.01"):
        sk.implicit(rough(1e-2), Stationarity(loss), inaccurate="raise")(theta)
    for answer in (np.nan, np.inf):
        with pytest.raises(NotASolution, match="not finite"):
            sk.implicit(lambda t, answer=answer: t * answer, lambda y, t: y - t)(theta)
    with pytest.raises(NotASolution, match="residual is NaN"):
        sk.implicit(lambda t: t, lambda y, t: (y - t) * np.nan)(theta)


@pytest.mark.parametrize("linear", ["auto", "dense", "cg", "gmres", "normal"])
def test_singular_systems_give_least_squares(linear):
    """min ||X w - t||^2 with two equal columns: the derivative of the least-norm solution is the pseudoinverse."""
    X = torch.tensor(np.random.default_rng(1).normal(size=(6, 4)))
    X = torch.cat([X, X[:, :1]], dim=1)
    t = torch.tensor(np.random.default_rng(2).normal(size=6), requires_grad=True)
    solution = sk.implicit(
        lambda t: torch.linalg.pinv(X) @ t, Stationarity(lambda w, t: 0.5 * ((X @ w - t) ** 2).sum()), linear=linear
    )
    with pytest.warns(SingularJacobian, match="least squares"):
        found = torch.autograd.grad(solution(t)[0], t)[0]
    want = torch.linalg.pinv(X)[0]
    np.testing.assert_allclose(found, want, atol=1e-7)
    with warnings.catch_warnings():  # forward mode: the right-hand side is in the range, and nothing is wrong with it
        warnings.simplefilter("error", ImplicitWarning)
        fresh = sk.implicit(
            lambda t: torch.linalg.pinv(X) @ t, Stationarity(lambda w, t: 0.5 * ((X @ w - t) ** 2).sum()), linear=linear
        )
        change = torch.func.jvp(fresh, (t.detach(),), (t.detach(),))[1]
    np.testing.assert_allclose(change, torch.linalg.pinv(X) @ t.detach(), atol=1e-7)


def test_a_zero_matrix_is_no_nan():
    t = torch.ones(3, dtype=torch.float64, requires_grad=True)
    for linear in ("auto", "dense", "cg", "gmres", "normal"):
        solution = sk.implicit(lambda t: t * 0, lambda y, t: y**3 * t, linear=linear)
        with pytest.warns(SingularJacobian):
            found = torch.autograd.grad(solution(t).sum(), t)[0]
        np.testing.assert_array_equal(found, np.zeros(3))


def test_ties_are_told():
    """The minimizer is at the bound with multiplier 0: one side moves, the other does not."""
    set = Box(0.0, np.inf)
    t = torch.tensor([1.0, 0.0, -1.0], dtype=torch.float64, requires_grad=True)
    condition = ProjectedGradient(lambda y, t: 0.5 * ((y - t) ** 2).sum(), set)
    solution = sk.implicit(set.project, condition)
    with pytest.warns(NotDifferentiable, match="kink"):
        found = torch.func.jacrev(solution)(t).detach()
    assert found[0, 0] == 1
    assert found[2, 2] == 0
    assert 0 <= found[1, 1] <= 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", ImplicitWarning)
        away = torch.tensor([1.0, 1e-3, -1.0], dtype=torch.float64)
        np.testing.assert_allclose(torch.func.jacrev(sk.implicit(set.project, condition))(away).diagonal(), [1, 1, 0])


def test_smooth_but_bent_conditions_are_no_ties():
    theta = torch.tensor([4.0, -3.0, 5.0], dtype=torch.float64, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ImplicitWarning)
        for power in (3, 9):
            root = sk.implicit(lambda t: 1e3 * t.abs(), lambda y, t: (y / 1e3) ** power - t.abs() ** power)  # noqa: B023
            gradient(root, theta)


def test_the_methods_of_the_library():
    """A nonlinear problem a call, by name; the certificate's verdict is in the message."""
    from solverkit.kinds.nonlinear import nonlinear

    target = torch.tensor([0.5, 2.0, -1.0], dtype=torch.float64, requires_grad=True)

    def problem(t):
        return nonlinear(
            variables={"x": {"shape": 3, "start": 0.0, "lower": 0.0, "upper": 1.0}},
            minimize=lambda x: ((x - t) ** 2).sum() + 0.1 * (x**4).sum(),
        )

    condition = ProjectedGradient(lambda x, t: ((x - t) ** 2).sum() + 0.1 * (x**4).sum(), Box(0.0, 1.0), 0.3)
    solver = by_method(problem, "sketched-newton", "x", tol=1e-10)
    x = sk.implicit(solver, condition, refine=2)(target)
    assert solver.result.success
    found = torch.autograd.grad(x.sum(), target)[0]
    inside = float(x[0].detach())
    np.testing.assert_allclose(found, [2 / (2 + 1.2 * inside**2), 0, 0], atol=1e-7)
    short = by_method(problem, "sketched-newton", ["x"], max_iter=1)
    loose = sk.implicit(short, lambda y, t: {"x": condition(y["x"], t)}, inaccurate="raise", accuracy=1e-14)
    with pytest.raises(NotASolution, match="sketched-newton: "):
        loose(target)
    with pytest.raises(UsageError, match="no blocks of the answer"):
        by_method(problem, "sketched-newton", "z", max_iter=1)(target.detach())


def test_wrong_use_is_named():
    t = torch.ones(3, dtype=torch.float64)
    with pytest.raises(UsageError, match="form of the solution"):
        sk.implicit(lambda t: t, lambda y, t: y[:2])(t)
    with pytest.raises(UsageError, match="floating-point"):
        sk.implicit(lambda t: None, lambda y, t: y)(t)
    with pytest.raises(UsageError, match="first axis"):
        sk.implicit(lambda t: {"a": t, "b": t[:2]}, lambda y, t: y, batched=True)(t)
    with pytest.raises(UsageError, match="linear="):
        sk.implicit(lambda t: t, lambda y, t: y, linear="lu")
    with pytest.raises(UsageError, match="inaccurate="):
        sk.implicit(lambda t: t, lambda y, t: y, inaccurate="maybe")
    with pytest.raises(NotASolution, match="infeasible"):
        quadratic_program()(torch.eye(3).double(), t, torch.ones(2, 3).double(), torch.tensor([0.0, 1.0]).double())


def test_the_name_is_a_function_whatever_is_imported_first():
    code = (
        "import solverkit.implicit.conditions\nimport solverkit as sk\nimport torch\n"
        "t = torch.ones(2, requires_grad=True)\n"
        "sk.implicit(lambda t: 2 * t, lambda y, t: y - 2 * t)(t).sum().backward()\nprint(t.grad.tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[2.0, 2.0]"
