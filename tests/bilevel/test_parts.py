"""Parts of the bilevel certificate where the usual small problem does not take them: many variables, bad functions."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array

from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel import certificate, curvature, local, multipliers, stationarity
from solverkit.kinds.bilevel.certificate import certify
from solverkit.kinds.bilevel.lower_solve import LowerAnswer, solve_lower
from solverkit.kinds.bilevel.multipliers import lower_multipliers, unique_multipliers, vertices
from solverkit.kinds.bilevel.optimistic import BestUpper, best_upper
from solverkit.kinds.bilevel.spectrum import lanczos

from .functions import Quadratic, Smooth, at, bilevel, equations, flat, of_y, point, quadratic, rows

# -- multipliers


def pinned(m, double, unit=1.0):
    """min unit sum y over y >= 0, the first `double` rows given twice: multipliers `unit`, split in any way there."""
    table = np.vstack([-np.eye(m), -np.eye(m)[:double]])
    below = Quadratic(
        [None] * len(table), csr_array(np.hstack([np.zeros((len(table), 1)), table])), np.zeros(len(table))
    )
    f = quadratic(np.zeros((1 + m, 1 + m)), np.concatenate([[0.0], np.full(m, unit)]))
    return at(bilevel(1, m, flat(1 + m), f, g=rows(below, 1 + m)), 0, np.zeros(m))


@pytest.mark.parametrize("m", [1, 4, 12, 601])
def test_independent_rows_have_one_set_of_multipliers(m):
    here = pinned(m, 0)
    found = lower_multipliers(here)
    np.testing.assert_allclose(found.value, 1.0, atol=1e-9)
    assert found.residual < 1e-9
    assert unique_multipliers(here)
    assert vertices(here, found, 0) == [found]


@pytest.mark.parametrize(("m", "unit"), [(1, 1.0), (4, 1.0), (4, 1e3), (601, 1.0)])
def test_a_row_given_twice_has_the_vertices_in_which_one_of_both_carries_all(m, unit):
    here = pinned(m, 1, unit)
    found = lower_multipliers(here)
    assert not unique_multipliers(here)
    ends = vertices(here, found, 0)
    pairs = {(round(float(each.value[0] / unit), 6), round(float(each.value[m] / unit), 6)) for each in ends}
    assert pairs >= {(0.0, 1.0), (1.0, 0.0)}
    for each in ends:
        assert each.residual < 1e-6 * unit
        assert (each.value >= -1e-9).all()
        assert each.value[0] + each.value[m] == pytest.approx(unit, rel=1e-6)


@pytest.mark.parametrize("length", [1e-3, 1.0, 50.0])
def test_multipliers_are_those_of_rows_as_they_are_written(length):
    """min y over length y >= 0, given twice: 1 / length, on either of them."""
    table = np.array([[0.0, -length], [0.0, -length]])
    below = rows(Quadratic([None, None], csr_array(table), np.zeros(2)), 2)
    here = at(bilevel(1, 1, flat(2), quadratic(np.zeros((2, 2)), [0, 1]), g=below), 0, 0)
    ends = vertices(here, lower_multipliers(here), 0)
    pairs = {tuple(np.round(each.value * length, 6).tolist()) for each in ends}
    assert pairs >= {(0.0, 1.0), (1.0, 0.0)}
    for each in ends:
        assert each.residual < 1e-9


def test_a_ray_of_multipliers_is_no_vertex():
    """y >= 0 and y <= 0, f = y: (1 + t, t) for any t >= 0, of which (1, 0) alone is a vertex."""
    table = np.array([[0.0, -1.0], [0.0, 1.0]])
    both = rows(Quadratic([None, None], csr_array(table), np.zeros(2)), 2)
    here = at(bilevel(1, 1, flat(2), quadratic(np.zeros((2, 2)), [0, 1]), g=both), 0, 0)
    found = lower_multipliers(here)
    for each in vertices(here, found, 0)[1:]:
        assert each.value == pytest.approx([1, 0], abs=1e-6)
    assert all(each.value.max() < 1e3 for each in vertices(here, found, 0))


def test_complementarity_is_the_slack_times_the_multiplier_of_inequalities():
    """min 3 y over y >= 0 at y = 1e-5, which is active to 1e-4; an equation has none."""
    f, table = quadratic(np.zeros((2, 2)), [0, 3]), csr_array(np.array([[0.0, -1.0]]))
    floor = Quadratic([None], table, np.zeros(1))
    found = lower_multipliers(at(bilevel(1, 1, flat(2), f, g=rows(floor, 2)), 0, 1e-5))
    assert found.value == pytest.approx([3.0])
    assert found.complementarity == pytest.approx(3e-5)
    found = lower_multipliers(at(bilevel(1, 1, flat(2), f, g=equations(floor, 2)), 0, 1e-5))
    assert found.complementarity == 0.0


@pytest.mark.parametrize(("slope", "seen"), [(1e-11, False), (1e-9, True)])
def test_a_row_with_next_to_nothing_of_y_has_no_multiplier(slope, seen):
    """1e3 x + slope y <= 0, which is 1e-13 of its length."""
    table = csr_array(np.array([[1e3, -slope]]))
    here = at(
        bilevel(1, 1, flat(2), quadratic(np.zeros((2, 2)), [0, 3]), g=rows(Quadratic([None], table, 0.0), 2)), 0, 0
    )
    assert bool(lower_multipliers(here).value[0] > 0) is seen


def test_which_multipliers_are_more_than_rounding_is_a_matter_of_their_size():
    value, signs = np.array([1e3, 1e-5, 1e-2, -1e-2]), np.array([True, True, False, True])
    assert multipliers._support(value, signs, 1e3) == (0,)
    assert multipliers._support(value, signs, 1.0) == (0, 1)


# -- the best upper value, curvature, spectra


def test_newton_steps_on_f_that_are_slow_are_not_called_exact():
    """F = y^40 over all y: each step of Newton takes 1/39 of the way, and thirty of them do not end."""
    F = of_y(1, lambda y: y**40, lambda y: 40 * y**39, lambda y: 1560 * y**38)
    here = at(bilevel(1, 1, F, flat(2)), 0, 3)
    answer = LowerAnswer("proved convex QP", 0.0, 0.0, [np.array([3.0])], quadratic=True)
    best = best_upper(here, answer)
    assert not best.exact
    assert best.y[0] == pytest.approx(3 * (38 / 39) ** 30, rel=1e-6)
    assert best.value == pytest.approx(best.y[0] ** 40)


def test_the_best_of_all_lower_solutions_meets_rows_that_are_slack_and_equations_that_are_not_met_yet():
    """f = 0: F = (y_0 - 2)^2 under y_0 <= 5, and (y_0 + 3)^2 + y_1^2 on y_0 + y_1 = 1, from zero."""
    F = quadratic(np.diag([0.0, 2, 0]), [0, -4, 0], 4.0)
    here = at(bilevel(1, 2, F, flat(3), g=quadratic(np.zeros((3, 3)), [0, 1, 0], -5.0)), 0, 0, 0)
    answer = LowerAnswer("proved convex QP", 0.0, 0.0, [np.zeros(2)], quadratic=True)
    best = best_upper(here, answer)
    assert best.exact
    assert best.y[0] == pytest.approx(2)
    F = quadratic(np.diag([0.0, 2, 2]), [0, 6, 0], 9.0)
    line = equations(quadratic(np.zeros((3, 3)), [0, 1, 1], -1.0), 3)
    best = best_upper(at(bilevel(1, 2, F, flat(3), g=line), 0, 0, 0), answer)
    assert best.y == pytest.approx([-1, 2])
    assert best.value == pytest.approx(8)


@pytest.mark.parametrize(("apart", "told"), [(1e-3, {}), (3e-3, {"unique_lower": False})])
def test_how_far_apart_lower_solutions_are_others(apart, told):
    """A thousandth of 1 + |y|, with y = 0.9."""
    here = at(bilevel(1, 1, flat(2), flat(2)), 0, 0.9)
    answer = LowerAnswer("proved convex QP", 0.0, 0.0, [np.array([0.9 + apart])], quadratic=True)
    assert certificate._uniqueness(here, answer, BestUpper(0.0, np.array([0.9]), True)) == told


def test_the_bend_of_the_lower_level_is_its_third_derivative():
    """f = sum exp(y_i) + x y_0^2: (w' grad_y L)'' d = (2 w_0 d_{y0}, ...) by hand."""
    f = Smooth(
        3,
        lambda z: np.exp(z[1:]).sum() + z[0] * z[1] ** 2,
        lambda z: [z[1] ** 2, np.exp(z[1]) + 2 * z[0] * z[1], np.exp(z[2])],
        lambda z: [[0, 2 * z[1], 0], [2 * z[1], np.exp(z[1]) + 2 * z[0], 0], [0, 0, np.exp(z[2])]],
    )
    here = at(bilevel(1, 2, flat(3), f), 0.3, [0.2, -0.4])
    w = np.array([0.7, -1.1])
    apply = curvature._bend(here, lower_multipliers(here), w)
    third = np.array([[0, 2 * w[0], 0], [2 * w[0], w[0] * np.exp(0.2), 0], [0, 0, w[1] * np.exp(-0.4)]])
    for d in (np.array([1.0, 0, 0]), np.array([0.3, -2.0, 0.5]), np.array([0, 0, 1e-6]), np.zeros(3)):
        np.testing.assert_allclose(apply(d), third @ d, atol=1e-6 * np.abs(d).max(initial=0.0))


def test_negative_curvature_is_the_same_from_products():
    """W = diag(-1, 0, 1, 2, ...) on the moves with sum 0, dense and by Lanczos."""
    N = 40
    W, tangent = csr_array(diags_array(np.arange(-1.0, N - 1))), csr_array(np.ones((1, N)) / np.sqrt(N))
    cross = csr_array((N, 0))
    dense = curvature._dense(W, cross, None, tangent, N - 2.0)
    products = curvature._lanczos(W, cross, None, tangent, N - 2.0)
    basis = np.linalg.qr(np.column_stack([np.ones(N), np.eye(N)[:, 1:]]))[0][:, 1:]
    least = -np.linalg.eigvalsh(basis.T @ W.toarray() @ basis)[0] / (N - 2.0)
    assert dense.value == pytest.approx(least, rel=1e-9)
    assert 0.5 * least < products.value <= least * (1 + 1e-9)  # it ends once the sign is sure
    bent = curvature._lanczos(W, cross, lambda d: 3 * d, tangent, N - 2.0)
    assert bent.value == 0.0
    broken = curvature._lanczos(csr_array(np.full((N, N), np.nan)), cross, None, tangent, 1.0)
    assert np.isnan(broken.value)
    assert "not finite" in broken.how


def test_a_probe_leaves_out_moves_at_which_the_lower_level_has_no_value():
    """f = (y - sqrt(x))^2 / 2 at x = 0.005: a move of 0.01 downward has no value, and all others tell something."""
    f = Smooth(
        2,
        lambda z: 0.5 * (z[1] - np.sqrt(z[0])) ** 2,
        lambda z: [-0.5 * (z[1] - np.sqrt(z[0])) / np.sqrt(z[0]), z[1] - np.sqrt(z[0])],
        lambda z: [[0.25 * z[1] * z[0] ** -1.5, -0.5 / np.sqrt(z[0])], [-0.5 / np.sqrt(z[0]), 1.0]],
    )
    problem, plain = bilevel(1, 1, quadratic(np.diag([0.0, 1.0]), [0, 0]), f), curvature.Curvature(0.0, "")
    with np.errstate(all="ignore"):
        here = at(problem, 0.005, np.sqrt(0.005))
        found = curvature.probe(here, solve_lower(here, 0), plain, 0, 1e-6)
        far = at(problem, 1.0, 1.0)
        every = curvature.probe(far, solve_lower(far, 0), plain, 0, 1e-6)
    assert 0 < found.informative < every.informative
    assert found.value > 0  # F = x / 2 falls to the left


@pytest.mark.parametrize(("gain", "seen"), [(0.5, False), (1.5, True)])
def test_a_probe_takes_no_rounding_of_f_for_a_better_point(monkeypatch, gain, seen):
    """Noise is 1e-10 of F and its scale; a gain is judged by what it leaves of it."""
    problem = bilevel(1, 1, quadratic(np.diag([2.0, 0]), [0, 0], 7.0), quadratic(np.diag([0, 2.0]), [0, 0]))
    here = at(problem, 0.0, 0.0)
    noise = 1e-10 * (7.0 + here.upper_scale)
    monkeypatch.setattr(curvature, "_moved", lambda *_: (gain * noise, 1e-12))
    found = curvature.probe(here, solve_lower(here, 0), curvature.Curvature(0.0, ""), 0, 1e-6)
    assert (found.value > 0) is seen


def test_a_probe_of_moves_that_tell_nothing_says_so(monkeypatch):
    problem = bilevel(1, 1, quadratic(np.diag([2.0, 0]), [0, 0]), quadratic(np.diag([0, 2.0]), [0, 0]))
    monkeypatch.setattr(curvature, "_moved", lambda *_: None)
    here = at(problem, 0.0, 0.0)
    found = curvature.probe(here, solve_lower(here, 0), curvature.Curvature(0.0, ""), 0, 1e-6)
    assert (found.value, found.sudden, found.informative) == (0.0, 0.0, 0)


@pytest.mark.parametrize(("degree", "quadratic_one"), [(None, False), (1, True), (2, True), (3, False)])
def test_a_lower_level_is_quadratic_up_to_degree_two(degree, quadratic_one):
    f = of_y(1, lambda y: y**2, lambda y: 2 * y, lambda y: 2 + 0 * y, degree=degree)
    assert curvature._quadratic_lower(at(bilevel(1, 1, flat(2), f), 0, 0)) is quadratic_one


def test_krylov_spaces_end_where_there_is_nothing_left():
    none = lanczos(lambda v: v, np.zeros(3))
    assert (none.smallest, none.largest, none.residual) == (0.0, 0.0, 0.0)
    one = lanczos(lambda v: -2 * v, np.array([3.0]))
    assert (one.smallest, one.largest) == pytest.approx((-2.0, -2.0))
    A = np.diag([-3.0, 1.0, 4.0, 5.0])
    whole = lanczos(lambda v: A @ v, np.ones(4), negative=np.inf)
    assert (whole.smallest, whole.largest) == pytest.approx((-3.0, 5.0))
    assert np.abs(whole.vector / np.linalg.norm(whole.vector)) == pytest.approx([1, 0, 0, 0], abs=1e-9)


@pytest.mark.parametrize("size", [0.0, 3.0, np.inf])
def test_the_norm_of_a_hessian_from_its_products(size):
    found = local._norm(lambda v: size * v, 5)
    assert found == size or (np.isnan(found) and size == np.inf)
    A = np.diag([7.0, 1.0, 2.0])
    assert local._norm(lambda v: A @ v, 3) == pytest.approx(7.0, rel=1e-3)
    assert local._norm(lambda v: A @ v, 3, 1) == pytest.approx(2.0, rel=1e-3)


# -- stationarity


def eliminated(K):
    """Whether y can be eliminated by this K."""
    m = len(K)
    hessian = np.zeros((1 + m, 1 + m))
    hessian[1:, 1:] = K
    return stationarity._Adjoint.of(csr_array(hessian), csr_array((0, 1 + m)), 1) is not None


def test_a_lower_kkt_matrix_that_is_singular_or_no_number_eliminates_nothing():
    assert eliminated(np.array([[2.0, 1.0], [1.0, 3.0]]))
    assert eliminated(np.diag([1e-9, 1.0, 1e9]))  # units
    assert not eliminated(np.array([[1.0, 1.0], [1.0, 1.0]]))
    assert not eliminated(np.array([[1.0, 1.0], [1.0, 1.0 + 1e-13]]))
    assert not eliminated(np.array([[np.nan, 1.0], [1.0, 3.0]]))


def test_rows_without_a_multiplier_are_weak():
    """y = max(x, 0) at the kink, and where it is pressed."""
    f = quadratic(np.array([[1.0, -1], [-1, 1]]), [0, 0])
    floor = rows(Quadratic([None], csr_array([[0.0, -1.0]]), np.zeros(1)), 2)
    problem = bilevel(1, 1, flat(2), f, g=floor)
    for x, weak in ((0.0, [0]), (-1.0, [])):
        here = at(problem, x, 0)
        assert stationarity.Split.of(here, lower_multipliers(here)).biactive.tolist() == weak


def test_a_row_with_slack_and_a_multiplier_counts_by_their_product():
    here = at(bilevel(1, 1, flat(2), flat(2)), 0, 0)
    fit = SimpleNamespace(u=np.array([0.0, 5.0, 0.0]), residual=np.zeros(2), broken=0.0)
    system = SimpleNamespace(
        local=here,
        upper=csr_array((2, 2)),
        upper_slack=np.array([1e-3, 7.0]),
        lower_slack=np.zeros(0),
        hessian=csr_array((1, 1)),
    )
    assert stationarity._measured(system, fit, np.zeros(0, int)).value == pytest.approx(5e-3)


def test_a_row_without_a_gradient_stays_zero():
    unit, norms = stationarity._unit(csr_array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(unit.toarray(), [[0.6, 0.8], [0.0, 0.0]])
    np.testing.assert_allclose(norms, [5.0, 1.0])


def test_many_coupled_upper_rows_go_to_the_reformulation(monkeypatch):
    """min (x - 2)^2 + y^2 with y = x and x + y <= 1: x = y = 1/2, by either way."""
    F, f = quadratic(2 * np.eye(2), [-4, 0], 4), quadratic([[0, -1], [-1, 1]], [0, 0])
    problem = bilevel(1, 1, F, f, G=Quadratic([None], csr_array(np.array([[1.0, 1.0]])), -1.0))
    assert "hypergradient" in certify(problem, point(0.5, 0.5)).facts
    monkeypatch.setattr(stationarity, "MAX_COUPLED", 0)
    found = certify(problem, point(0.5, 0.5))
    assert found.status is PointStatus.CERTIFIED
    assert "hypergradient" not in found.facts
    assert certify(problem, point(0.4, 0.4)).status is PointStatus.FEASIBLE


def test_dependence_is_relative_to_rows_of_length_one():
    """Two rows that differ by 1e-6 are two; by 1e-12 they are one, whatever multiplies them."""
    for apart, unique in ((1e-6, True), (1e-12, False)):
        table = np.array([[0.0, -1.0, 0.0], [0.0, -1e8, -1e8 * apart]])
        f = quadratic(np.zeros((3, 3)), [0, 1, 0])
        below = rows(Quadratic([None, None], csr_array(table), np.zeros(2)), 3)
        assert unique_multipliers(at(bilevel(1, 2, flat(3), f, g=below), 0, [0, 0])) == unique


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_multipliers_that_could_not_be_judged_are_worse_than_any_others(monkeypatch, order):
    """Two choices of multipliers, one of which leaves NaN: the certificate must not hold, whichever comes first."""
    problem = bilevel(1, 1, quadratic(np.eye(2), [0.0, 0.0]), quadratic(np.eye(2), [0.0, 0.0]))
    sound = certify(problem, point(0.0, 0.0))
    assert sound.status is PointStatus.CERTIFIED
    real, calls = certificate.upper_stationarity, iter(order)

    def one_fails(*arguments):
        found = real(*arguments)
        return replace(found, value=np.nan) if next(calls) else found

    monkeypatch.setattr(certificate, "vertices", lambda local, first, seed: [first, first])
    monkeypatch.setattr(certificate, "upper_stationarity", one_fails)
    verdict = certify(problem, point(0.0, 0.0))
    assert np.isnan(verdict["upper_stationarity"].value)
    assert verdict.status is not PointStatus.CERTIFIED
