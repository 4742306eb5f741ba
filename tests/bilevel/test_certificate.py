"""The bilevel certificate against closed forms: right answers pass, wrong ones never do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel import bilevel as from_python
from solverkit.kinds.bilevel.certificate import certify
from solverkit.operators.sets import Ball, Box

from .functions import Quadratic, Smooth, bilevel, coupled_toy, equations, point, rows

TOL = 1e-6
PROBLEMS = Path(__file__).parents[2] / "problems" / "bilevel"


def status(problem, x, y, tol=TOL):
    return certify(problem, point(x, y), tol, 0).status


def quadratic(Q, a, c=0.0):
    return Quadratic(csr_array(np.asarray(Q, float)), np.asarray(a, float)[None, :], c)


def linear(*rows_):
    """r(z) <= 0 from rows (coefficients..., constant)."""
    table = np.array(rows_, float)
    return Quadratic([None] * len(table), csr_array(table[:, :-1]), table[:, -1])


# -- cases of the literature, at their optimum and elsewhere

CASES = [
    "bard-1988-ex1", "colson-2002-bipa2", "colson-2002-bipa4", "dempe-2012", "kleniati-adjiman-2014-ex3",
    "lampariello-sagratella-2017-ex32", "macal-hurter-1997", "mirrlees-1999", "mitsos-barton-2006-ex314",
    "paulavicius-adjiman-2017a", "sahin-ciric-1998-ex2", "ye-zhu-2010-ex42", "yezza-1996-ex31",
]  # fmt: skip


def case(name):
    pytest.importorskip("casadi")
    from solverkit.formats.load import load

    problem = load(PROBLEMS / name / "problem.yaml")
    expected = {k: np.asarray(v, float) for k, v in problem.expect["point"].items()}
    return problem, expected


@pytest.mark.parametrize("name", CASES)
def test_the_known_optimum_is_certified(name):
    problem, expected = case(name)
    certificate = certify(problem, expected, TOL, 0)
    assert certificate.status is PointStatus.CERTIFIED, [term for term in certificate.terms if not term.ok]


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_y_or_a_follower_answer_to_a_wrong_x_is_not(name):
    problem, expected = case(name)
    for change in (1e-2, -1e-2):
        moved = {"x": expected["x"], "y": expected["y"] + change}
        assert certify(problem, moved, TOL, 0).status is not PointStatus.CERTIFIED
        x = expected["x"] + 10 * change
        y = brute_follower(problem, float(x))
        if y is not None:
            assert certify(problem, {"x": x, "y": np.array(y)}, TOL, 0).status is not PointStatus.CERTIFIED


def brute_follower(problem, x):
    """The optimistic lower answer on a grid, then by golden section around it; None where there is none."""

    def value(y):
        z = np.array([x, y])
        bad = max(problem.lower_rows(z).max(initial=0), problem.lower_set.violation(np.array([y])))
        return problem.lower(z) if bad <= 1e-12 else np.inf

    grid = np.linspace(-10, 10, 1001)
    values = np.array([value(y) for y in grid])
    if not np.isfinite(values).any():
        return None
    k = int(np.argmin(values))
    low, high = grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]
    ratio = (5**0.5 - 1) / 2
    for _ in range(80):
        one, two = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, two) if value(one) <= value(two) else (one, high)
    return (low + high) / 2


def test_the_stationary_trap_of_mirrlees_is_rejected():
    """A local minimum of the follower that is not global, and stationary for the leader on the KKT conditions."""
    problem, _ = case("mirrlees-1999")
    x, y = 1.99, 0.895
    for _ in range(50):  # Newton on the follower's stationarity, then bisection in x is not needed: x solves the second

        def gap(x, y):
            return x * (1 + y) * np.exp(-((y + 1) ** 2)) - (1 - y) * np.exp(-((y - 1) ** 2))

        y -= gap(x, y) / ((gap(x, y + 1e-7) - gap(x, y - 1e-7)) / 2e-7)
    certificate = certify(problem, {"x": np.array(x), "y": np.array(y)}, TOL, 0)
    assert certificate["lower_kkt"].ok
    assert not certificate["lower_gap"].ok


# -- the merely convex toy: the optimistic choice is half the problem


@pytest.mark.parametrize("n", [1, 10, 100])
def test_coupled_toy(n):
    problem = coupled_toy(n)
    x, y = np.full(n, -0.3), np.concatenate([np.full(n, 0.7), np.full(n, -0.4)])
    certificate = certify(problem, point(x, y), TOL, 0)
    assert certificate.status is PointStatus.CERTIFIED
    assert certificate.facts["stationarity"] == "S"
    assert certificate.facts["lower_global"] == "proved convex QP"
    assert certificate.facts["objective"] == pytest.approx(0.05 * n)
    rng = np.random.default_rng(0)
    shift = rng.normal(size=n)
    shift -= shift.mean()
    for size in (1e-2, 1.0) if n > 1 else ():
        moved = y.copy()
        moved[n:] += size * shift
        certificate = certify(problem, point(x, moved), TOL, 0)
        assert certificate["lower_gap"].ok
        assert certificate["lower_feasibility"].ok
        assert certificate.status is PointStatus.FEASIBLE
    assert certify(problem, point(x, y + 1e-3), TOL, 0).status is PointStatus.INFEASIBLE


# -- random strictly convex quadratics with a closed form


def strongly_convex(rng, n, m):
    """F, f, and the reduced problem: y*(x) = T x + s, gradient R x + r."""

    def definite(k):
        factor = rng.normal(size=(k, k))
        return factor @ factor.T / k + 0.3 * np.eye(k)

    upper, a = definite(n + m), rng.normal(size=n + m)
    H, B, b = definite(m), rng.normal(size=(m, n)), rng.normal(size=m)
    lower = np.block([[np.zeros((n, n)), B.T], [B, H]])
    T, s = -np.linalg.solve(H, B), -np.linalg.solve(H, b)
    lift = np.vstack([np.eye(n), T])
    constant = np.concatenate([np.zeros(n), s])
    return upper, a, lower, b, T, s, lift, constant


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4))
def test_random_quadratics(seed, n, m):
    rng = np.random.default_rng(seed)
    upper, a, lower, b, T, s, lift, constant = strongly_convex(rng, n, m)
    problem = bilevel(n, m, quadratic(upper, a), quadratic(lower, np.concatenate([np.zeros(n), b])))
    reduced = lift.T @ upper @ lift
    x = np.linalg.solve(reduced, -lift.T @ (upper @ constant + a))
    y = T @ x + s
    certificate = certify(problem, point(x, y), TOL, 0)
    assert certificate.status is PointStatus.CERTIFIED
    assert certificate.facts["unique_lower"] is True
    scale = 1 + np.abs(upper @ np.concatenate([x, y]) + a).max() + np.linalg.norm(np.linalg.inv(lower[n:, n:]), 2)
    for size in (1e-3, 1e-1, 10.0):
        d = rng.normal(size=n)
        step = size * scale * d / np.abs(reduced @ d).max()  # the reduced gradient there is size * scale
        assert status(problem, x + step, T @ (x + step) + s) is PointStatus.FEASIBLE
        e = rng.normal(size=m)
        assert status(problem, x, y + size * scale * e / np.abs(lower[n:, n:] @ e).max()) is not PointStatus.CERTIFIED
    ignoring = np.linalg.solve(upper, -a)
    assert status(problem, ignoring[:n], ignoring[n:]) is not PointStatus.CERTIFIED


@pytest.mark.parametrize("seed", range(6))
def test_upper_maxima_and_saddles(seed):
    rng = np.random.default_rng(seed)
    n, m = 3, 2
    _, a, lower, b, T, s, lift, constant = strongly_convex(rng, n, m)
    basis = np.linalg.qr(rng.normal(size=(n + m, n + m)))[0]
    signs = -np.ones(n + m) if seed == 0 else np.array([-0.1, 1, 1, 1, 1])
    upper = basis @ np.diag(signs) @ basis.T
    reduced = lift.T @ upper @ lift
    x = np.linalg.solve(reduced, -lift.T @ (upper @ constant + a))
    problem = bilevel(n, m, quadratic(upper, a), quadratic(lower, np.concatenate([np.zeros(n), b])))
    local_minimum = np.linalg.eigvalsh(reduced)[0] > 0
    certificate = certify(problem, point(x, T @ x + s), TOL, 0)
    assert certificate["upper_stationarity"].ok
    assert (certificate.status is PointStatus.CERTIFIED) == local_minimum


# -- lower stationary points that are no minima


def test_a_lower_maximum_is_rejected():
    F, f = quadratic(np.eye(2), [0, 0]), quadratic([[0, 0], [0, -1]], [0, 0])
    problem = bilevel(1, 1, F, f, Y=Box(-1, 1))
    assert certify(problem, point(0, 0), TOL, 0)["lower_kkt"].ok
    assert status(problem, 0, 0) is not PointStatus.CERTIFIED


def test_declared_convex_with_negative_curvature_is_rejected():
    """f = y**4 - y**2, declared convex: y = 1/sqrt(2) is even a global minimum, but the declaration is wrong."""
    f = Smooth(
        2,
        lambda z: z[1] ** 4 - z[1] ** 2,
        lambda z: [0, 4 * z[1] ** 3 - 2 * z[1]],
        lambda z: [[0, 0], [0, 12 * z[1] ** 2 - 2]],
    )
    F = quadratic(np.eye(2), [0, 0])
    y = np.sqrt(0.5)
    assert status(bilevel(1, 1, F, f, convex=False), 0, y) is PointStatus.CERTIFIED
    certificate = certify(bilevel(1, 1, F, f, convex=True), point(0, y), TOL, 0)
    assert not certificate["lower_convexity"].ok


@pytest.mark.parametrize("m", [1, 3])
def test_a_local_lower_minimum_is_rejected(m):
    """f = sum (y**2 - 1)**2 + 0.3 y: two wells a coordinate, the left one is lower."""
    wells = [root.real for root in np.roots([4, 0, -4, 0.3])]
    left, right = min(wells), max(wells)

    def hessian(z):
        return np.diag(np.concatenate([[0.0], 12 * z[1:] ** 2 - 4]))

    f = Smooth(
        1 + m,
        lambda z: ((z[1:] ** 2 - 1) ** 2 + 0.3 * z[1:]).sum(),
        lambda z: np.concatenate([[0.0], 4 * z[1:] * (z[1:] ** 2 - 1) + 0.3]),
        hessian,
    )
    problem = bilevel(1, m, quadratic(np.eye(1 + m), np.zeros(1 + m)), f, Y=Box(-2, 2))
    certificate = certify(problem, point(0, np.full(m, right)), TOL, 0)
    assert certificate["lower_kkt"].ok
    assert not certificate["lower_gap"].ok
    assert status(problem, 0, np.full(m, left)) is PointStatus.CERTIFIED
    assert certificate.facts["lower_global"] == ("grid" if m == 1 else "multi-start only")


# -- signs on biactive rows: y = max(x, 0) from min 1/2 (y - x)**2, y >= 0, at x = 0


def kinked(a, b):
    """F = a x + b y over y = max(x, 0), and a little curvature."""
    F = quadratic(1e-3 * np.eye(2), [a, b])
    f = quadratic([[0, -1], [-1, 1]], [0, 0])
    return bilevel(1, 1, F, f, g=rows(linear([0, -1, 0]), 2))


@pytest.mark.parametrize(
    ("a", "b", "label", "good"),
    [
        (-1, 2, "S", True),  # grows on both sides
        (1, -2, "C", False),  # falls on both sides: the signs agree, but they are wrong
        (1, 1, "weak", False),  # falls to the left
        (-1, 0, "weak", False),  # falls to the right, follower's F flat
        (0, 1, "S", True),  # flat to the left, grows to the right
    ],
)
def test_biactive_signs(a, b, label, good):
    certificate = certify(kinked(a, b), point(0, 0), TOL, 0)
    assert (certificate.status is PointStatus.CERTIFIED) == good
    if good:
        assert certificate.facts["stationarity"] == label
    else:
        assert certificate.facts["stationarity"] != "S"
        assert not certificate["upper_stationarity"].ok


def test_nine_biactive_rows():
    """Above eight biactive rows only S passes."""
    n = 9
    f = quadratic(np.block([[np.zeros((n, n)), -np.eye(n)], [-np.eye(n), np.eye(n)]]), np.zeros(2 * n))
    positive = Quadratic([None] * n, csr_array(np.hstack([np.zeros((n, n)), -np.eye(n)])), np.zeros(n))
    for sign, good in ((1, True), (-1, False)):
        F = quadratic(1e-3 * np.eye(2 * n), sign * np.concatenate([-np.ones(n), 2 * np.ones(n)]))
        problem = bilevel(n, n, F, f, g=rows(positive, 2 * n))
        assert (status(problem, np.zeros(n), np.zeros(n)) is PointStatus.CERTIFIED) == good


def test_lower_multipliers_that_are_not_unique():
    """min y s.t. y >= x, y >= -x: y = |x|. Inner multipliers at 0 would freeze x; F = y - 2x falls to the right."""
    f = quadratic(np.zeros((2, 2)), [0, 1])
    g = rows(linear([1, -1, 0], [-1, -1, 0]), 2)
    falls = bilevel(1, 1, quadratic(np.zeros((2, 2)), [-2, 1]), f, g=g)
    assert status(falls, 0, 0) is PointStatus.FEASIBLE
    grows = bilevel(1, 1, quadratic(np.zeros((2, 2)), [-0.5, 1]), f, g=g)
    assert status(grows, 0, 0) is PointStatus.CERTIFIED


# -- upper constraints, curved sets


def test_curved_sets():
    """Leader on the disc ||x|| <= 1, follower the projection of x + (0, 1) onto the disc ||y|| <= 1; F = x1 + y1."""
    n = 2
    f = quadratic(np.block([[np.zeros((2, 2)), -np.eye(2)], [-np.eye(2), np.eye(2)]]), [0, 0, 0, -1])
    F = quadratic(np.zeros((4, 4)), [1, 0, 1, 0])
    problem = bilevel(n, n, F, f, X=Ball(np.zeros(2), 1), Y=Ball(np.zeros(2), 1))

    def value(angle):
        x = np.array([np.cos(angle), np.sin(angle)])
        y = x + np.array([0, 1])
        return x, y / max(np.linalg.norm(y), 1)

    def cost(angle):
        return value(angle)[0][0] + value(angle)[1][0]

    best = min(np.linspace(np.pi / 2, 3 * np.pi / 2, 1001), key=cost)
    for width in 10.0 ** -np.arange(3, 9):
        best = min(best + np.linspace(-2 * width, 2 * width, 41), key=cost)
    x, y = value(best)
    assert status(problem, x, y, tol=1e-5) is PointStatus.CERTIFIED
    x, y = value(best + 0.05)
    assert status(problem, x, y, tol=1e-5) is not PointStatus.CERTIFIED
    assert status(problem, *value(0.2)) is not PointStatus.CERTIFIED


def test_coupled_upper_rows():
    """min (x - 2)**2 + y**2 s.t. x + y <= 1, y = x: x = y = 1/2; without the constraint x = y = 1."""
    F = quadratic(2 * np.eye(2), [-4, 0], 4)
    f = quadratic([[0, -1], [-1, 1]], [0, 0])
    problem = bilevel(1, 1, F, f, G=linear([1, 1, -1]))
    assert status(problem, 0.5, 0.5) is PointStatus.CERTIFIED
    assert status(problem, 0.4, 0.4) is PointStatus.FEASIBLE
    assert status(problem, 1.0, 1.0) is PointStatus.INFEASIBLE
    other_sign = bilevel(1, 1, F, f, G=linear([-1, -1, 1]))  # x + y >= 1: the unconstrained optimum
    assert status(other_sign, 1.0, 1.0) is PointStatus.CERTIFIED
    assert status(other_sign, 0.5, 0.5) is PointStatus.FEASIBLE


# -- scaling cannot buy a certificate


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1e4, 1e8])
def test_scaled_rows_and_objectives(scale):
    """min (x - 2)**2 + (y - 3)**2, y = min(x, 1): x = 2, y = 1; rows and objectives times `scale`, all eight ways."""
    for rows_by, lower_by, upper_by in np.ndindex(2, 2, 2):
        k, low, up = (scale if by else 1.0 for by in (rows_by, lower_by, upper_by))
        F = quadratic(up * 2 * np.eye(2), up * np.array([-4, -6]))
        f = quadratic(low * np.array([[0, -1], [-1, 1]]), [0, 0])
        problem = bilevel(1, 1, F, f, g=rows(linear([0, k, -k]), 2))
        assert status(problem, 2, 1) is PointStatus.CERTIFIED
        assert status(problem, 2, 1.01) is PointStatus.INFEASIBLE
        assert status(problem, 2, 0.99) is not PointStatus.CERTIFIED
        assert status(problem, 2.01, 1) is not PointStatus.CERTIFIED
        assert status(problem, 0.5, 0.5) is not PointStatus.CERTIFIED


def test_scaled_variables():
    """y = 1e6 x, F = (y / 1e6 - 1)**2: the y-gradient of F is tiny wherever x is."""
    F = quadratic([[0, 0], [0, 2e-12]], [0, -2e-6], 1)
    f = quadratic([[0, -1e6], [-1e6, 1]], [0, 0])
    problem = bilevel(1, 1, F, f)
    assert status(problem, 1, 1e6) is PointStatus.CERTIFIED
    assert status(problem, 0, 0) is not PointStatus.CERTIFIED
    assert status(problem, 0.9, 0.9e6) is not PointStatus.CERTIFIED


# -- what cannot be checked


def test_unverified():
    problem = coupled_toy(2)
    assert "y" in certify(problem, {"x": np.zeros(2)}, TOL, 0).unverified
    assert "shape" in certify(problem, point(np.zeros(3), np.zeros(4)), TOL, 0).unverified
    assert "finite" in certify(problem, point([np.nan, 0], np.zeros(4)), TOL, 0).unverified

    def broken(z):
        raise RuntimeError("no licence")

    F = Smooth(2, broken, broken, broken)
    assert "no licence" in certify(bilevel(1, 1, F, quadratic(np.eye(2), [0, 0])), point(0, 0), TOL, 0).unverified


def test_an_unbounded_or_infeasible_lower_level_is_never_certified():
    F = quadratic(np.eye(2), [0, 0])
    assert status(bilevel(1, 1, F, quadratic(np.zeros((2, 2)), [0, 1])), 0, 0) is not PointStatus.CERTIFIED
    nowhere = rows(linear([0, 1, 1], [0, -1, 1]), 2)  # y <= -1 and y >= 1
    f = quadratic([[0, 0], [0, 1]], [0, 0])
    assert status(bilevel(1, 1, F, f, g=nowhere), 0, 0) is PointStatus.INFEASIBLE


def test_equalities():
    """min ||x||**2 + ||y||**2 s.t. x1 + x2 = 1, y = argmin 1/2||y||**2 s.t. y1 + y2 = x1: x1 = 2/5, y = x1/2."""
    F = quadratic(2 * np.eye(4), np.zeros(4))
    f = quadratic(np.diag([0.0, 0, 1, 1]), np.zeros(4))
    upper, lower = equations(linear([1, 1, 0, 0, -1]), 4), equations(linear([-1, 0, 1, 1, 0]), 4)
    problem = bilevel(2, 2, F, f, G=upper, g=lower)
    assert status(problem, [0.4, 0.6], [0.2, 0.2]) is PointStatus.CERTIFIED
    assert status(problem, [0.5, 0.5], [0.25, 0.25]) is PointStatus.FEASIBLE
    assert status(problem, [0.4, 0.6], [0.3, 0.1]) is PointStatus.FEASIBLE


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0, 1e4])
def test_curvature_does_not_depend_on_the_units_of_a_curved_lower_level(scale):
    """y = asinh(x): at the stationary x the second derivative of F(x, asinh(x)) has a part from y''(x)."""
    from scipy.optimize import brentq

    def problem(sign):
        return from_python(
            upper={"variables": {"x": {"shape": 2}}, "minimize": f"{sign}*sum((y - 1)**2) + {sign}*0.1*sum(x**2)"},
            lower={
                "variables": {"y": {"shape": 2}},
                "minimize": f"{scale}*(sum(exp(y) + exp(-y))/2 - dot(x, y))",
                "convex": True,
            },
        )

    root = brentq(lambda t: (np.arcsinh(t) - 1) / np.sqrt(1 + t * t) + 0.1 * t, 0, 3, xtol=1e-15)
    x = np.full(2, root)
    answer = {"x": x, "y": np.arcsinh(x)}
    assert certify(problem(1), answer, TOL).status is PointStatus.CERTIFIED
    step = 1e-3
    outer = lambda t: (np.arcsinh(t) - 1) ** 2 + 0.1 * t**2  # noqa: E731
    second = (outer(root + step) - 2 * outer(root) + outer(root - step)) / step**2
    slope = 1 / np.sqrt(1 + root**2)
    found = certify(problem(-1), answer, TOL)["curvature"]
    # the eigenvalue belongs to unit vectors (dx, dy) = (1, y') / |.|, and is divided by the largest entry of F''
    assert found.value == pytest.approx(second / (1 + slope**2) / 2, rel=1e-3)
