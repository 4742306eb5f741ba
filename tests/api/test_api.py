"""The library as a user calls it, on a toy method registered for the length of a test."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import engine_toys
import numpy as np
import pytest
from engine_toys import Descent, DescentOptions, Quadratic

import solverkit as sk
from solverkit.registry import registry
from solverkit.registry.hookspecs import hookimpl
from solverkit.registry.specs import SolverSpec

ROOT = Path(__file__).parents[2]
PICKY = SolverSpec(
    "picky",
    "toy",
    "Needs more.",
    "engine_toys:Descent",
    "engine_toys:DescentOptions",
    requires=("hessian",),
    priority=9,
)


class Plugin:
    """The toys, as a plugin brings them."""

    @hookimpl
    def solverkit_solvers(self):
        return [engine_toys.SPEC, engine_toys.ONE_SHOT, PICKY]

    @hookimpl
    def solverkit_problem_kinds(self):
        return [engine_toys.KIND]


@pytest.fixture(autouse=True)
def toys():
    with registry.using(Plugin(), "toys"):
        yield


@pytest.fixture
def file(monkeypatch, tmp_path):
    """A path that loads as the toy problem."""
    path = tmp_path / "problem.yaml"
    path.write_text("kind: toy\n")
    formats = types.ModuleType("solverkit.formats")
    formats.load = lambda path, **how: Quadratic()
    monkeypatch.setitem(sys.modules, "solverkit.formats", formats)
    monkeypatch.setattr(sk, "formats", formats, raising=False)
    return path


def test_solve_picks_the_method_that_fits():
    result = sk.solve(Quadratic(), target=True)
    assert result.success
    assert result.method == "descent"
    assert result.options == DescentOptions().model_dump()
    assert result.versions.keys() >= {"solverkit", "numpy", "scipy", "python"}


def test_options_as_dict_or_model():
    for options in ({"step": "0.1"}, DescentOptions(step=0.1)):
        assert sk.solve(Quadratic(), "descent", options, max_iter=3).options["step"] == 0.1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"stepp": 1}, r"no option 'stepp' \(did you mean 'step'\?\); its options: step, noise"),
        ({"tol": 1}, r"pass it as an argument, tol=... \(or --tol"),
        ({"max_iter": 1}, "--max-iter"),
        ({"step": "much"}, "option 'step' of method 'descent': "),
        ({"stepp": 1, "step": "much"}, "(?s)stepp.*option 'step'"),
        (3, "are a dict or DescentOptions, not int"),
    ],
)
def test_options_that_are_none(options, words):
    with pytest.raises(sk.UsageError, match=words):
        sk.solve(Quadratic(), "descent", options)


def test_methods_that_do_not_fit():
    with pytest.raises(sk.UsageError, match="'descent'"):
        sk.solve(Quadratic(), "descend")
    with pytest.raises(sk.Unsuitable, match="needs 'hessian'"):
        sk.solve(Quadratic(), "picky")
    fits = {fit.spec.name: fit for fit in sk.methods(Quadratic())}
    assert fits["descent"].fits
    assert "needs 'hessian'" in fits["picky"].reasons[0]
    assert next(iter(fits)) in ("descent", "wrapped")
    assert {fit.spec.name for fit in sk.methods()} >= {"descent", "wrapped", "picky"}


def test_a_problem_is_a_problem_or_a_path():
    with pytest.raises(sk.UsageError, match="not dict"):
        sk.solve({})


def test_start_from_whatever_the_user_has(tmp_path):
    first = sk.solve(Quadratic(), max_iter=5, out=tmp_path / "first")
    for start in (first, tmp_path / "first", str(tmp_path / "first"), first.point, first.x, list(first.x)):
        assert sk.solve(Quadratic(), max_iter=0, start=start).x == pytest.approx(first.x, abs=0)
    for start, words in [
        (np.ones(3), r"shape \(3,\)"),
        (tmp_path / "none", "no such file"),
        ("text\0", "start"),
        ({}, ""),
    ]:
        if words:
            with pytest.raises(sk.UsageError, match=words):
                sk.solve(Quadratic(), max_iter=0, start=start)
        else:
            assert sk.solve(Quadratic(), max_iter=0, start=start).nit == 0


def test_out_and_verify(tmp_path):
    result = sk.solve(Quadratic(), target=True, out=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"result.json", "point.npz", "trace.jsonl"}
    for given in (result, tmp_path, str(tmp_path)):
        certificate = sk.verify(given, Quadratic())
        assert certificate == result.certificate
    assert sk.verify(tmp_path, Quadratic(), tol=1e-30).status is not sk.PointStatus.CERTIFIED
    with pytest.raises(sk.UsageError, match="another problem"):
        sk.verify(tmp_path, Quadratic(b=np.zeros(5)))


def test_a_point_that_was_tampered_with_is_found_out(tmp_path):
    from solverkit.engine.files import pack

    result = sk.solve(Quadratic(), target=True, out=tmp_path)
    (tmp_path / "point.npz").write_bytes(pack({"x": np.zeros(5)}))
    with pytest.raises(sk.InvalidProblem, match=r"not the point that result\.json describes"):
        sk.verify(tmp_path, Quadratic())
    result.point = {"x": np.zeros(5)}  # whoever forges the sums too meets the certificate
    assert sk.verify(result.save(tmp_path), Quadratic()).status is sk.PointStatus.FEASIBLE


def test_resume(file, tmp_path):
    how = {"options": {"noise": 0.1}, "seed": 5, "start": {"x": 0.5}}
    whole = sk.solve(file, "descent", max_iter=20, out=tmp_path / "whole", **how)
    sk.solve(file, "descent", max_iter=10, out=tmp_path / "parts", **how)
    parts = sk.resume(tmp_path / "parts", max_iter=20)
    assert parts.x.tobytes() == whole.x.tobytes()
    assert sk.Result.load(tmp_path / "parts").counts == whole.counts
    sk.resume(tmp_path / "parts", max_iter=25)
    with pytest.raises(sk.CheckpointError, match="another problem"):
        sk.resume(tmp_path / "parts", Quadratic(b=np.zeros(5)), max_iter=30)


def test_resume_of_an_object_asks_for_it(tmp_path):
    sk.solve(Quadratic(), "descent", max_iter=10, out=tmp_path)
    with pytest.raises(sk.UsageError, match="pass the same problem"):
        sk.resume(tmp_path)
    assert sk.resume(tmp_path, Quadratic(), max_iter=12).nit == 12


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(sk.UsageError, match="cannot be used as a folder"):
        sk.solve(Quadratic(), max_iter=1, out=tmp_path / "file")
    monkeypatch.setattr(sk.Result, "save", lambda self, folder: (_ for _ in ()).throw(OSError(28, "No space left")))
    result = sk.solve(Quadratic(), max_iter=1, out=tmp_path / "out")
    assert "No space left" in result.notes[-1]


def test_a_new_run_replaces_an_old_one(tmp_path):
    sk.solve(Quadratic(), "descent", max_iter=10, out=tmp_path)
    sk.solve(Quadratic(), target=True, out=tmp_path)
    assert not (tmp_path / "checkpoint.npz").exists()


def test_the_package_is_light_and_complete():
    code = """
import sys, solverkit
heavy = {"numpy", "scipy", "pydantic", "torch", "rich", "click", "pluggy"} & set(sys.modules)
assert not heavy, heavy
assert solverkit.__version__
for name in solverkit.__all__:
    getattr(solverkit, name)
assert set(solverkit.__all__) <= set(dir(solverkit))
try:
    solverkit.nothing
except AttributeError as error:
    assert "nothing" in str(error)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_engine_names_no_method_and_imports_no_plugin():
    code = "import sys, solverkit.engine.driver; assert not {'torch', 'rich', 'solverkit.formats'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_descent_is_reachable_by_name():
    assert registry.resolve(registry.method("descent"))[0] is Descent
