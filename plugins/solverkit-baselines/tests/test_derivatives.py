"""The program with complementarity constraints against central differences, with every kind of set in both levels."""

import numpy as np
import pytest

from solverkit.expressions.compile import compile_function
from solverkit.kinds.base import Block, Constraints
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.kinds.rows import Rows
from solverkit.operators.sets import Affine, Ball, Box, Free, Polyhedron, Simplex
from solverkit_baselines.bilevel.mpcc import Mpcc
from solverkit_baselines.patterns import Pattern, PatternGrew, Triplets

SHAPES = {"x": (2,), "y": (3,)}


def function(*texts):
    return compile_function(list(texts), SHAPES)


def make(upper_set, lower_set):
    """Third derivatives of f and second ones of g and G are not zero."""
    bounds = np.array([-np.inf, 0.5]), np.array([1.0, 0.5])
    lower = function("x[0]*y[0]**2 + y[1]*y[2]", "y[0]*y[1] + sin(x[1]) + y[2]")
    upper = function("x[0]**2*y[1]")
    return Bilevel(
        "curved",
        (Block("x", (2,), np.array([0.3, -0.2])),),
        (Block("y", (3,), np.array([0.2, 0.5, 0.3])),),
        function("normsq(x)*exp(y[0]) + exp(y[1]) + normsq(x - 1)"),
        function("sum(exp(x[0]*y)) + y[0]**4*exp(x[1]) + normsq(y)"),
        Rows.of(Constraints(upper, np.array([-np.inf]), np.array([2.0]), ("a",)), 5),
        Rows.of(Constraints(lower, *bounds, ("b", "c")), 5),
        upper_set,
        lower_set,
    )


SETS = [
    (Free(), Free()),
    (Box([0, -1], [1, np.inf]), Box(-1, 1)),
    (Ball([0, 0], 2.0), Ball([0, 0, 0], 2.0)),
    (Simplex(1.0, 2), Simplex(1.0, 3)),
    (Affine([[1.0, 1.0]], [0.1]), Affine([[1.0, 1.0, 1.0]], [1.0])),
    (Polyhedron([[1.0, 2.0]], [-1.0], [3.0]), Polyhedron([[1.0, 0.0, 2.0]], [-1.0], [3.0])),
]


@pytest.mark.parametrize(("upper", "lower"), SETS, ids=lambda s: type(s).__name__)
def test_derivatives_agree_with_differences(upper, lower):
    program = Mpcc(make(upper, lower))
    rng = np.random.default_rng(3)
    v = rng.uniform(0.1, 0.6, program.size)
    weights = rng.standard_normal(program.rows)

    def gradient(v):
        return 0.7 * program.gradient(v) + program.jacobian(v).matrix.T @ weights

    jacobian, hessian = program.jacobian(v).matrix.toarray(), program.hessian(v, 0.7, weights).matrix.toarray()
    assert np.allclose(hessian, hessian.T)
    for k in range(program.size):
        step = 1e-6 * np.eye(program.size)[k]
        column = (program.constraints(v + step) - program.constraints(v - step)) / 2e-6
        assert np.allclose(jacobian[:, k], column, atol=1e-7)
        slope = (program.value(v + step) - program.value(v - step)) / 2e-6
        assert program.gradient(v)[k] == pytest.approx(slope, abs=1e-7)
        assert np.allclose(hessian[:, k], (gradient(v + step) - gradient(v - step)) / 2e-6, atol=1e-5)


@pytest.mark.parametrize(("upper", "lower"), SETS, ids=lambda s: type(s).__name__)
def test_both_peers_end_inside_of_every_set(peer, upper, lower):
    problem = make(upper, lower)
    for method, options in (("kkt-ipopt", {}), ("nested", {"max_evaluations": 60})):
        result = peer(method, problem, max_time=5.0, certify=False, **options)
        assert upper.violation(result.point["x"]) < 1e-5, method
        assert lower.violation(result.point["y"]) < 1e-5, method


def test_a_pattern_puts_entries_in_place_and_notices_new_ones():
    full = Triplets((2, 2), np.array([1, 0, 1]), np.array([0, 1, 0]), np.array([1.0, 2.0, 3.0]))
    pattern = Pattern.of([full])
    assert pattern.size == 2
    assert pattern.values(full).tolist() == [4.0, 2.0]
    assert pattern.values(full.where(np.array([False, True, False]))).tolist() == [0.0, 2.0]
    corner = Triplets((2, 2), np.array([1]), np.array([1]), np.array([5.0]))
    with pytest.raises(PatternGrew):
        pattern.values(corner)
    assert pattern.union(Pattern.of([corner])).values(corner).tolist() == [0.0, 0.0, 5.0]
