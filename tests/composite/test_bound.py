"""Lower bounds against their closed forms, CVXPY and brute force; what is known of level sets; norms of K."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("cvxpy")

from solverkit.kinds.composite import bound, composite, polish
from solverkit.kinds.composite.level import l1_weight, nonnegative, reach
from solverkit.kinds.composite.terms import Bounded, Entropy, Euclidean, Outer
from solverkit.operators.proximal import L1, L2, Box, Product, ProximalMap, Translated
from tests.composite.cases import ball, fused, graph, lasso, portfolio, wide

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((7, 4)), RNG.standard_normal(7)


def small(**parts):
    """Four variables, data of seven rows."""
    return composite(variables={"x": {"shape": 4, **parts.pop("x", {})}}, data={"A": A, "b": B}, **parts)


SQUARES = {"least_squares": {"matrix": "A", "targets": "b"}}


@pytest.mark.parametrize("mu", [0.0, 0.3])
def test_the_bound_of_a_dual_is_its_quadratic_minimized(mu):
    """f = |Ax - b|^2 / 14 of curvature m, h = |x|_1: everything under the minimum over u is a square."""
    problem = small(smooth=SQUARES, nonsmooth="norm1(x)", simple=f"{mu}*sum(x**2)")
    m = np.linalg.eigvalsh(A.T @ A / 7)[0]
    z, y = RNG.standard_normal(4), RNG.uniform(-1, 1, 4)
    slope = A.T @ (A @ z - B) / 7
    total = m + 2 * mu
    u = (m * z - slope - y) / total
    expected = ((A @ z - B) ** 2).sum() / 14 + slope @ (u - z) + y @ u + m / 2 * ((u - z) ** 2).sum() + mu * (u @ u)
    line = bound.Linearized.at(problem, z)
    assert line.strong == pytest.approx(m, rel=1e-5)
    assert bound.curvature(problem) == line.strong
    assert bound.with_dual(problem, line, y) == pytest.approx(expected, rel=1e-6)
    assert bound.with_dual(problem, line, y + 2) == -np.inf


@pytest.mark.parametrize("strong", [0.0, 0.7])
def test_the_bound_of_cuts_is_that_of_their_average(strong):
    kinked = (lambda x: float(np.abs(x).sum()), lambda x: np.sign(x))
    problem = small(smooth="dot(x, x)", nonsmooth=kinked, simple="0.5*sum(x**2)")
    z, cuts = RNG.standard_normal(4), RNG.standard_normal((3, 4))
    cuts[2] = np.nan  # of no weight
    line = replace(bound.Linearized.at(problem, z), strong=strong)
    slope = 2 * z + 0.25 * np.sign(cuts[0]) + 0.75 * np.sign(cuts[1])
    u = (strong * z - slope) / (1 + strong)
    expected = -(z @ z) + slope @ u + 0.5 * u @ u + 0.5 * strong * ((u - z) ** 2).sum()
    assert line.offset == pytest.approx(-(z @ z))
    assert bound.with_cuts(problem, line, cuts, np.array([0.25, 0.75, 0.0])) == pytest.approx(expected, rel=1e-12)


def test_a_linearization_of_a_kink_is_tight_where_it_is_made_and_below_elsewhere():
    shifted = (lambda x: float(np.abs(x - 1).sum()), lambda x: np.sign(x - 1))
    problem = small(smooth="0*dot(x, x)", nonsmooth=shifted, simple="0.5*sum(x**2)")
    line = bound.Linearized.at(problem, np.zeros(4))
    assert bound.with_cuts(problem, line, np.zeros((1, 4)), np.ones(1)) == pytest.approx(2.0)  # min 4 - sum u + u'u / 2


@pytest.mark.parametrize("radius", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_over_a_ball_a_linear_function_is_least_at_its_edge(radius, size):
    problem = small(smooth="dot(x, x)")
    x, slope = RNG.standard_normal(4), size * RNG.standard_normal(4)
    least = slope @ x - radius * np.linalg.norm(slope)
    found = bound.lowest_near(problem.simple, slope, bound.Near(x, radius))
    assert found == pytest.approx(least, abs=1e-7 * radius * np.linalg.norm(slope) + 1e-12 * abs(slope @ x))


@pytest.mark.parametrize("radius", [0.5, 3.0, 40.0])
def test_over_a_ball_with_kinks_it_is_the_least_of_the_interval(radius):
    """One variable: <s, u> + |u| over [x - R, x + R] is least at an end, or at 0."""
    problem = composite(variables={"x": {"shape": 1}}, smooth="dot(x, x)", simple="norm1(x)")
    for slope, x in RNG.uniform(-3, 3, (30, 2)):
        ends = [x - radius, x + radius, *([0.0] if abs(x) <= radius else [])]
        least = min(slope * u + abs(u) for u in ends)
        found = bound.lowest_near(problem.simple, np.array([slope]), bound.Near(np.array([x]), radius))
        assert least - 1e-6 * (1 + abs(least) + radius) <= found <= least + 1e-9 * (1 + radius)


class Unknown(ProximalMap):
    """|v|^2 / 2 whose conjugate nobody wrote."""

    def prox(self, v, step):
        return v / (1 + step)

    def value(self, v):
        return 0.5 * (v * v).sum(axis=-1)

    def digest(self):
        return "unknown"


def test_where_no_conjugate_is_known_the_bound_is_near_or_nothing():
    problem = replace(small(smooth="dot(x, x)"), simple=Euclidean(4, Unknown()))
    slope, line = np.ones(4), bound.Linearized(np.zeros(4), 0.0, np.zeros(4))
    assert bound.lowest(problem.simple, slope, line) == -np.inf
    near = bound.lowest(problem.simple, slope, line, bound.Near(np.zeros(4), 10.0))
    assert near == pytest.approx(-2.0, rel=1e-6)  # at u = -1, well inside
    assert bound.lowest(problem.simple, slope, replace(line, strong=1.0)) == pytest.approx(-1.0)  # at u = -1/2


def test_a_finite_minimum_needs_no_ball():
    """Of chi = |.|_1 and a small slope the minimum over all u is 0, and a ball around a point far away is not asked."""
    problem = small(smooth="dot(x, x)", simple="norm1(x)")
    line = bound.Linearized(np.zeros(4), 0.0, np.zeros(4))
    far = bound.Near(np.full(4, 50.0), 1.0)
    assert bound.lowest(problem.simple, np.full(4, 0.5), line, far) == pytest.approx(0.0, abs=1e-12)
    assert bound.lowest(problem.simple, np.full(4, 1.5), line) == -np.inf
    assert np.isfinite(bound.lowest(problem.simple, np.full(4, 1.5), line, far))


@pytest.mark.parametrize("form", [fused, graph, portfolio], ids=lambda form: form.__name__)
def test_steps_on_the_dual_close_the_gap_at_the_minimizer(form):
    case = form(1)
    problem, line = case.problem, bound.Linearized.at(case.problem, case.x)
    norm, start = bound.norm_of(problem), np.zeros(problem.structured.rows)
    better = bound.inside(problem, bound.ascend(problem, line, start, norm, 3000, np.inf))
    scale = 1 + abs(case.value)
    assert case.value - 1e-6 * scale <= bound.with_dual(problem, line, better) <= case.value + 1e-9 * scale


def test_steps_on_the_dual_close_the_gap_where_nothing_is_strongly_convex():
    case = ball(1)
    problem, line = case.problem, bound.Linearized.at(case.problem, case.x)
    near = bound.Near(case.x, reach(problem.simple, case.x), everywhere=True)
    start, enough = np.zeros(problem.structured.rows), case.value - 1e-5
    first = bound.with_dual(problem, line, start, near)
    better = bound.inside(problem, bound.ascend(problem, line, start, bound.norm_of(problem), 3000, enough, near))
    assert first < enough - 0.1
    assert enough - 1e-3 <= bound.with_dual(problem, line, better, near) <= case.value + 1e-9


def accelerated(problem, line, y, steps, centre, weight):
    """The steps of `ascend` as the papers have them, where the domain of g* is a box; and how often they restart."""
    strong, side = problem.simple.strong + weight, problem.structured.outer.weight.host
    step, t = strong / bound.norm_of(problem) ** 2, [1.0]
    points, ahead, restarts = [y], y, 0
    for _ in range(steps):
        u = problem.simple_step(line.gradient + problem.adjoint(ahead), centre, weight)
        points.append(np.clip(ahead + step * problem.forward(u), -side, side))
        moved = points[-1] - points[-2]
        if (points[-1] - ahead) @ moved < 0:  # against the last step: its momentum is given up
            t, restarts = [1.0], restarts + 1
        t.append((1 + np.sqrt(1 + 4 * t[-1] ** 2)) / 2)
        ahead = points[-1] + (t[-2] - 1) / t[-1] * moved
    return points[-1], restarts


def boxed(mu):
    """Total variation in one dimension, whose dual is a box, over a set or with a square."""
    rng = np.random.default_rng(5)
    data = {"A": rng.standard_normal((6, 9)), "b": rng.standard_normal(6), "K": np.diff(np.eye(9), axis=0)}
    problem = composite(
        variables={"x": {"shape": 9, "set": {"ball": {"center": 0, "radius": 2}}}},
        data={"A": data["A"], "b": data["b"]},
        smooth=SQUARES,
        nonsmooth=(data["K"], L1(0.3)),
        simple=f"{mu}*sum(x**2)",
    )
    return problem, rng.standard_normal(9)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 200])
def test_steps_on_the_dual_are_those_of_the_papers(steps):
    problem, x = boxed(0.2)
    line, start = bound.Linearized.at(problem, x), np.full(8, 0.1)
    expected, restarts = accelerated(problem, line, start, steps, x, line.strong)
    found = bound.ascend(problem, line, start, bound.norm_of(problem), steps, np.inf)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    assert (restarts > 0) == (steps == 200)


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_steps_on_the_dual_bend_chi_by_what_is_missing(steps):
    """(rho / 2) R^2 is a twentieth of what is missing, by which rho and so the length of the steps is known."""
    problem, x = boxed(0.0)
    line, start = bound.Linearized.at(problem, x), np.full(8, 0.1)
    near = bound.Near(x + 0.5, 3.0)
    missing = 2.5
    enough = bound.with_dual(problem, line, start, near) + missing
    weight = 2 * missing / 20 / 3.0**2
    expected, _ = accelerated(problem, line, start, steps, near.x, weight)
    found = bound.ascend(problem, line, start, bound.norm_of(problem), steps, enough, near)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


class Counting(Outer):
    """Counts the products with K'."""

    calls = 0

    def adjoint(self, y):
        self.calls += 1
        return super().adjoint(y)


def counted(problem):
    return replace(problem, structured=Counting(problem.structured.linear, problem.structured.outer))


def test_no_more_steps_are_made_than_asked_for_and_none_when_the_bound_is_good_enough():
    case = fused(2)
    norm, start = bound.norm_of(case.problem), np.zeros(case.problem.structured.rows)
    calls = []
    for steps, enough in ((100, np.inf), (100, -np.inf), (5, np.inf)):
        problem = counted(case.problem)
        bound.ascend(problem, bound.Linearized.at(problem, case.x), start, norm, steps, enough)
        calls.append(problem.structured.calls)
    assert calls == [110, 11, 5]  # each step one, and every tenth looks at the bound


def test_without_k_or_curvature_there_are_no_steps():
    case = fused(2, mu=0.0)
    start = np.ones(case.problem.structured.rows)
    line = bound.Linearized.at(case.problem, case.x)
    assert line.strong == 0
    np.testing.assert_array_equal(bound.ascend(case.problem, line, start, 1.0, 10, np.inf), start)
    np.testing.assert_array_equal(bound.ascend(case.problem, replace(line, strong=1.0), start, 0.0, 10, np.inf), start)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_norm_of_k_is_five_percent_on_the_safe_side(scale):
    for rows, columns in ((3, 8), (8, 3), (1, 1)):
        K = scale * RNG.standard_normal((rows, columns))
        problem = composite(variables={"x": {"shape": columns}}, smooth="dot(x, x)", nonsmooth=(K, L1(1.0)))
        norm = np.linalg.norm(K, 2)
        assert norm <= bound.norm_of(problem) <= 1.0501 * norm
    empty = composite(variables={"x": {"shape": 3}}, smooth="dot(x, x)", nonsmooth=(np.zeros((2, 3)), L1(1.0)))
    assert bound.norm_of(empty) == 0.0


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_a_dual_is_moved_into_the_domain_of_the_conjugate(size):
    problem = small(smooth=SQUARES, nonsmooth=(A, L2(0.7 * size)))
    for given in (np.zeros(7), np.full(7, 0.1 * size), 1e3 * size * np.ones(7)):
        y = bound.inside(problem, given)
        assert np.isfinite(problem.structured.outer.conjugate(y))
        within = given * min(1.0, 0.7 * size / max(np.linalg.norm(given), 1e-300))
        np.testing.assert_allclose(y, within, rtol=1e-9, atol=1e-15 * size)


LEVELS = [  # chi, what bounds it by |x|_1, how far its set reaches from x
    ({"simple": "0.3*norm1(x)"}, 0.3, np.inf),
    ({"simple": "0.3*norm1(x) + 0.5*sum(x**2)"}, 0.3, np.inf),
    ({"simple": "0.3*norm1(x) + x[0]"}, 0.0, np.inf),
    ({"x": {"lower": -2, "upper": 1}}, 0.0, "box"),
    ({"x": {"lower": -2, "upper": 1}, "simple": "0.3*norm1(x)"}, 0.3, "box"),
    ({"x": {"lower": 0}, "simple": "0.3*norm1(x)"}, 0.3, np.inf),
    ({"x": {"set": {"ball": {"center": 1, "radius": 0.7}}}}, 0.0, "ball"),
    ({"x": {"set": {"simplex": 2}}}, 0.0, "simplex"),
]


@pytest.mark.parametrize(("parts", "weight", "far"), LEVELS)
def test_what_is_known_of_level_sets(parts, weight, far):
    problem = small(smooth=SQUARES, **{key: dict(value) if key == "x" else value for key, value in parts.items()})
    assert l1_weight(problem.simple) == weight
    for x in (np.zeros(4), np.array([0.5, -1.0, 3.0, 0.0])):
        corners = np.array(np.meshgrid(*[[-2.0, 1.0]] * 4)).reshape(4, -1).T
        furthest = {
            np.inf: np.inf,
            "box": np.linalg.norm(corners - x, axis=1).max(),
            "ball": 0.7 + np.linalg.norm(x - 1),
            "simplex": 2 + np.linalg.norm(x),
        }[far]
        assert reach(problem.simple, x) == pytest.approx(furthest)


def test_the_least_weight_of_all_counts():
    assert l1_weight(Euclidean(3, L1(np.array([0.5, 0.2, 0.9])))) == 0.2
    assert l1_weight(Euclidean(3, Bounded(L1(np.array([0.5, 0.2, 0.9])), Box(-1, 1)))) == 0.2
    assert l1_weight(Entropy(3)) == 0.0
    assert reach(Entropy(3), np.ones(3)) == np.inf


def test_a_sum_of_norms_is_not_negative_and_other_parts_may_be():
    norms = Product([(slice(0, 3), L1(1.0)), (slice(3, 7), Translated(L2(2.0), np.ones(4)))])
    assert nonnegative(small(smooth=SQUARES))
    assert nonnegative(small(smooth=SQUARES, nonsmooth=(A, norms)))
    assert nonnegative(small(smooth=SQUARES, nonsmooth={"absolute": {"matrix": "A", "targets": "b"}}))
    assert not nonnegative(small(smooth="dot(x, x)"))
    assert not nonnegative(small(smooth=SQUARES, nonsmooth="max(x[0], 2*x[1] - 1)"))
    mixed = Product([(slice(0, 3), L1(1.0)), (slice(3, 7), Unknown())])
    assert not nonnegative(small(smooth=SQUARES, nonsmooth=(A, mixed)))
    assert not nonnegative(small(smooth=SQUARES, nonsmooth=(lambda x: -1.0, lambda x: np.zeros(4))))


@pytest.mark.parametrize("form", [wide, lasso], ids=lambda form: form.__name__)
def test_steps_from_a_rough_point_end_at_the_minimizer(form):
    case = form(3)
    problem, structured = case.problem, case.problem.structured
    norm = 0.0 if structured is None else bound.norm_of(problem)
    y = np.zeros(0 if structured is None else structured.rows)
    found = list(polish.pairs(problem, case.x + 0.1, y, norm))
    assert len(found) == 10
    values = [case.psi(z) for z, _ in found]
    assert values[-1] == pytest.approx(case.value, abs=1e-7)
    assert len(found[-1][1]) == len(y)
    if structured is not None:  # y is a subgradient of g at K z
        assert found[-1][1] @ problem.forward(case.x) == pytest.approx(problem.nonsmooth_value(case.x), abs=1e-5)


@pytest.mark.parametrize("unit", [0.1, 10.0, 300.0])
def test_such_steps_move_the_dual_in_other_units_of_k(unit):
    """K times a number and g of one by it is the same h; the dual is that of `wide` over the number."""
    case = wide(3)
    differences = unit * np.diff(np.eye(14), axis=0)
    problem = replace(
        case.problem,
        structured=composite(
            variables={"x": {"shape": 14}}, smooth="dot(x, x)", nonsmooth=(differences, L1(0.02 / unit))
        ).structured,
    )
    *_, (z, y) = polish.pairs(problem, case.x + 0.1, np.full(13, 0.01 / unit), bound.norm_of(problem))
    assert case.psi(z) == pytest.approx(case.value, abs=1e-7)
    assert y @ problem.forward(case.x) == pytest.approx(problem.nonsmooth_value(case.x), abs=1e-5)


def test_such_steps_are_as_long_as_the_curvature_of_f_allows():
    """f = 50 x'x alone: each step is 1 - 1.98 of the way, and of 2 / L or more they would not end."""
    problem = composite(variables={"x": {"shape": 3}}, smooth="50*dot(x, x)", simple="1e-3*norm1(x)")
    assert problem.smooth.lipschitz == pytest.approx(100)
    found = [z for z, _ in polish.pairs(problem, np.ones(3), np.zeros(0), 0.0)]
    assert len(found) == 10
    assert np.abs(found[0]).max() < 1e-2
    assert np.abs(found[-1]).max() < 1e-9


def test_there_are_no_such_steps_without_a_constant_or_where_they_would_be_few(monkeypatch):
    def count(problem, norm=0.0):
        return len(list(polish.pairs(problem, np.full(problem.n, 0.1), np.zeros(0), norm)))

    plain = lasso(0).problem
    assert count(plain) == 10
    own = small(smooth=(lambda x: float(x @ x), lambda x: 2 * x), simple="norm1(x)")
    assert own.smooth.lipschitz is None
    assert count(own) == 0
    assert count(replace(plain, simple=Entropy(10))) == 0
    assert count(small(simple="norm1(x)")) == 0  # neither f nor h
    touched = 30 * 10 + 10 * 10  # numbers of A, and of x ten times
    monkeypatch.setattr(polish, "WORK", 100.0 * touched)
    assert count(plain) == 10
    monkeypatch.setattr(polish, "WORK", 99.0 * touched)
    assert count(plain) == 0
    form = wide(0).problem
    touched = 8 * 14 + 10 * (14 + 13)  # and of y
    for work, pairs in ((100, 10), (99, 0)):
        monkeypatch.setattr(polish, "WORK", float(work * touched))
        assert len(list(polish.pairs(form, np.full(14, 0.1), np.zeros(13), 1.0))) == pairs
