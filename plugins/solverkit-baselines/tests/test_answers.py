"""The peers on the literature's problems: known optima where they can reach them, honesty where they cannot."""

import pytest

from solverkit.engine.status import PointStatus, Termination

CONVEX = [
    "bard-1988-ex1",
    "colson-2002-bipa2",
    "colson-2002-bipa4",
    "dempe-2012",
    "lampariello-sagratella-2017-ex32",
    "macal-hurter-1997",
    "sahin-ciric-1998-ex2",
    "yezza-1996-ex31",
]


@pytest.mark.parametrize("name", [*CONVEX, "coupled-merely-convex"])
def test_kkt_ipopt_certifies_the_optimum_from_the_start_of_the_file(peer, shipped, name):
    problem = shipped(name)
    result = peer("kkt-ipopt", problem)
    assert result.point_status is PointStatus.CERTIFIED, result.message
    assert result.fun == pytest.approx(problem.expected["objective"], abs=problem.expected["tolerance"])


@pytest.mark.parametrize("name", CONVEX)
def test_nested_reaches_the_optimum_from_one_of_five_starts(peer, shipped, name):
    problem = shipped(name)
    result = peer("nested", problem, starts=5)
    assert result.fun == pytest.approx(problem.expected["objective"], abs=problem.expected["tolerance"])
    assert result.point_status in (PointStatus.CERTIFIED, PointStatus.FEASIBLE), result.message


def test_the_quasi_newton_hessian_calls_no_upper_hessian(peer, shipped):
    result = peer("kkt-ipopt", shipped("bard-1988-ex1"), hessian="limited-memory")
    assert result.oracles["upper_hessian"] == 0
    assert result.point_status is not PointStatus.INFEASIBLE


@pytest.mark.parametrize("name", ["mirrlees-1999", "mitsos-barton-2006-ex314"])
def test_a_stationary_point_of_a_nonconvex_follower_is_not_certified(peer, shipped, name):
    problem = shipped(name)
    result = peer("kkt-ipopt", problem)
    assert result.fun < problem.expected["objective"] - 0.1  # better than any bilevel point: the trap
    assert result.termination is Termination.CONVERGED
    assert result.point_status is not PointStatus.CERTIFIED


def test_nested_refuses_too_many_upper_variables(peer, shipped):
    from solverkit.errors import Unsuitable

    with pytest.raises(Unsuitable, match="at most 1000 upper variables"):
        peer("nested", shipped("coupled-merely-convex-10000"))
