"""Pins, licences, constructs that must not be there, and a run without any network."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from solverkit.registry import registry
from tests.methods.subjects import DEFAULT, PROBLEMS
from tests.sources import sources
from tests.supply.__main__ import CONSTRAINTS, PAGE
from tests.supply.constructs import found
from tests.supply.packages import COPYLEFT, WEAK, packages

PACKAGES = packages()
PINS = dict(line.split("==") for line in CONSTRAINTS.read_text().splitlines() if "==" in line)
ALLOWED = {
    ("solverkit/bench/execute.py", "pickle.loads"): "problems that the bench itself pickled for its own workers",
    ("solverkit/engine/child.py", "pickle.loads"): "both ends of a pipe to a process of ours",
    ("solverkit/testing/elsewhere.py", "pickle.loads"): "a job that the kit itself wrote for its own process",
    ("solverkit/formats/source.py", "exec"): "Python files, read after --allow-python alone",
    ("solverkit/formats/source.py", "compile"): "the same",
}


def test_everything_that_is_installed_is_pinned():
    """Where this fails, `python -m tests.supply` writes the file and the page anew: look at the difference."""
    assert {each.name for each in PACKAGES} <= set(PINS)
    other = [name for name, version in PINS.items() if _installed(name) not in (None, version)]
    assert not other


def _installed(name):
    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def test_no_licence_binds_users_and_the_page_names_all():
    page = PAGE.read_text()
    for each in PACKAGES:
        assert f"| {each.name} |" in page
        assert each.licence != "not said", each.name
        assert WEAK.search(each.licence) or not COPYLEFT.search(each.licence), each
    assert [each.name for each in PACKAGES if each.runs and WEAK.search(each.licence)] == ["casadi"]


def test_packages_that_users_get_are_those_of_the_distributions():
    assert {"numpy", "scipy", "pydantic", "pluggy", "torch"} <= {each.name for each in PACKAGES if each.runs}
    assert not {"pytest", "mkdocs", "ruff"} & {each.name for each in PACKAGES if each.runs}
    assert all(each.name == canonicalize_name(each.name) for each in PACKAGES)


def test_no_construct_that_runs_foreign_data():
    seen = {(name, construct): line for name, file in sources().items() for construct, line in found(file)}
    assert set(seen) == set(ALLOWED), seen


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        ("from pickle import loads as l\nl(b'')", "pickle.loads"),
        ("import numpy as np\nnp.load('x')", "numpy.load that allows pickles"),
        ("import numpy as np\nnp.load('x', allow_pickle=True)", "numpy.load that allows pickles"),
        ("import subprocess\nsubprocess.run('x', shell=True)", "shell=True"),
        ("import torch\ntorch.load('x')", "torch.load"),
        ("eval('1')", "eval"),
        ("def f(n):\n    assert n > 0", "assert that checks more than a type"),
    ],
)
def test_the_search_finds_them(tmp_path, text, construct):
    file = tmp_path / "code.py"
    file.write_text(text)
    assert [name for name, _ in found(file)] == [construct]


def test_plugins_are_shown_with_distribution_and_file():
    shown = subprocess.run(
        [sys.executable, "-m", "solverkit", "plugins", "--json"], capture_output=True, text=True, check=True
    ).stdout
    for name in ("solverkit-halpern", "solverkit-bilevel", "plugin.py"):
        assert name in shown


HOOK = """
import os, sys
NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "urllib.Request")
def hook(event, arguments):
    if event not in NETWORK:
        return
    if event in NETWORK[:3] and isinstance(arguments[1], (str, bytes)):
        return  # the other end is a name in the file system
    with open(os.environ["CONNECTIONS"], "a") as file:
        print(event, arguments, file=file)
sys.addaudithook(hook)
"""
WORK = """
import sys, warnings
warnings.simplefilter("ignore")
import solverkit as sk
from solverkit.cli.run import run
suite, out, *files = sys.argv[1:]
for path in files:
    problem = sk.load(path)
    result = sk.solve(problem, max_iter=3)
    sk.verify(result, problem)
    assert result.table()
for command in ("methods", "doctor", "plugins", "describe lv-hba", "schema problem"):
    run(command.split())
assert run(["bench", suite, "--jobs", "2", "--out", out]) == 0
assert run(["report", out, "--html", f"{out}/page.html"]) == 0
"""
SUITE = """
solverkit: 1
kind: suite
name: few
problems: [{first}]
methods: [lv-hba, kkt-ipopt]
limits: {{max_iter: 3}}
"""


@pytest.fixture
def watched(tmp_path):
    """Runs a script, in whose processes and theirs the hook writes down connections: (what ended, connections)."""
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    seen = tmp_path / "connections"
    more = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}", "CONNECTIONS": str(seen)}

    def run(script, *words):
        command = [sys.executable, "-c", script, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **more})
        return done, seen.read_text() if seen.exists() else ""

    return run


def test_no_network_at_run_time(watched, tmp_path):
    files = {kind: str(PROBLEMS / kind / name / "problem.yaml") for kind, name in DEFAULT.items()}
    assert len(files) == len(list(registry.kinds()))
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(first=files["bilevel"]))
    done, connections = watched(WORK, str(suite), str(tmp_path / "runs"), *files.values())
    assert done.returncode == 0, done.stderr[-2000:]
    assert not connections


@pytest.mark.parametrize("where", ["here", "in a child"])
def test_the_hook_of_the_test_above_sees_a_connection(watched, where):
    script = "import socket\nsocket.socket().connect(('127.0.0.1', 9))\n"
    if where == "in a child":
        script = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {script!r}])\n"
    assert "socket.connect" in watched(script)[1]
