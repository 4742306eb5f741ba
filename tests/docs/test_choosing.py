"""The decision list names every method, under its kind, once and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from solverkit.registry import published

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "choosing.md"
HEADINGS = {
    "Bilevel": "bilevel",
    "Graphs": "dag",
    "Linear sequences": "linear-sequence",
    "Inclusions": "inclusion",
    "Composite": "composite",
    "Nonlinear": "nonlinear",
}
OTHER = {"bic", ".nl"}  # words in code that are no methods


def test_every_method_is_in_the_list_of_its_kind():
    sections = dict(re.findall(r"(?ms)^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE.read_text()))
    methods: dict[str, set[str]] = {}
    for kinds in published.METHODS.values():
        for kind, names in kinds.items():
            methods.setdefault(kind, set()).update(names)
    assert set(HEADINGS.values()) == set(methods)
    for heading, kind in HEADINGS.items():
        named = re.findall(r"`([^`]+)`", sections[heading])
        assert set(named) - OTHER == methods[kind], kind
