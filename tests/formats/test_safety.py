"""Loading a problem opens nothing outside its folder and executes nothing; Python code only with permission."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from solverkit.errors import InvalidProblem
from solverkit.formats import load

AUDIT = """
import os, sys
from pathlib import Path
from solverkit.errors import SolverKitError
from solverkit.formats import load

names = sorted(path.name for path in Path(".").glob("*.yaml"))

def run():
    for name in names:
        try:
            load(name)
        except SolverKitError:
            pass

run()  # imports what it needs
seen = []
watching = True
HARMLESS = {"compile", "object.__getattr__", "object.__setattr__", "sys._getframe", "code.__new__", "builtins.id"}

def hook(event, arguments):
    if watching and event not in HARMLESS:
        seen.append((event, arguments))

sys.addaudithook(hook)
run()
watching = False
folder = os.getcwd()
bad = []
for event, arguments in seen:
    if event == "open":
        path = arguments[0]
        if not (isinstance(path, int) or os.path.realpath(path).startswith(folder + os.sep)):
            bad.append((event, str(path)))
    elif not event.startswith(("os.listdir", "os.scandir", "marshal", "ctypes", "pathlib", "gc.")):
        bad.append((event, repr(arguments)[:200]))
print(len([event for event, _ in seen if event == "open"]))
print(bad)
"""


SEARCH = [str(Path(entry).absolute()) for entry in sys.path]
"""Where modules are found, wherever the test goes."""


def test_nothing_is_opened_outside_and_nothing_runs(folder, good, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    np.save(outside / "A.npy", np.ones(2))
    np.save(folder / "A.npy", np.ones(2))
    np.save(folder / "O.npy", np.array([{}], dtype=object), allow_pickle=True)
    (folder / "link.npy").symlink_to(outside / "A.npy")
    (folder / "model.py").write_text("raise SystemExit('executed')\n")
    data = ["{file: A.npy}", "{file: O.npy}", "{file: link.npy}", "{file: /etc/passwd}", f"{{file: {outside}/A.npy}}"]
    for number, entry in enumerate([*data, "[1, 2]"]):
        (folder / f"data{number}.yaml").write_text(good.replace("upper:", f"data: {{A: {entry}}}\nupper:", 1))
    texts = [
        "__import__('os').system('touch executed')",
        "x.__class__",
        "(lambda: 1)()",
        "exec(x)",
        "open(x)",
        "!!python/object/apply:os.system [touch executed]",
        '{python: "model.py:F"}',
        '{python: "../outside.py:F"}',
        "sum(x)",
    ]
    for number, text in enumerate(texts):
        (folder / f"text{number}.yaml").write_text(good.replace("0.5*sum((x - y)**2)", text, 1))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(SEARCH)}
    done = subprocess.run(
        [sys.executable, "-c", AUDIT], capture_output=True, text=True, check=True, cwd=folder, env=environment
    )
    opened, bad = done.stdout.splitlines()
    assert int(opened) >= len(data) + len(texts)
    assert bad == "[]"
    assert not (folder / "executed").exists()


def test_a_pipe_as_problem_file_does_not_block(folder):
    os.mkfifo(folder / "problem.yaml")
    with pytest.raises(InvalidProblem, match=r"^problem\.yaml: not a regular file$"):
        load("problem.yaml")


@pytest.fixture
def python(folder, good):
    """Write model.py and a problem that names a function in it."""

    def python(code: str, reference: str = "model.py:F"):
        (folder / "model.py").write_text(textwrap.dedent(code))
        (folder / "problem.yaml").write_text(good.replace("0.5*sum((x - y)**2)", f'{{python: "{reference}"}}', 1))

    return python


def test_python_is_refused_without_the_flag(python, folder):
    python("open('executed', 'w')")
    with pytest.raises(InvalidProblem) as caught:
        load("problem.yaml")
    assert str(caught.value) == (
        "problem.yaml:6:13: upper.minimize: 'model.py:F' is Python code, which is not run unless you allow it: "
        "--allow-python on the command line, allow_python=True in Python"
    )
    assert not (folder / "executed").exists()


def test_python_with_the_flag(python):
    pytest.importorskip("torch")
    python("def F(x, y): return ((x - y)**2).sum() / 2")
    problem = load("problem.yaml", allow_python=True)
    assert problem.upper(np.array([1.0, 2.0, 0.0, 0.0])) == 2.5
    assert not list(Path(".").glob("__pycache__"))


@pytest.mark.parametrize(
    ("code", "reference", "expected"),
    [
        ("", "model.py:F", "6:13: upper.minimize: 'model.py' has no 'F'"),
        ("1/0", "model.py:F", "6:13: upper.minimize: 'model.py' cannot be run: ZeroDivisionError: division by zero"),
        ("F = ", "model.py:F", "6:13: upper.minimize: 'model.py' cannot be run: SyntaxError: "),
        ("F = 3", "model.py:F", "6:13: upper.minimize: 'model.py:F' is no function"),
        ("", "nowhere.py:F", "6:13: upper.minimize: no such file: 'nowhere.py'"),
        ("", "folder.py:F", "6:13: upper.minimize: not a regular file"),
        ("import", "../other.py:F", "6:13: upper.minimize: '../other.py' leads out of the problem's folder"),
        ("", "../model.py:F", "6:13: upper.minimize: '../model.py' leads out of the problem's folder"),
        ("def F(x, y): return x", "model.py:F", "6:13: upper.minimize: must give a single number, and gives 2"),
        (
            "def F(a, b): return a",
            "model.py:F",
            "6:13: upper.minimize: the Python function cannot be used: UsageError: ",
        ),
    ],
)
def test_python_that_cannot_be_used(python, code, reference, expected):
    pytest.importorskip("torch")
    python(code, reference)
    Path("folder.py").mkdir()
    with pytest.raises(InvalidProblem) as caught:
        load("problem.yaml", allow_python=True)
    (found,) = caught.value.defects
    assert str(found).startswith(f"problem.yaml:{expected}")
