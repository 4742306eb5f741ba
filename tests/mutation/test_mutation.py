"""The tool: which mutants it makes, and that it tells a test that sees one from a test that does not."""

from __future__ import annotations

import ast

import pytest

from tests.mutation.mutants import mutants
from tests.mutation.trial import KILLED, SURVIVED, TIMED_OUT, trial

SOURCE = '''"""Docstring 1."""


def larger(a: int, b: int) -> int:
    """The larger one."""
    if a < b:
        return b
    return a + 0
'''


def test_each_mutant_is_one_change_and_none_is_in_what_nobody_reads():
    found = mutants(SOURCE)
    changes = {mutant.what for mutant in found}
    assert changes == {"Lt to LtE", "condition to its opposite", "return None", "Add to Sub", "0 to 1"}
    whole = ast.unparse(ast.parse(SOURCE))
    assert all(mutant.source != whole for mutant in found)
    assert len({mutant.source for mutant in found}) == len(found)
    assert {mutant.line for mutant in found} == {6, 7, 8}


@pytest.mark.parametrize(
    ("body", "end"),
    [("assert larger(1, 2) == 2", KILLED), ("assert larger(2, 2) == 2", SURVIVED), ("while True: pass", TIMED_OUT)],
)
def test_ends(tmp_path, monkeypatch, body, end):
    monkeypatch.syspath_prepend(tmp_path)
    module, test = tmp_path / "mutated_module.py", tmp_path / "test_it.py"
    module.write_text(SOURCE)
    test.write_text(f"from mutated_module import larger\n\n\ndef test_larger():\n    {body}\n")
    opposite = next(mutant for mutant in mutants(SOURCE) if mutant.what == "condition to its opposite")
    seconds = 2.0 if end == TIMED_OUT else 30.0
    assert trial(module, opposite.source, [str(test)], seconds) == end
