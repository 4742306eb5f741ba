"""Suite files: what they say, and every defect with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

import solverkit as sk
from solverkit.bench.suite import load_suite

SUITES = Path(__file__).parents[2] / "problems" / "suites"


def defects(path):
    with pytest.raises(sk.InvalidProblem) as caught:
        load_suite(path)
    return {(defect.line, defect.column): str(defect) for defect in caught.value.defects}


def test_short_and_long_entries(write):
    suite, cases = load_suite(
        write(
            problems="[line.yaml, {file: 'l*.yaml', parameters: {a: [1, 2.5]}}]",
            methods="[toy-quick, {method: toy-quick, label: slow, options: {seconds: 0.5}}]",
            seeds="[3, 4]",
            limits="{max_time: 2, max_calls: 10}",
        )
    )
    assert [case.parameters for case in cases] == [{}, {"a": 1}, {"a": 2.5}]
    assert [entry.shown for entry in suite.methods] == ["toy-quick", "slow"]
    assert suite.limits.hard == 8.0
    assert (suite.seeds, suite.tol, suite.threads) == ([3, 4], 1e-6, 1)


def test_a_file_that_two_patterns_name_is_one_problem(write):
    _, cases = load_suite(write(problems="['*ine.yaml', line.yaml, ./line.yaml]"))
    assert len(cases) == 1


def test_every_defect_of_structure_has_its_place(write):
    path = write(
        methods="[{method: toy-quick, lable: x}, 3]", tol="-1", seeds="[1, 1]", threads="0", limits="{max_tim: 3}"
    )
    found = defects(path)
    where = {(line, column): text.partition(": ")[2] for (line, column), text in found.items()}
    assert where[(5, 31)].startswith("methods[0].lable: unknown key; did you mean 'label'? (keys here: method, label")
    assert where[(5, 42)] == "methods[1]: must be a mapping, not a number"
    assert "tol" in where[(6, 6)]
    assert where[(7, 8)] == "seeds: the same value is there twice"
    assert "threads" in where[(8, 10)]
    assert "did you mean 'max_time'" in where[(9, 10)]


def test_every_defect_of_meaning_has_its_place(write):
    path = write(
        problems="[nowhere.yaml, 'none-*.yaml']",
        methods="[toy-quik, {method: toy-quick, options: {pace: 3}}, toy-quick]",
    )
    texts = "\n".join(defects(path).values())
    assert "suite.yaml:4:12: problems[0]: no such file: 'nowhere.yaml'" in texts
    assert "suite.yaml:4:26: problems[1]: no file matches 'none-*.yaml'" in texts
    assert "suite.yaml:5:11: methods[0].method: unknown method 'toy-quik' (did you mean 'toy-quick'?)" in texts
    assert "suite.yaml:5:50: methods[1].options: method 'toy-quick' has no option 'pace'" in texts
    assert "suite.yaml:5:62: methods[2]: the label 'toy-quick' is taken by methods[1]" in texts


def test_a_problem_file_is_no_suite(write, tmp_path):
    write()
    texts = "\n".join(defects(tmp_path / "line.yaml").values())
    assert "line.yaml:2:7: kind: must be 'suite': `solverkit bench` reads suites, `solverkit solve` problems" in texts


def test_defects_of_problem_files_are_those_of_the_problem(write, tmp_path):
    (tmp_path / "bad.yaml").write_text("solverkit: 1\nkind: toy-line\nname: bad\nanswer: b\n")
    with pytest.raises(sk.InvalidProblem, match=r"bad.yaml:4:9: answer: unknown name 'b'"):
        sk.bench(write(problems="[line.yaml, bad.yaml]"))


def test_two_problems_of_one_name_are_refused(write, tmp_path):
    write()
    (tmp_path / "other.yaml").write_text((tmp_path / "line.yaml").read_text())
    with pytest.raises(sk.UsageError, match="two problems of the suite are called 'line'"):
        sk.bench(write(problems="[line.yaml, other.yaml]"))


def test_parameters_that_a_file_lacks_are_refused(write):
    with pytest.raises(sk.UsageError, match="has no parameter 'n'"):
        sk.bench(write(problems="[{file: line.yaml, parameters: {n: 3}}]"))


@pytest.mark.parametrize("name", sorted(path.stem for path in SUITES.glob("*.yaml")))
def test_shipped_suites_are_whole(name, root):
    suite, cases = load_suite(root / "problems" / "suites" / f"{name}.yaml")
    assert suite.name == name
    assert suite.description
    assert cases
