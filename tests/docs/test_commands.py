"""Every command that a page shows is one: its name, its options and its arguments are taken.

What the pages of first steps, installing and plugins show is run as well: `test_first_steps.py`, `tests/packages`.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from solverkit.cli.app import app

ROOT = Path(__file__).parents[2]
INLINE = "solve|resume|verify|check|bench|report|describe|methods"
SHOWN = re.compile(rf"^\$ (?:\S+/)?solverkit (.+?)(?:\s+#.*)?$|(?<!\w)`solverkit ((?:{INLINE}) [^`]+)`", re.MULTILINE)
PLACEHOLDERS = re.compile(r"\b(?:FILE|DIR|METHOD|NAME|PROBLEM|RESULT|FOLDER|SUITE)\b|\.\.\.|<\w+>")
COMMANDS = sorted(
    {
        (page.stem, next(filter(None, found)))
        for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        for found in SHOWN.findall(page.read_text())
    }
)


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[f"{page}: {line[:50]}" for page, line in COMMANDS])
def test_a_shown_command_is_one(page, line, monkeypatch):
    monkeypatch.chdir(ROOT)
    name, *arguments = shlex.split(PLACEHOLDERS.sub("problems/nonlinear/hs71/problem.yaml", line))
    if name.startswith("--") or name == "list-runs":  # the second is an example plugin's
        return
    command = app.get_command(app.make_context("solverkit", [name]), name)
    assert command is not None
    command.make_context(name, arguments)


def test_there_are_many():
    assert len(COMMANDS) > 25
