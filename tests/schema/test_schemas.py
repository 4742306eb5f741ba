"""JSON Schemas of problem and suite files: what ships passes, what is wrong does not, every key is explained."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from solverkit import schema
from solverkit.cli.run import run
from solverkit.errors import UsageError
from solverkit.formats import yaml
from solverkit.registry import registry
from solverkit.schema.tree import nodes
from tests.registry import outside_kind

PROBLEMS = Path(__file__).parents[2] / "problems"
FILES = sorted(path for path in PROBLEMS.rglob("*.yaml"))


@pytest.fixture(scope="module")
def problem():
    return Draft202012Validator(schema.problem())


@pytest.fixture(scope="module")
def suite():
    return Draft202012Validator(schema.suite())


def test_both_are_schemas(problem, suite):
    for validator in (problem, suite):
        Draft202012Validator.check_schema(validator.schema)
        json.dumps(validator.schema, allow_nan=False)


def test_shipped_files_pass(problem, suite):
    assert len(FILES) > 150
    for path in FILES:
        content = yaml.load(path).value
        validator = suite if content["kind"] == "suite" else problem
        wrong = [f"{path}: {error.json_path}: {error.message}" for error in validator.iter_errors(content)]
        assert not wrong


def test_every_key_is_explained(problem, suite):
    silent = []
    for validator in (problem, suite):
        for node in nodes(validator.schema):
            for key, content in node.get("properties", {}).items():
                rule_of_a_choice = node.get("additionalProperties") is None and "description" not in node
                if not rule_of_a_choice and not content.get("description"):
                    silent.append((node.get("title"), key))
    assert not silent


HEAD = {"solverkit": 1, "name": "p"}
NONLINEAR = {**HEAD, "kind": "nonlinear", "variables": {"x": {"shape": 2}}, "minimize": "sum(x**2)"}
DAG = {**HEAD, "kind": "dag", "samples": "X", "data": {"X": {"file": "X.csv"}}}
GAME = {**HEAD, "kind": "inclusion", "game": {"payoff": [[1, 2], [3, 4]]}}
GOOD = {
    "nonlinear": NONLINEAR,
    "dag": DAG,
    "game": GAME,
    "short set": {**NONLINEAR, "variables": {"x": {"shape": 2, "set": "simplex"}}},
    "empty key": {**NONLINEAR, "subject_to": None},
    "beside": {**HEAD, "kind": "nonlinear", "nl": "model.nl"},
    "program beside": {**HEAD, "kind": "inclusion", "mps": "model.mps"},
    "generator that is installed elsewhere": {**DAG, "data": {"X": {"generate": "theirs", "size": 3}}},
}
WRONG = {
    "no kind": {key: value for key, value in NONLINEAR.items() if key != "kind"},
    "unknown kind": {**NONLINEAR, "kind": "nonliner"},
    "version": {**NONLINEAR, "solverkit": 2},
    "name": {**NONLINEAR, "name": "a b"},
    "unknown key": {**NONLINEAR, "minimise": "0"},
    "no variables": {**HEAD, "kind": "nonlinear", "minimize": "0"},
    "name of a variable": {**NONLINEAR, "variables": {"2x": {"shape": 2}}},
    "key of a variable": {**NONLINEAR, "variables": {"x": {"shap": 2}}},
    "set that is none": {**NONLINEAR, "variables": {"x": {"set": "sphere"}}},
    "two sets": {**NONLINEAR, "variables": {"x": {"set": {"simplex": 1, "ball": {"radius": 1}}}}},
    "objective": {**NONLINEAR, "minimize": [1]},
    "data without a source": {**NONLINEAR, "data": {"A": {"key": "A"}}},
    "checksum": {**NONLINEAR, "data": {"A": {"file": "A.npy", "sha256": "12"}}},
    "python without a function": {**NONLINEAR, "minimize": {"python": "model.py"}},
    "a key of another kind": {**NONLINEAR, "game": {"payoff": "A"}},
    "samples and gram": {**DAG, "gram": "S"},
    "neither": {**HEAD, "kind": "dag"},
    "score": {**DAG, "score": "aic"},
    "edge of three": {**DAG, "forbidden": [["a", "b", "c"]]},
    "two forms": {**GAME, "linear_program": {"cost": [1], "matrix": [[1]]}},
    "suffix of the file beside": {**HEAD, "kind": "nonlinear", "nl": "model.txt"},
    "beside of another kind": {**HEAD, "kind": "dag", "nl": "model.nl"},
}


@pytest.mark.parametrize("name", GOOD)
def test_good_forms_pass(name, problem):
    assert not list(problem.iter_errors(GOOD[name]))


@pytest.mark.parametrize("name", WRONG)
def test_wrong_problems_fail(name, problem):
    assert list(problem.iter_errors(WRONG[name]))


SUITE = {**HEAD, "kind": "suite", "problems": ["a.yaml"], "methods": ["lv-hba"]}
WRONG_SUITES = {
    "no methods": {key: value for key, value in SUITE.items() if key != "methods"},
    "empty": {**SUITE, "problems": []},
    "seed": {**SUITE, "seeds": [-1]},
    "limit": {**SUITE, "limits": {"max_time": 0}},
    "option": {**SUITE, "methods": [{"method": "lv-hba", "options": {"gama1": 1}}]},
    "value of an option": {**SUITE, "methods": [{"method": "lv-hba", "options": {"schedule": "theirs"}}]},
    "dtype": {**SUITE, "methods": [{"method": "lv-hba", "dtype": "float16"}]},
    "parameter": {**SUITE, "problems": [{"file": "a.yaml", "parameters": {"n": []}}]},
}


def test_good_suites_pass(suite):
    more = [{"method": "lv-hba", "options": {"gamma1": 1.0}}, {"method": "theirs", "options": {"any": 1}}]
    assert not list(suite.iter_errors({**SUITE, "methods": ["lv-hba", *more]}))
    assert not list(suite.iter_errors({**SUITE, "problems": [{"file": "a.yaml", "parameters": {"n": 3}}]}))


@pytest.mark.parametrize("name", WRONG_SUITES)
def test_wrong_suites_fail(name, suite):
    assert list(suite.iter_errors(WRONG_SUITES[name]))


def test_a_kind_of_a_plugin_takes_part(monkeypatch):
    monkeypatch.setitem(sys.modules, "outside_kind", outside_kind)
    with registry.using(outside_kind):
        both, own = Draft202012Validator(schema.problem()), Draft202012Validator(schema.problem("toy-game"))
    good = {**HEAD, "kind": "toy-game", "shape": [2, 2], "payoff": [[0, 1], [1, 0]]}
    for validator in (both, own):
        assert not list(validator.iter_errors(good))
        assert list(validator.iter_errors({**good, "payof": 1}))
    assert list(own.iter_errors(NONLINEAR))
    assert not list(both.iter_errors(NONLINEAR))


def test_the_command_prints_and_writes(capsys, tmp_path):
    assert run(["schema", "problem", "--kind", "dag"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["properties"]["kind"]["enum"] == ["dag"]
    file = tmp_path / "suite.json"
    assert run(["schema", "suite", "--out", str(file)]) == 0
    assert json.loads(file.read_text()) == json.loads(json.dumps(schema.suite()))


def test_what_the_command_refuses(capsys, tmp_path):
    assert run(["schema", "suite", "--kind", "dag"]) == 2
    assert run(["schema", "problem", "--kind", "dga"]) == 2
    assert "did you mean 'dag'" in capsys.readouterr().err
    assert run(["schema", "suite", "--out", str(tmp_path / "none" / "s.json")]) == 2
    assert "could not be written" in capsys.readouterr().err
    with pytest.raises(UsageError):
        schema.problem("dga")
