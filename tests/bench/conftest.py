"""The toy plugin, for this process, for workers and for the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLUGIN = HERE / "plugin"

PROBLEM = "solverkit: 1\nkind: toy-line\nname: line\nparameters: {a: 2}\nanswer: a\nexpect: {objective: 0}\n"


@pytest.fixture(scope="module", autouse=True)
def toy() -> Iterator[None]:
    """The plugin is installed."""
    from solverkit.registry import registry

    former = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PLUGIN), str(ROOT), *([former] if former else [])])
    sys.path.insert(0, str(PLUGIN))
    registry.only(None)
    yield
    sys.path.remove(str(PLUGIN))
    if former is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = former
    registry.only(None)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a suite of the toy problem; each keyword is a line."""
    (tmp_path / "line.yaml").write_text(PROBLEM)

    def write(**lines: str) -> Path:
        content = {"name": "toys", "problems": "[line.yaml]", "methods": "[toy-quick]", **lines}
        text = "solverkit: 1\nkind: suite\n" + "".join(f"{key}: {value}\n" for key, value in content.items())
        path = tmp_path / "suite.yaml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def root() -> Path:
    """The repository."""
    return ROOT
