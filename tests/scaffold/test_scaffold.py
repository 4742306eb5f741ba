"""`solverkit new-plugin`: what it writes works as it stands, and what it will not write it says."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import solverkit as sk
from solverkit.cli.run import run
from solverkit.registry import registry
from solverkit.registry.names import NAME
from solverkit.scaffold import KINDS, write


@pytest.mark.parametrize("kind", KINDS)
def test_the_method_of_each_kind_certifies_its_problem(kind, tmp_path, monkeypatch):
    name = f"mine-{kind}"
    folder = write(name, kind, tmp_path)
    monkeypatch.syspath_prepend(folder / "src")
    package = name.replace("-", "_")
    with registry.using(importlib.import_module(f"{package}.plugin"), name):
        result = sk.solve(sk.load(folder / "problems" / "first" / "problem.yaml"), name)
        assert result.point_status is sk.PointStatus.CERTIFIED, result
        fits = registry.fits(registry.method(name), sk.load(folder / "problems" / "first" / "problem.yaml"))
        assert not fits
    for module in [module for module in sys.modules if module.partition(".")[0] == package]:
        del sys.modules[module]


def test_its_own_tests_pass_once_it_is_installed(tmp_path):
    folder = write("mine", "nonlinear", tmp_path)
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "--target", str(site), str(folder)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"], cwd=folder, env=environment, capture_output=True
    )
    assert done.returncode == 0, done.stdout.decode()[-3000:]
    line = [sys.executable, "-m", "solverkit", "plugins"]
    assert b"mine" in subprocess.run(line, env=environment, capture_output=True, check=True).stdout


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_to_fill_in(kind, tmp_path):
    folder = write("some-name", kind, tmp_path)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert NAME.fullmatch(project["name"])
    assert project["entry-points"]["solverkit"] == {"some-name": "some_name.plugin"}
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".yml":  # GitHub's own ${{ }}
            assert "${" not in path.read_text(), path
        if path.suffix == ".py":
            compile(path.read_text(), path, "exec")
    assert not [path for path in tmp_path.iterdir() if path != folder]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Mine", "small letters"),
        ("-mine", "small letters"),
        ("my--method", "small letters"),
        ("m" * 41, "at most 40"),
        ("../mine", "small letters"),
        ("solverkit-mine", "this project's own"),
        ("lv-hba", "a method of that name exists"),
        ("json", "means something else in Python"),
        ("class", "means something else in Python"),
        ("numpy", "`import numpy` would no longer give .*numpy"),
        ("state", "its class would be called State"),
        ("one-shot-solver", "its class would be called OneShotSolver"),
    ],
)
def test_names_that_are_refused(name, words, tmp_path):
    with pytest.raises(sk.UsageError, match=words):
        write(name, "nonlinear", tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(sk.UsageError, match="nothing is overwritten"):
        write("mine", "nonlinear", tmp_path)


def test_a_folder_of_that_name_is_no_package(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert write("mine", "nonlinear", tmp_path / "out").is_dir()


def test_the_command(tmp_path, capsys):
    assert run(["new-plugin", "mine", "--kind", "dag", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "src/mine/method.py" in out
    assert "solverkit solve problems/first/problem.yaml --method mine" in out
    assert run(["new-plugin", "other", "--kind", "sudoku", "--out", str(tmp_path)]) == 2
    assert "no template for kind 'sudoku' (there are: bilevel" in capsys.readouterr().err
    Path(tmp_path / "file").touch()
    assert run(["new-plugin", "other", "--out", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err
