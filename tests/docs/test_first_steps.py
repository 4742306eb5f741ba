"""The first tutorial, done as it stands: its file is written, its Python runs, and its commands print what it shows."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-steps.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_the_page_does_what_it_says(tmp_path, monkeypatch, capsys):
    from solverkit.cli.run import run

    monkeypatch.chdir(tmp_path)
    names = {}
    for language, block in BLOCKS:
        if language == "yaml":
            Path("box.yaml").write_text(block)
        elif language == "py":
            exec(compile(block, str(PAGE), "exec"), names)
        else:
            assert language == "console"
            for command, shown in re.findall(r"^\$ solverkit (.+)\n((?:[^$].*\n)*)", block, re.MULTILINE):
                capsys.readouterr()
                code = run(command.split())
                assert shown
                assert capsys.readouterr().out.startswith(shown)
                assert code == (0 if shown.startswith("CERTIFIED") else 3)
    assert {language for language, _ in BLOCKS} == {"yaml", "py", "console"}
