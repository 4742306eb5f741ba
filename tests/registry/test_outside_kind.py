"""A kind that comes with a plugin is solved like those of the core, and the core believes no method."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import solverkit as sk
from solverkit.cli.run import run
from solverkit.plugin import Term
from solverkit.registry import registry

GAME = """\
solverkit: 1
kind: toy-game
name: biased
shape: [2, 2]
payoff: [[2, -1], [-1, 1]]
expect: {objective: 0.2}
"""
HERE = Path(__file__).parent


@pytest.fixture
def plugin(monkeypatch):
    """The plugin, registered for one test."""
    monkeypatch.syspath_prepend(str(HERE))
    import outside_kind

    with registry.using(outside_kind, "outside"):
        yield outside_kind


@pytest.fixture
def game(tmp_path):
    """The problem file."""
    file = tmp_path / "game.yaml"
    file.write_text(GAME)
    return file


def test_it_is_solved_from_its_own_file_by_the_preferred_method(plugin, game):
    result = sk.solve(game)
    assert result.method == "toy-extragradient"
    assert result.success, result
    assert result.fun == pytest.approx(0.2, abs=1e-5)
    np.testing.assert_allclose(result.point["x"], [0.4, 0.6], atol=1e-5)
    assert result.counts["nfev"] > 0


@pytest.mark.parametrize(("method", "status", "code"), [("toy-stays", "FEASIBLE", 3), ("toy-leaves", "INFEASIBLE", 5)])
def test_a_method_that_lies_is_not_believed(plugin, game, method, status, code):
    result = sk.solve(game, method)
    assert result.termination is sk.Termination.CONVERGED
    assert not result.success
    assert (result.point_status.name, result.status) == (status, code)


def test_a_stored_result_is_verified_against_the_problem_alone(plugin, game, tmp_path):
    sk.solve(game, out=tmp_path / "run")
    assert sk.verify(tmp_path / "run", game).status is sk.PointStatus.CERTIFIED
    np.savez(tmp_path / "run" / "point.npz", x=np.array([0.5, 0.5]), y=np.array([0.5, 0.5]))
    with pytest.raises(sk.InvalidProblem, match=r"not the point that result\.json describes"):
        sk.verify(tmp_path / "run", game)


def test_reasons_why_a_method_does_not_fit(plugin, game):
    problem = sk.load(game)
    (reason,) = registry.fits(registry.method("toy-picky"), problem)
    assert "method 'toy-picky' needs 'resolvent', 'hvp'; problem 'biased' provides operator" in reason
    assert "toy-extragradient" in reason
    (device,) = registry.fits(registry.method("toy-stays"), problem, "cuda:0")
    assert "does not run on cuda. Use --device cpu" in device
    assert not registry.fits(registry.method("toy-stays"), problem)
    with pytest.raises(sk.Unsuitable, match="toy-picky"):
        sk.solve(problem, "toy-picky")


def test_check_of_a_kind_that_compares_nothing_says_so(plugin, game, monkeypatch, capsys):
    monkeypatch.delattr(plugin.ToyGameKind, "check")
    assert run(["check", str(game)]) == 0
    assert "no derivatives to compare" in capsys.readouterr().out
    own = plugin.ToyGameKind.certify

    def certify(self, *arguments):
        found = own(self, *arguments)
        return replace(found, terms=(*found.terms, Term("oracles", 2.0, 1e-4, note="worst: operator")))

    monkeypatch.setattr(plugin.ToyGameKind, "certify", certify)
    assert run(["check", str(game)]) == 5
    assert "worst: operator" in capsys.readouterr().out


def test_nothing_of_it_is_left_behind(plugin, game):
    registry.unregister("outside")
    with pytest.raises(sk.InvalidProblem, match="unknown kind 'toy-game'"):
        sk.load(game)
    registry.register(plugin, "outside")


# -- the same by the command line, the plugin being installed


@pytest.fixture
def installed(site):
    """A site in which the plugin is a distribution."""
    site.distribution("toy-games", entry="outside", code="from outside_kind import *")
    (site.folder / "outside_kind.py").write_text((HERE / "outside_kind.py").read_text())
    (site.folder / "game.yaml").write_text(GAME)
    return site


def solverkit(site, *arguments, **environment):
    """The command line on a site."""
    return site.run("-m", "solverkit", *arguments, **environment)


def test_solve_prints_the_result_and_nothing_else_on_stdout(installed):
    done = solverkit(installed, "solve", "game.yaml", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["point_status"] == "CERTIFIED"
    assert result["objective"] == pytest.approx(0.2, abs=1e-5)
    assert "toy-extragradient" in done.stderr


def test_solve_for_people_fits_eighty_columns(installed):
    done = solverkit(installed, "solve", "game.yaml", "--method", "toy-extragradient", "--set", "block=10", "--quiet")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("CERTIFIED: biased by toy-extragradient")
    assert max(map(len, done.stdout.splitlines())) <= 80
    for text in ("objective", "0.2", "gap", "simplex", "x (2)", "0.4, 0.6"):
        assert text in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--method", "toy-stays"), 3, ""),
        (("--method", "toy-leaves"), 5, ""),
        (("--max-iter", "1", "--set", "block=1"), 3, ""),
        (("--method", "toy-picky"), 2, "needs 'resolvent', 'hvp'"),
        (("--method", "toy-extra"), 2, "did you mean 'toy-extragradient'"),
        (("--set", "blok=3"), 2, "did you mean 'block'"),
        (("--set", "block=0"), 2, "block"),
        (("--set", "block"), 2, "write --set name=value"),
        (("--set", "block=1", "--set", "block=2"), 2, "given twice"),
        (("--set", "block=&a 1"), 2, "anchor"),
        (("--set", "max_iter=1"), 2, "--max-iter"),
        (("--tol", "-1"), 2, "tol"),
        (("--tol", "x"), 2, "--tol"),
        (("--device", "cuda"), 2, "does not run on cuda"),
        (("--start", "nowhere"), 2, "nowhere is not a folder"),
    ],
)
def test_exit_codes_and_messages(installed, arguments, code, text):
    done = solverkit(installed, "solve", "game.yaml", *arguments)
    assert done.returncode == code, done.stderr
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert bool(done.stdout) == (code != 2)


def test_a_run_is_stopped_resumed_verified_and_started_from(installed):
    first = solverkit(installed, "solve", "game.yaml", "--max-iter", "1", "--set", "block=2", "--out", "run")
    assert first.returncode == 3, first.stderr
    assert solverkit(installed, "verify", "run", "game.yaml").returncode == 3
    more = solverkit(installed, "resume", "run", "--max-iter", "100000", "--json")
    assert more.returncode == 0, more.stderr
    verified = solverkit(installed, "verify", "run", "game.yaml", "--json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["status"] == "CERTIFIED"
    warm = solverkit(installed, "solve", "game.yaml", "--start", "run", "--method", "toy-stays")
    assert warm.returncode == 0, warm.stderr


def test_verify_refuses_another_problem(installed):
    solverkit(installed, "solve", "game.yaml", "--out", "run")
    (installed.folder / "other.yaml").write_text(GAME.replace("[2, -1]", "[3, -1]"))
    done = solverkit(installed, "verify", "run", "other.yaml")
    assert done.returncode == 2
    assert "another problem" in done.stderr


def test_check_compares_derivatives(installed):
    done = solverkit(installed, "check", "game.yaml")
    assert done.returncode == 0, done.stderr
    assert "toy-extragradient" in done.stdout
    assert "operator" in done.stdout
    (installed.folder / "wrong.yaml").write_text(GAME + "wrong: true\n")
    done = solverkit(installed, "check", "wrong.yaml", "--json")
    assert done.returncode == 5
    assert json.loads(done.stdout)["derivatives"][0]["ok"] is False
    (installed.folder / "bad.yaml").write_text(GAME.replace("-1, 1]]", "-1, z]]"))
    done = solverkit(installed, "check", "bad.yaml")
    assert done.returncode == 2
    assert "bad.yaml:5:" in done.stderr


def test_methods_for_a_file(installed):
    done = solverkit(installed, "methods", "--for", "game.yaml")
    assert done.returncode == 0, done.stderr
    fit, unfit = done.stdout.split("methods that do not")
    assert "toy-extragradient  (default)" in fit
    assert "toy-stays" in fit
    assert "toy-picky" in unfit
    assert max(map(len, done.stdout.splitlines())) <= 80
    found = json.loads(solverkit(installed, "methods", "--for", "game.yaml", "--json").stdout)
    assert found["default"] == "toy-extragradient"
    assert {m["name"] for m in found["methods"] if m["fits"]} == {
        "toy-extragradient",
        "toy-stays",
        "toy-leaves",
        "toy-sleeps",
    }


def test_describe_holds_every_option(installed):
    done = solverkit(installed, "describe", "toy-extragradient")
    assert done.returncode == 0, done.stderr
    for text in (
        "step (eta): number > 0; chosen by the method",
        "Step size; below 1 / L. (3)",
        "block: integer >= 1, <= 10000; default 50",
        "Korpelevich 1976",
        "toy-games 1.0",
    ):
        assert text in done.stdout
    found = json.loads(solverkit(installed, "describe", "toy-extragradient", "--json").stdout)
    assert [option["name"] for option in found["options"]] == ["step", "block"]
    assert found["options"][0]["symbol"] == "eta"


def test_ctrl_c_gives_the_best_point_so_far_and_130(installed):
    process = installed.start("-m", "solverkit", "solve", "game.yaml", "--method", "toy-sleeps", "--json")
    assert "iteration" in process.stderr.readline()  # it runs
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert json.loads(out)["termination"] == "INTERRUPTED"
    assert "Traceback" not in err
