"""The reducer: what is left fails as before, and nothing in it can go."""

from __future__ import annotations

import random

import numpy as np
import pytest
from click.testing import CliRunner

from solverkit.cli.check import command
from solverkit.errors import UsageError
from solverkit.formats import yaml
from solverkit.reduction import NothingFails, Question, reduce
from solverkit.reduction.expressions import simpler
from solverkit.reduction.failure import failure
from solverkit.reduction.fewer import fewest

GOOD = """\
solverkit: 1
kind: nonlinear
name: parabola
parameters: {n: 6}
variables: {x: {shape: n, start: 1}}
minimize: sum((x - 2)**2) + 3
subject_to: {first: sum(x) >= 1, second: sum(x**2) <= 100}
expect: {objective: 3.0}
"""


def test_what_is_left_is_minimal_part_by_part():
    random.seed(1)
    for _ in range(200):
        parts = list(range(random.randrange(1, 40)))
        needed = set(random.sample(parts, random.randrange(0, min(6, len(parts)))))
        assert fewest(parts, lambda kept, needed=needed: needed <= set(kept)) == sorted(needed)


def test_where_parts_hang_together_no_chunk_can_go():
    def even(kept):
        return len(kept) % 2 == 0 and 5 in kept

    kept = fewest(range(20), even)
    assert even(kept)
    assert not any(even(kept[:k] + kept[k + 1 :]) for k in range(len(kept)))


def test_parts_of_an_expression_come_before_constants():
    tries = list(simpler("sum((x - 2)**2) + 3"))
    assert tries[0] == "sum((x - 2) ** 2)"
    assert "sum(x) + 3" not in tries
    assert "sum(x - 2) + 3" in tries
    assert not list(simpler("x +"))


def reduced(tmp_path, text, **question):
    file = tmp_path / "problem.yaml"
    file.write_text(text)
    found = reduce(file, Question(**question), tmp_path / "small")
    assert failure(found.file, Question(**question)) == found.failure
    assert found.whole
    assert found.after < found.before
    return found


def test_an_unknown_name_is_left_alone_with_what_a_file_must_have(tmp_path):
    found = reduced(tmp_path, GOOD.replace("sum(x**2)", "sum(y**2)"))
    assert found.failure.what == "refused"
    tree = yaml.load(found.file).value
    assert set(tree) == {"solverkit", "kind", "name", "variables", "subject_to"}
    assert len(tree["subject_to"]) == 1
    assert "y" in str(tree["subject_to"])


def test_data_shrink_along_the_axis_that_they_share(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "A.npy", rng.normal(size=(40, 12)))
    np.save(tmp_path / "b.npy", rng.normal(size=40))
    text = """\
solverkit: 1
kind: nonlinear
name: unbounded-fit
variables: {x: {shape: 12, start: 1}}
minimize: sum(A @ x - b)
data: {A: {file: A.npy}, b: {file: b.npy}}
"""
    found = reduced(tmp_path, text, method="slsqp", max_iter=20)
    tree = yaml.load(found.file).value
    assert found.failure.what == "ends"
    assert tree["variables"]["x"].get("shape", 1) == 1
    assert "data" not in tree or all(np.size(array) == 1 for array in tree["data"].values())


def test_a_text_of_another_format_keeps_the_lines_that_matter(tmp_path):
    file = tmp_path / "model.mps"
    rows = "".join(f"    x{k}   cost  1.0   row{k}  2.0\n" for k in range(30))
    names = "".join(f" L  row{k}\n" for k in range(30))
    file.write_text(f"NAME m\nROWS\n N  cost\n{names}COLUMNS\n{rows}RHS\n    RHS  row3  1e\nENDATA\n")
    found = reduce(file, Question(), tmp_path / "small")
    assert failure(found.file, Question()) == found.failure
    assert found.after < 60


@pytest.mark.parametrize(
    ("body", "what", "limit"),
    [("import time; time.sleep(60)", "hangs", 2.0), ("import os; os._exit(7)", "dies", 30.0)],
)
def test_what_hangs_or_dies_does_so_in_the_child(tmp_path, body, what, limit):
    (tmp_path / "model.py").write_text(f"def value(x):\n    {body}\n")
    (tmp_path / "problem.yaml").write_text(
        "solverkit: 1\nkind: nonlinear\nname: bad\nvariables: {x: {shape: 3, start: 1}}\n"
        "minimize: {python: 'model.py:value'}\n"
    )
    question = Question(allow_python=True, limit=limit, method="slsqp")
    found = reduce(tmp_path / "problem.yaml", question, tmp_path / "small", seconds=3)
    assert found.failure.what == what
    assert (found.file.parent / "model.py").exists()


def test_a_file_that_is_well_has_nothing_to_reduce(tmp_path):
    (tmp_path / "problem.yaml").write_text(GOOD)
    with pytest.raises(NothingFails, match="--method NAME"):
        reduce(tmp_path / "problem.yaml", Question(), tmp_path / "small")
    assert not (tmp_path / "small").exists()
    with pytest.raises(UsageError, match="exists already"):
        reduce(tmp_path / "problem.yaml", Question(), tmp_path)


def test_the_command_says_what_fails_and_where_the_small_file_is(tmp_path):
    file = tmp_path / "problem.yaml"
    file.write_text(GOOD.replace("sum(x)", "summ(x)"))
    done = CliRunner().invoke(command, ["--reduce", str(file)], standalone_mode=False)
    assert done.return_value == 0
    assert "refused" in done.output
    assert (tmp_path / "problem.yaml.reduced" / "problem.yaml").exists()
