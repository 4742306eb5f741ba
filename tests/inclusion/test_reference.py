"""The examples of the reference are problem files that load and whose starts can be checked."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from solverkit.formats.load import load
from solverkit.kinds.base import PointStatus
from solverkit.kinds.inclusion.certificate import certify

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "problem-files.md").read_text()
SECTION = PAGE.partition("## Inclusions")[2].partition("\n## ")[0]
EXAMPLES = re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)[0].split("---\n") if SECTION else []
DATA = {
    "A": np.array([[1.0, -1, 2], [0, 3, 1]]),
    "B": np.array([[1.0, -1, 2], [0, 3, 1]]),
    "E": np.ones((1, 2)),
    "e": np.ones(1),
    "F": np.ones((1, 3)),
    "f": np.ones(1),
    "c": np.ones(3),
    "l": np.zeros(2),
    "u": np.ones(2),
    "X": np.array([[1.0, 2], [3, -1]]),
    "labels": np.array([1.0, -1]),
}


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split(":")[0])
def test_examples_load(text: str, tmp_path: Path) -> None:
    path = tmp_path / "problem.yaml"
    listed = "\n".join(f"  {name}: {value.tolist()}" for name, value in DATA.items())
    path.write_text(
        f"solverkit: 1\nkind: inclusion\nname: example\nparameters: {{n: 2, m: 3, d: 2}}\n{text}\ndata:\n{listed}\n"
    )
    problem = load(path)
    start = problem.start(np.random.default_rng(0))
    assert certify(problem, start).status is not PointStatus.UNVERIFIED  # type: ignore[arg-type]


def test_all_forms_have_an_example() -> None:
    forms = {text.split(":")[0] for text in EXAMPLES}
    assert forms == {"game", "saddle", "operator", "linear_program", "finite_sum"}
