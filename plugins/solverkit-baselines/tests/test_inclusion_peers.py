"""HiGHS and CVXPY on games and linear programs: certified answers, limits, and what they refuse."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

import solverkit as sk
from solverkit.engine.child import in_child
from solverkit.engine.status import Termination
from solverkit.errors import UsageError
from solverkit.kinds.base import PointStatus
from solverkit.kinds.inclusion import game, inclusion, linear_program, sequence_form
from solverkit.testing import Budget, SolverConformance

highs = pytest.mark.skipif(find_spec("highspy") is None, reason="highspy is not installed")
PEERS = [
    pytest.param("highs-simplex", marks=highs),
    pytest.param("highs-ipm", marks=highs),
    pytest.param("highs-pdlp", marks=highs),
    pytest.param("cvxpy", marks=pytest.mark.skipif(find_spec("cvxpy") is None, reason="CVXPY is not installed")),
]
ROCK = np.array([[0.0, 1, -2], [-1, 0, 1], [2, -1, 0]])


def rock():
    """Rock-paper-scissors where one win counts double: value 0, strategies (1, 2, 1) / 4."""
    return game(ROCK)


def program():
    """Every kind of row and bound: the answer is (2, 1, -1), value -3."""
    return linear_program(
        [1.0, -2, 3],
        [[1.0, 1, 1], [1, -1, 0], [0, 1, 0]],
        [2.0, -5, -np.inf],
        [2.0, 1, 1],
        [-np.inf, 0, -1],
        [np.inf, np.inf, 4],
    )


@pytest.mark.parametrize("method", PEERS)
def test_certified(method):
    found = sk.solve(rock(), method=method, tol=1e-6)
    assert found.point_status is PointStatus.CERTIFIED, found.message
    np.testing.assert_allclose(found.point["x"], [0.25, 0.5, 0.25], atol=1e-5)
    found = sk.solve(program(), method=method, tol=1e-6)
    assert found.point_status is PointStatus.CERTIFIED, found.message
    np.testing.assert_allclose(found.point["x"], [2, 1, -1], atol=1e-4)


@pytest.mark.parametrize("method", PEERS[:2])
def test_sequence_form_of_a_matrix_game_is_that_game(method):
    ones = np.ones((1, 3))
    found = sk.solve(sequence_form(ROCK, ones, [1.0], ones, [1.0]), method=method, tol=1e-6)
    assert found.point_status is PointStatus.CERTIFIED, found.message
    assert abs(found.fun) < 1e-6


@pytest.mark.parametrize("method", PEERS[:2])
def test_infeasible_and_unbounded(method):
    nowhere = linear_program([1.0, 1], [[1.0, 1], [1, 1]], [2.0, -np.inf], [np.inf, 1.0])
    assert sk.solve(nowhere, method=method).termination in (Termination.INFEASIBLE, Termination.STALLED)
    endless = linear_program([-1.0, -1], [[1.0, -1]], [-1.0], [1.0])
    assert sk.solve(endless, method=method).termination in (Termination.UNBOUNDED, Termination.STALLED)


@highs
@pytest.mark.parametrize("method", ["highs-simplex", "highs-pdlp"])
def test_limits_on_time_are_kept(method):
    payoff = np.random.default_rng(0).standard_normal((500, 500))
    found = sk.solve(game(payoff), method=method, max_time=0.3)
    assert found.termination is Termination.MAX_TIME
    assert found.point_status is not PointStatus.CERTIFIED


@highs
@pytest.mark.parametrize("method", ["highs-simplex", "highs-ipm"])
def test_a_large_program_is_solved_elsewhere_and_alike(method, monkeypatch):
    import solverkit_baselines.inclusion.highs as module

    here = sk.solve(program(), method=method)
    handed = []
    monkeypatch.setattr(module, "SMALL", 0)
    monkeypatch.setattr(module, "in_child", lambda *work, look: handed.append(work) or in_child(*work, look=look))
    there = sk.solve(program(), method=method)
    assert len(handed) == 1
    assert there.point_status is PointStatus.CERTIFIED
    np.testing.assert_array_equal(here.x, there.x)


@highs
def test_the_rays_of_a_large_program_come_back(monkeypatch):
    monkeypatch.setattr("solverkit_baselines.inclusion.highs.SMALL", 0)
    nowhere = linear_program([1.0, 1], [[1.0, 1], [1, 1]], [2.0, -np.inf], [np.inf, 1.0])
    found = sk.solve(nowhere, method="highs-simplex")
    assert found.termination is Termination.INFEASIBLE
    assert found.certificate.facts["proven"] == "infeasible"


@highs
def test_other_forms_are_refused():
    with pytest.raises(UsageError, match="bilinear"):
        sk.solve(inclusion("u - 1", {"u": {"shape": 2}}), method="highs-simplex")


@highs
class TestHighsSimplex(SolverConformance):
    method = "highs-simplex"
    problems = (rock, program)
    budget = Budget(max_time=20.0)


@highs
@pytest.mark.parametrize("method", ["highs-simplex", "highs-pdlp"])
def test_a_script_without_a_main_guard_prints_its_own_lines_alone(tmp_path, method):
    script = tmp_path / "plain.py"
    script.write_text(
        "import solverkit as sk\nfrom solverkit.kinds.inclusion import game\n"
        f"print(sk.solve(game([[0.0, 1], [1, 0]]), {method!r}).success)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True\n", "")
