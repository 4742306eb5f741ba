"""The nonlinear peers: answers, signs of multipliers, counts, limits, and what they say where there is no answer."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import NonlinearConstraint
from scipy.sparse import diags_array

import solverkit as sk
from solverkit.engine.driver import run
from solverkit.engine.limits import Limits
from solverkit.engine.status import PointStatus, Termination
from solverkit.kinds.base import Certificate
from solverkit.kinds.nonlinear.affine import Affine
from solverkit.kinds.nonlinear.build import nonlinear
from solverkit.kinds.nonlinear.kind import NonlinearKind
from solverkit.kinds.nonlinear.problem import BOUND_MULTIPLIERS, MULTIPLIERS, Nonlinear
from solverkit_baselines.nonlinear.program import SMALL, Program
from solverkit_baselines.plugin import solverkit_solvers

PROBLEMS = Path(__file__).parents[3] / "problems" / "nonlinear"
NATIVE = {"functions": "native"}
PEERS = [("ipopt", {}), ("ipopt", NATIVE), ("trust-constr", {}), ("slsqp", {})]
SPECS = {spec.name: spec for spec in solverkit_solvers()}
EACH = pytest.mark.parametrize(("method", "options"), PEERS, ids=["ipopt", "ipopt-native", "trust-constr", "slsqp"])


def shipped(name, **parameters):
    return sk.load(PROBLEMS / name / "problem.yaml", parameters=parameters or None)


def solve(problem, method, options, tol=1e-8, **more):
    return sk.solve(problem, method=method, options=options, tol=tol, **{"max_time": 20, **more})


@EACH
@pytest.mark.parametrize("name", ["hs40", "hs76", "hs43", "himmelbc"])
def test_every_peer_certifies_what_it_can_solve(method, options, name):
    problem = shipped(name)
    result = solve(problem, method, options)
    assert result.point_status is PointStatus.CERTIFIED, result.message
    assert result.fun == pytest.approx(problem.expected["objective"], rel=1e-7, abs=1e-7)


BENT = nonlinear(
    variables={"x": {"shape": 4, "start": [0.5, 0.5, 0.5, 0.5], "lower": [-np.inf, 0.25, -np.inf, -np.inf],
                     "upper": [np.inf, np.inf, 0.75, np.inf]}},
    minimize="(x[0] - 2)**2 + (x[1] + 1)**2 + (x[2] - 2)**2 + (x[3] - 3)**2",
    subject_to={"above": "x[0] <= 1", "range": "-1 <= x[3] <= 1", "sum": "x[0] + x[1] + x[3] == 2.25",
                "below": "x[0] + x[3] >= -5"},
)  # fmt: skip
# x = (1, 1/4, 3/4, 1): -2 + y_0 + y_2 = 0, 2.5 + z_1 + y_2 = 0, -2.5 + z_2 = 0, -4 + y_1 + y_2 = 0; y_2 is free


@EACH
def test_multipliers_have_the_signs_of_the_kinds_lagrangian(method, options):
    result = solve(BENT, method, options)
    assert result.point["x"] == pytest.approx([1, 0.25, 0.75, 1], abs=1e-6)
    y = result.point[MULTIPLIERS]
    assert y[3] == pytest.approx(0, abs=1e-5)
    assert y[0] + y[2] == pytest.approx(2, abs=1e-5)
    assert y[1] + y[2] == pytest.approx(4, abs=1e-5)
    assert y[0] >= -1e-6
    assert y[1] >= -1e-6
    if method != "slsqp":  # which gives none for bounds
        z = result.point[BOUND_MULTIPLIERS]
        assert z[[0, 3]] == pytest.approx([0, 0], abs=1e-5)
        assert z[2] == pytest.approx(2.5, abs=1e-5)
        assert z[1] + y[2] == pytest.approx(-2.5, abs=1e-5)
    assert result.certificate.facts["multipliers"] == "the point's"
    assert result.point_status is PointStatus.CERTIFIED


@EACH
def test_a_range_pulls_to_the_side_that_is_active(method, options):
    for weight, side in ((-1.0, 2.0), (1.0, -3.0)):
        problem = nonlinear(
            variables={"x": {"shape": 2, "start": 0.1}},
            minimize=f"{weight}*(x[0] + x[1]) + 0.1*normsq(x - 0.5)",
            subject_to={"range": "-3 <= x[0] + x[1] <= 2"},
        )
        result = solve(problem, method, options)
        assert result.point_status is PointStatus.CERTIFIED
        assert result.point["x"].sum() == pytest.approx(side, abs=1e-7)
        assert np.sign(result.point[MULTIPLIERS][0]) == -weight


@EACH
def test_problems_without_rows_or_without_anything_but_an_objective(method, options):
    boxed = nonlinear(variables={"x": {"shape": 3, "start": 0.2, "lower": 0}}, minimize="normsq(x - arange(3) + 0.5)")
    free = nonlinear(variables={"x": {"shape": 3, "start": 0.2}}, minimize="normsq(x - arange(3) + 0.5)")
    for problem, answer in ((boxed, [0, 0.5, 1.5]), (free, [-0.5, 0.5, 1.5])):
        result = solve(problem, method, options)
        assert result.point_status is PointStatus.CERTIFIED, result.message
        assert result.point["x"] == pytest.approx(answer, abs=1e-6)


def resolve(target):
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


class Uncertified(NonlinearKind):
    """Spares a record the certificate's own calls."""

    def certify(self, problem, point, tol, seed):
        return Certificate((), unverified="not asked for")


def counting(calls):
    """The class of problems whose oracles note each call, below the engine's own counters."""

    def noting(name):
        def oracle(self, *arguments):
            calls.append((name, *(np.array(argument).tobytes() for argument in arguments)))
            return getattr(Nonlinear, name)(self, *arguments)

        return oracle

    return type("Noted", (Nonlinear,), {name: noting(name) for name in Nonlinear.oracles})


@pytest.mark.parametrize("method", ["ipopt", "trust-constr", "slsqp"])
def test_counts_are_those_of_an_independent_record_and_nothing_is_asked_twice(method, monkeypatch):
    calls, seen, problem = [], [], shipped("bt11")
    object.__setattr__(problem, "__class__", counting(calls))
    spec = SPECS[method]
    peer = resolve(spec.target)
    original = peer.solve

    def solved(self, *arguments):
        calls.clear()
        point = original(self, *arguments)
        seen.extend(calls)
        return point

    monkeypatch.setattr(peer, "solve", solved)
    result = run(problem, spec, peer(resolve(spec.options)()), Uncertified(), limits=Limits(max_time=20), seed=0)
    assert sum(result.oracles.values()) == len(seen)
    assert len(seen) == len(set(seen))


def test_ipopt_on_graphs_takes_the_steps_of_ipopt_on_oracles():
    vectors_and_scalars = nonlinear(
        variables={"x": {"shape": 200, "start": 0.5}},
        minimize="sum((x - 1)**4) + normsq(x[1:] - x[:199])",
        subject_to={"one": "x[0]*x[1] == 0.5"},
    )
    plane = nonlinear(
        variables={"x": {"shape": 3, "start": 1}},
        minimize="sum(x**4) + x[0]",
        subject_to={"plane": "x[0] + 2*x[1] + 3*x[2] == 1"},
    )
    by_matrix = replace(plane, constraint_function=Affine([[1.0, 2.0, 3.0]], np.array([0.5])), lower=np.array([1.5]),
                        upper=np.array([1.5]))  # fmt: skip
    assert solve(by_matrix, "ipopt", NATIVE).x == pytest.approx(solve(plane, "ipopt", NATIVE).x, abs=1e-9)
    files = [shipped(name) for name in ("bt11", "hs71", "hs7", "pyomo-misra1a")]
    for problem in (*files, vectors_and_scalars, by_matrix):
        one, two = (solve(problem, "ipopt", options) for options in ({}, NATIVE))
        assert one.nit == two.nit
        assert one.x == pytest.approx(two.x, rel=1e-9)
        assert two.counts["nfev"] >= one.counts["nfev"]  # which counts no point twice
        assert two.counts["nhev"] == two.nit
        assert two.oracles["value"] == 0


def test_a_run_within_a_run_on_the_same_graphs_leaves_the_outer_one_alone():
    problem = shipped("hs7")
    alone, seen = solve(problem, "ipopt", NATIVE), []

    def within(intermediate_result):
        if len(seen) < 3:
            seen.append(solve(problem, "ipopt", NATIVE).nit)

    outer = solve(problem, "ipopt", NATIVE, callback=within)
    assert seen == [alone.nit] * 3
    assert outer.nit == alone.nit
    assert outer.counts == alone.counts


@EACH
def test_the_limit_on_iterations_holds_and_the_last_point_is_kept(method, options):
    result = solve(shipped("hs71"), method, options, max_iter=3)
    assert result.termination is Termination.MAX_ITER
    assert result.nit == 3
    assert np.isfinite(result.x).all()
    assert sum(result.counts.values()) > 0


@pytest.mark.parametrize("method", ["ipopt", "trust-constr", "slsqp"])
def test_the_limit_on_calls_holds(method):
    result = solve(shipped("hs7"), method, {}, max_calls=20)
    assert result.termination is Termination.MAX_CALLS
    assert sum(result.counts.values()) <= 21


@EACH
def test_the_limit_on_time_holds(method, options):
    solve(shipped("elec"), method, options, max_iter=1)  # compiles, which is not the method's time
    result = solve(shipped("elec"), method, options, max_time=0.03)
    assert result.termination is Termination.MAX_TIME
    assert result.timing["solve"] < 1.5


@pytest.mark.parametrize("options", [{}, NATIVE])
def test_what_ipopt_says_of_problems_without_an_answer(options):
    for name, termination in (
        ("infeasible-circles", Termination.INFEASIBLE),
        ("infeasible-bounds", Termination.INFEASIBLE),
        ("unbounded-line", Termination.UNBOUNDED),
    ):
        result = solve(shipped(name), "ipopt", options)
        assert result.termination is termination, name
        assert result.point_status is not PointStatus.CERTIFIED


@pytest.mark.parametrize("method", ["trust-constr", "slsqp"])
@pytest.mark.parametrize("name", ["infeasible-circles", "infeasible-planes"])
def test_scipys_methods_claim_no_success_where_a_constraint_is_broken(method, name):
    result = solve(shipped(name), method, {}, max_time=5)
    assert result.termination is not Termination.CONVERGED
    assert result.point_status is PointStatus.INFEASIBLE


class Products:
    """sum(x**4) - sum(x), whose Hessian is known by its products only."""

    inputs, outputs, degree, device, dtype, products_only = 3, 1, None, "cpu", "float64", True

    def value(self, z):
        return np.array([np.sum(z**4) - np.sum(z)])

    def gradient(self, z):
        return 4 * z**3 - 1

    def vjp(self, z, weights):
        return weights[0] * self.gradient(z)

    def hvp(self, z, weights, direction):
        return weights[0] * 12 * z**2 * direction

    def digest(self):
        return "products"

    def to(self, device, dtype):
        return self


def test_products_with_the_hessian_are_enough_for_trust_constr_and_not_for_ipopt():
    given = nonlinear(variables={"x": {"shape": 3, "start": 0.3}}, subject_to={"sphere": "normsq(x) == 1"})
    problem = replace(given, objective_function=Products())
    result = solve(problem, "trust-constr", {})
    assert result.point_status is PointStatus.CERTIFIED
    assert result.point["x"] == pytest.approx(np.full(3, 3**-0.5), abs=1e-6)
    with pytest.raises(sk.UsageError, match="hessian=limited-memory"):
        solve(problem, "ipopt", {})
    with pytest.raises(sk.UsageError, match="functions=oracles"):
        solve(problem, "ipopt", NATIVE)
    assert solve(problem, "ipopt", {"hessian": "limited-memory"}).termination is Termination.CONVERGED


def test_slsqp_refuses_what_is_too_large_for_dense_matrices():
    with pytest.raises(sk.Unsuitable, match="at most 2000 variables"):
        solve(shipped("morebvne", n=2001), "slsqp", {})


def test_patterns_hold_what_vanishes_at_the_start():
    n = SMALL + 10
    problem = nonlinear(
        variables={"x": {"shape": n, "start": 0}},
        minimize="sum(x**4) + sum(x[1:]**2*x[:59])",
        subject_to={"rows": "x[1:]*x[:59] + x[1:] == 0.1"},
    )
    program = Program(problem)
    zero, beside = np.zeros(n), np.linspace(0.1, 1, n)
    jacobian, hessian = program.patterns(zero, True).values()
    assert jacobian.size == 2 * (n - 1)
    for weights in (np.zeros(n - 1), np.ones(n - 1)):
        assert np.isfinite(hessian.values(program.hessian(beside, 1.0, weights).triangle)).all()
    assert solve(problem, "ipopt", {}).point_status is PointStatus.CERTIFIED


def test_a_users_jacobian_may_leave_out_what_is_zero_at_the_start():
    n = SMALL + 10

    def jacobian(x):
        kept = diags_array([1 + x[1:] ** 2, 2 * x[:-1] * x[1:]], offsets=[0, 1], shape=(n - 1, n)).tocsr()
        kept.eliminate_zeros()
        return kept

    rows = NonlinearConstraint(lambda x: x[:-1] * (1 + x[1:] ** 2), 1.0, np.inf, jac=jacobian)
    options = {"hessian": "limited-memory"}
    for start in (np.zeros(n), np.ones(n)):
        found = sk.minimize(
            lambda x: x @ x, start, jac=lambda x: 2 * x, constraints=rows, method="ipopt", options=options
        )
        assert "CONVERGED: " in found.message
