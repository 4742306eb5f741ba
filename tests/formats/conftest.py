"""A folder to write problems into, and the defects that loading them gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from solverkit.errors import InvalidProblem
from solverkit.formats import load

GOOD = """\
solverkit: 1
kind: bilevel
name: small
upper:
  variables: {x: {shape: 2, start: 1}}
  minimize: 0.5*sum((x - y)**2)
lower:
  variables: {y: {shape: 2}}
  minimize: 0.5*sum(y**2) - dot(x, y)
  subject_to:
    balance: sum(x) + sum(y) == 0
"""


@pytest.fixture
def good() -> str:
    """A small valid problem."""
    return GOOD


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def errors(folder: Path) -> Callable[..., list[str]]:
    """The lines of the error for a text; `change` are (old, new) pairs applied to the good problem."""

    def errors(*change: tuple[str, str], text: str | bytes = GOOD) -> list[str]:
        for old, new in change:
            assert isinstance(text, str)
            assert old in text
            text = text.replace(old, new, 1)
        content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        (folder / "problem.yaml").write_bytes(content)
        with pytest.raises(InvalidProblem) as caught:
            load("problem.yaml")
        assert [str(defect) for defect in caught.value.defects] == str(caught.value).split("\n")
        return str(caught.value).split("\n")

    return errors


@pytest.fixture
def data_errors(errors: Callable[..., list[str]]) -> Callable[[str], list[str]]:
    """The lines of the error for a `data:` entry A, without the file's name in front."""

    def data_errors(entry: str) -> list[str]:
        return errors(("upper:", f"data: {{A: {entry}}}\nupper:"))

    return data_errors
