"""Every "yes" and "partly" of ours in the table of features is a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "features.md"
ROWS = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
LINK = re.compile(r'\[(?:yes|partly)\]\((?P<file>\S+) "(?P<test>test_\w+)"\)')


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_yes_is_a_test(row):
    assert len(row) == 10
    if row[1] == "no":
        return
    link = LINK.fullmatch(row[1])
    assert link, row[1]
    tree = ast.parse((PAGE.parent / link["file"]).read_text())
    assert link["test"] in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_table_is_not_empty_and_says_no_too():
    answers = [row[1] for row in ROWS]
    assert len(answers) > 30
    assert "no" in answers
