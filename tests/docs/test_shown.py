"""Commands of the pages, run as they stand, give what the pages show; whole problem files of the pages are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import solverkit as sk
from solverkit.cli.run import run
from solverkit.errors import InvalidProblem

ROOT = Path(__file__).parents[2]


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a how-to page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "docs" / "how-to" / page).read_text(), re.M | re.S)


def test_the_reducer(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "problems").symlink_to(ROOT / "problems")
    command, shown = blocks("reduce.md", "console")[1].removeprefix("$ solverkit ").split("\n", 1)
    printed, content = shown.split("\n$ cat small/problem.yaml\n")
    assert run(command.split()) == 0
    assert capsys.readouterr().out.strip() == printed.strip()
    assert (tmp_path / "small" / "problem.yaml").read_text().strip() == content.strip()


def test_the_benchmark(tmp_path, monkeypatch, capsys):
    (tmp_path / "suites").mkdir()
    (tmp_path / "bilevel").symlink_to(ROOT / "problems" / "bilevel")
    monkeypatch.chdir(tmp_path / "suites")
    suite = blocks("benchmark.md", "yaml")[0]
    assert "seeds: [0, 1, 2]" in suite
    Path("mine.yaml").write_text(suite.replace("seeds: [0, 1, 2]", "seeds: [0]"))  # a third of the seconds
    for line in blocks("benchmark.md", "console")[0].splitlines():
        assert run([*line.removeprefix("$ solverkit ").split()]) == 0
    assert Path("results/mine/report.html").stat().st_size > 10_000
    assert "no-polish" in capsys.readouterr().out


NEEDS_DATA = {"pyomo": "no such file: 'model.nl'", "dag": "no such file: 'patients.csv'"}
"""Pages whose file names data of the reader's own."""
WHOLE = sorted(
    (page.stem, block)
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.M | re.S)
    if "solverkit: 1\n" in block and "kind: suite" not in block
)


@pytest.mark.parametrize(("page", "text"), WHOLE, ids=[page for page, _ in WHOLE])
def test_a_whole_problem_file_is_read(page, text, tmp_path):
    file = tmp_path / "problem.yaml"
    file.write_text(text)
    if page in NEEDS_DATA:
        with pytest.raises(InvalidProblem, match=NEEDS_DATA[page]):
            sk.load(file)
    else:
        assert sk.load(file).name
