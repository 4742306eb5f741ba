"""CVXPY: random problems of every family, solved by way of `sk.solve` and of `sk.cvxpy_solver`, against Clarabel.

A family writes a random model. What counts as a failure: another objective, a violated constraint, multipliers that
break the conditions of optimality of the CVXPY problem, another status, an answer that is not certified, an exception.
Answers at the tip of a second-order cone have no derivative and are `optimal_inaccurate` (docs/how-to/cvxpy.md); with
the right objective they are counted apart, in the fact `tips`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import cvxpy as cp
import numpy as np

import solverkit as sk
from solverkit.errors import SolverKitError
from tests.soak import Tally

CASES = 1500
CLOSE = 2e-5  # of objectives, relative
SECONDS = 20.0  # of one solve at most: a limit that is reached is a failure

Rng = np.random.Generator
Family = Callable[[Rng], cp.Problem]


def linear(rng: Rng) -> cp.Problem:
    n, m = int(rng.integers(2, 9)), int(rng.integers(1, 8))
    x = cp.Variable(n, name="x")
    A, c = rng.standard_normal((m, n)), rng.standard_normal(n)
    rows = [A @ x <= A @ rng.uniform(-1, 1, n) + rng.uniform(0, 1, m), x >= -2, x <= rng.uniform(2, 3, n)]
    if rng.random() < 0.5:
        rows.append(cp.sum(x) == rng.uniform(-0.5, 0.5))
    return _either(rng, c @ x + rng.standard_normal(), rows)


def piecewise(rng: Rng) -> cp.Problem:
    n = int(rng.integers(2, 7))
    A, b = rng.standard_normal((2 * n, n)), rng.standard_normal(2 * n)
    x = cp.Variable(n)
    e = [cp.norm1(A @ x - b), cp.norm_inf(A @ x - b), cp.max(A @ x - b) + cp.norm1(x), cp.sum(cp.pos(A @ x - b))]
    rows = [[], [cp.norm1(x) <= 1], [cp.maximum(x, 2 * x - 1) <= 0.5, x >= -3], [cp.sum_largest(x, 2) <= 0.3]]
    objective, kept = e[rng.integers(4)], rows[rng.integers(4)]
    return cp.Problem(cp.Minimize(objective + 0.1 * cp.norm_inf(x)), kept)


def quadratic(rng: Rng) -> cp.Problem:
    n = int(rng.integers(2, 8))
    x = cp.Variable(n, nonneg=bool(rng.random() < 0.3))
    A, b = rng.standard_normal((n + 2, n)), rng.standard_normal(n + 2)
    e = [cp.sum_squares(A @ x - b), cp.quad_form(x, A.T @ A) + b[:n] @ x, cp.sum(cp.huber(A @ x - b, 0.5))]
    rows = [[], [cp.sum(x) == 1], [x <= 0.4, cp.sum(x) >= 0.1], [cp.norm1(x) <= 0.7]]
    objective = e[rng.integers(3)]
    if rng.random() < 0.4:
        return cp.Problem(cp.Maximize(-objective), rows[rng.integers(4)])
    return cp.Problem(cp.Minimize(objective), rows[rng.integers(4)])


def lasso(rng: Rng) -> cp.Problem:
    n = int(rng.integers(2, 9))
    x, weight = cp.Variable(n), cp.Parameter(nonneg=True, value=rng.uniform(0.05, 2))
    A, b = rng.standard_normal((n + 4, n)), rng.standard_normal(n + 4)
    rows = [] if rng.random() < 0.6 else [x >= -0.2]
    return cp.Problem(cp.Minimize(cp.sum_squares(A @ x - b) + weight * cp.norm1(x)), rows)


def group_lasso(rng: Rng) -> cp.Problem:
    n, k = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    X = cp.Variable((n, k))
    A, B = rng.standard_normal((n + 5, n)), rng.standard_normal((n + 5, k))
    return cp.Problem(cp.Minimize(cp.sum_squares(A @ X - B) + rng.uniform(0.1, 1) * cp.sum(cp.norm(X, 2, axis=1))))


def logistic(rng: Rng) -> cp.Problem:
    n, m = int(rng.integers(1, 6)), 20
    x, offset = cp.Variable(n), cp.Variable()
    A, signs = rng.standard_normal((m, n)), rng.choice([-1.0, 1.0], m)
    loss = cp.sum(cp.logistic(cp.multiply(-signs, A @ x + offset)))
    extra = [0.1 * cp.sum_squares(x), 0.2 * cp.norm1(x) + 0.05 * cp.square(offset)][rng.integers(2)]
    return cp.Problem(cp.Minimize(loss + extra), [[], [cp.abs(offset) <= 0.2], [cp.sum(x) == 0.1]][rng.integers(3)])


def entropy(rng: Rng) -> cp.Problem:
    n = int(rng.integers(3, 8))
    p = cp.Variable(n)
    A, prior = rng.standard_normal((1, n)), rng.dirichlet(np.ones(n))
    rows = [cp.sum(p) == 1, A @ p <= A @ prior, p[0] <= 0.9]
    if rng.random() < 0.5:
        return cp.Problem(cp.Maximize(cp.sum(cp.entr(p)) + rng.standard_normal(n) @ p), rows)
    return cp.Problem(cp.Minimize(cp.sum(cp.kl_div(p, prior + 0.1))), rows)


def curved(rng: Rng) -> cp.Problem:
    n = int(rng.integers(2, 6))
    x = cp.Variable(n)
    A, c = rng.standard_normal((3, n)), rng.standard_normal(n)
    rows = [
        [cp.sum_squares(x - 1) <= 2, x[0] <= 0.7],
        [cp.norm(A @ x) <= 1, cp.norm(x) <= 3],
        [cp.log_sum_exp(x) <= 2, x >= -1],
        [cp.sum(cp.exp(x)) <= 3, cp.sum(x) >= -4, cp.norm(x) <= 5],
        [cp.SOC(x[0] + 2, x[1:]), x[0] <= 1],
    ][rng.integers(5)]
    return _either(rng, c @ x, rows)


def smooth(rng: Rng) -> cp.Problem:
    n = int(rng.integers(2, 6))
    q, t = cp.Variable(n, nonneg=True), cp.Variable()
    A, b = rng.standard_normal((n + 2, n)), rng.standard_normal(n + 2)
    weights = rng.uniform(0.5, 2, n)
    return [
        cp.Problem(cp.Maximize(cp.sum(cp.log(q + 0.2))), [cp.sum(q) <= 2, q[0] >= q[1]]),
        cp.Problem(cp.Minimize(cp.sum(cp.inv_pos(q)) + weights @ q), [q <= 4]),
        cp.Problem(cp.Maximize(cp.geo_mean(q)), [weights @ q <= 1]),
        cp.Problem(cp.Minimize(cp.quad_over_lin(A @ q - b, t + 1) + t), [t <= 3, t >= 0]),
        cp.Problem(cp.Minimize(cp.log_sum_exp(A @ q - b) + cp.sum(cp.power(q, 1.5))), [cp.sum(q) >= 0.5]),
        cp.Problem(cp.Maximize(cp.sum(cp.sqrt(q + 0.1)) - cp.sum_squares(q)), [cp.sum(q) <= 1.5]),
        cp.Problem(cp.Minimize(cp.norm(A @ q - b) + cp.norm(q - 1)), [cp.sum(q) <= 1]),
    ][rng.integers(7)]


def matrices(rng: Rng) -> cp.Problem:
    X, S = cp.Variable((3, 2), name="X"), cp.Variable((3, 3), symmetric=True)
    B, C = rng.standard_normal((3, 3)), rng.standard_normal((3, 2))
    e = cp.sum_squares(B @ X - C) + cp.sum_squares(S - B) + cp.sum(cp.exp(cp.diag(S)))
    tall = cp.vstack([X, S[:, :2]])
    rows = [S[0, 1] >= 0.3, cp.sum(tall, axis=0) == rng.standard_normal(2), cp.vec(X, order="F")[1:4] <= 0.5, X.T >= -1]
    return cp.Problem(cp.Minimize(e), rows)


def without_answer(rng: Rng) -> cp.Problem:
    n = int(rng.integers(2, 6))
    x, A = cp.Variable(n), rng.standard_normal((n, n))
    return [
        cp.Problem(cp.Minimize(cp.sum(x)), [cp.sum(x) >= 1, x <= -1]),
        cp.Problem(cp.Minimize(cp.sum_squares(A @ x)), [cp.sum(x) == n + 1, x <= 1]),
        cp.Problem(cp.Maximize(cp.sum(x)), [x[0] - x[1] <= 1, x >= -1]),
        cp.Problem(cp.Minimize(cp.square(x[0]) - x[1]), [x[1] >= -1]),
        cp.Problem(cp.Minimize(cp.sum(cp.exp(x))), [cp.sum(x) == n + 1, x <= 1]),
        cp.Problem(cp.Minimize(x[0]), [cp.sum_squares(x - 3) <= 1, x <= 1]),
    ][rng.integers(6)]


FAMILIES: tuple[Family, ...] = (
    linear, piecewise, quadratic, lasso, group_lasso, logistic, entropy, curved, smooth, matrices, without_answer,
)  # fmt: skip


def run(cases: int = CASES, seed: int = 0) -> Tally:
    """As many random problems, the families in turn."""
    tally = Tally()
    tally.facts["kinds"] = ""
    kinds: dict[str, int] = {}
    tips = 0
    for case in range(cases):
        family = FAMILIES[case % len(FAMILIES)]
        model = family(np.random.default_rng([seed, case]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            failure = _failure(model, kinds, case % 3 == 0)
        tips += not failure and model.status == cp.OPTIMAL_INACCURATE
        tally.count(f"case {case} ({family.__name__}): {failure}" if failure else "")
    tally.facts["kinds"] = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    tally.facts["tips"] = tips
    return tally


def _failure(model: cp.Problem, kinds: dict[str, int], both: bool) -> str:
    """What is wrong with our answers, empty where nothing is; `both` goes by `sk.cvxpy_solver` too."""
    model.solve(solver=cp.CLARABEL)
    expected, value = model.status, model.value
    if expected not in (cp.OPTIMAL, cp.INFEASIBLE, cp.UNBOUNDED):
        return ""
    _forget(model)
    try:
        result = sk.solve(model, tol=1e-7, max_time=SECONDS)
    except Exception as error:
        return f"sk.solve raised {type(error).__name__}: {error}"
    kinds[result.kind] = kinds.get(result.kind, 0) + 1
    if wrong := _wrong(model, expected, value):
        return f"as {result.kind}: {wrong}; {result.message}"
    if not both or not model.is_qp():
        return ""
    _forget(model)
    try:
        model.solve(solver=sk.cvxpy_solver(tol=1e-7, max_time=SECONDS))
    except (cp.SolverError, SolverKitError) as error:
        return f"cvxpy_solver raised {error}"
    wrong = _wrong(model, expected, value)
    return f"by cvxpy_solver: {wrong}" if wrong else ""


def _wrong(model: cp.Problem, expected: str, value: float) -> str:
    if model.status == cp.OPTIMAL_INACCURATE and expected == cp.OPTIMAL and _at_tip(model):
        return "" if abs(model.value - value) <= CLOSE * (1 + abs(value)) else f"objective {model.value!r} at a tip"
    if model.status != expected:
        return f"status {model.status}, Clarabel's is {expected}"
    if expected != cp.OPTIMAL:
        return "" if model.value == value else f"value {model.value}, not {value}"
    if not abs(model.value - value) <= CLOSE * (1 + abs(value)):
        return f"objective {model.value!r}, Clarabel's is {value!r}"
    for constraint in model.constraints:
        if np.max(constraint.violation()) > 1e-5:
            return f"{constraint} is violated by {np.max(constraint.violation()):.2e}"
    return wrong_multipliers(model)


def wrong_multipliers(model: cp.Problem) -> str:
    """Signs, complementarity and the dual value, for problems whose multipliers are all there.

    With x the minimizer of L(., y) over all x, the value of the problem is that of L at its multipliers; that x is no
    worse than a sample of others is what is tested, in CVXPY's own evaluation of L."""
    if not model.constraints or any(c.dual_value is None for c in model.constraints):
        return ""
    sign = 1.0 if isinstance(model.objective, cp.Minimize) else -1.0
    lagrangian = sign * model.objective.expr
    for constraint in model.constraints:
        kind, y = type(constraint).__name__, constraint.dual_value
        if kind == "SOC":
            t, u = constraint.args
            height, slope = np.ravel(y[0])[0], np.ravel(y[1])
            lagrangian = lagrangian - height * t - slope @ cp.vec(u, order="F")
            if np.linalg.norm(slope) > height + 1e-5:
                return f"the multiplier of {constraint} is outside of the cone"
            continue
        e = constraint.expr if kind != "Inequality" else constraint.args[0] - constraint.args[1]
        if kind == "Inequality":
            if np.min(y) < -1e-6:
                return f"the multiplier {np.min(y):.2e} of {constraint} has the wrong sign"
            if np.max(np.abs(np.asarray(y) * e.value)) > 1e-4 * (1 + np.max(np.abs(y))):
                return f"{constraint} is not complementary: {np.max(np.abs(np.asarray(y) * e.value)):.2e}"
        lagrangian = lagrangian + cp.sum(cp.multiply(y, e))
    base, kept = _number(lagrangian), [variable.value for variable in model.variables()]
    rng, worst = np.random.default_rng(0), 0.0
    size = 1 + abs(base) + max(float(np.max(np.abs(part))) for c in model.constraints for part in _list(c))
    for _ in range(10):
        for variable, value in zip(model.variables(), kept, strict=True):
            variable.save_value(variable.project(value + 0.01 * rng.standard_normal(variable.shape)))
        there = _number(lagrangian)
        if np.isfinite(there):
            worst = min(worst, there - base)
    for variable, value in zip(model.variables(), kept, strict=True):
        variable.save_value(value)
    return f"the Lagrangian is {-worst:.2e} lower near by" if worst < -1e-5 * size else ""


def _list(constraint: Any) -> list[Any]:
    value = constraint.dual_value
    return value if isinstance(value, list) else [value]


def _at_tip(model: cp.Problem) -> bool:
    """Whether the answer is at the tip of a cone that the user wrote."""
    cones = [part for part in model.constraints if type(part).__name__ == "SOC"]
    return any(float(np.min(part.args[0].value)) < 1e-4 for part in cones)


def _number(e: Any) -> float:
    return float("nan") if e.value is None else float(np.ravel(e.value)[0])


def _forget(model: cp.Problem) -> None:
    """No value or multiplier is left of another solver."""
    model._clear_solution()


def _either(rng: Rng, e: Any, rows: list[Any]) -> cp.Problem:
    """Minimized or maximized."""
    return cp.Problem(cp.Maximize(e) if rng.random() < 0.5 else cp.Minimize(e), rows)
