"""Everything that can be wrong with a problem's content: the exact line, column and sentence."""

from __future__ import annotations

import pytest

from solverkit.errors import InvalidProblem, UsageError
from solverkit.formats import load, yaml
from solverkit.formats.document import validate
from solverkit.formats.source import FileSource
from solverkit.kinds.fields import Schema
from solverkit.registry import registry

MINIMIZE = "0.5*sum((x - y)**2)"
START = "start: 1"
TOP = "solverkit, kind, name, source, parameters, data, expect, upper, lower"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("  minimize: 0.5*sum((", "  minimise: 0.5*sum(("),
            "6:3: upper.minimise: unknown key; did you mean 'minimize'? (keys here: variables, minimize, samples, "
            "subject_to)",
        ),
        (("name: small", "name: small\nnonsense: 3"), f"4:1: nonsense: unknown key (keys here: {TOP})"),
        (
            (START, "strat: 1"),
            "5:29: upper.variables.x.strat: unknown key; did you mean 'start'? (keys here: "
            "shape, start, lower, upper, set)",
        ),
        (("name: small", "name: 3"), "3:7: name: must be text, not a number; put it in quotes"),
        (("name: small", "name: a b"), "3:7: name: string should match pattern '^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$'"),
        (("name: small\n", ""), "1:1: name: this key is needed"),
        (("kind: bilevel\n", ""), "1:1: kind: this key is needed"),
        (("kind: bilevel", "kind: [1]"), "2:7: kind: must be the name of a kind of problem, not a list"),
        (("solverkit: 1", "solverkit: 2"), "1:12: solverkit: must be 1"),
        (
            (MINIMIZE, "[x]"),
            "6:13: upper.minimize: must be an expression, as in 0.5*sum(x**2), not a list",
        ),
        (
            (MINIMIZE, '{python: "f"}'),
            '6:22: upper.minimize.python: must name a file and a function in it, as in "model.py:build"',
        ),
        (
            ("shape: 2,", "shape: {},"),
            "5:26: upper.variables.x.shape: must be a length, an expression of parameters or a "
            "list of them, not a mapping",
        ),
        (
            ("{x: {shape: 2, start: 1}}", "{}"),
            "5:14: upper.variables: needs at least 1",
        ),
        (
            ("dot(x, y)", "dot(x, y3)"),
            "9:36: lower.minimize: unknown name 'y3' (variables here: x, y); did you mean 'y'?",
        ),
        (
            ("sum(x) +", "sum(q) +"),
            "11:18: lower.subject_to.balance: unknown name 'q' (variables here: x, y)",
        ),
        ((MINIMIZE, "x.__class__"), "6:14: upper.minimize: '.' has no meaning here: "),
        ((MINIMIZE, "9**9**9"), "6:13: upper.minimize: the constant overflows"),
        (("upper:", "parameters: {n: 9**9**9}\nupper:"), "4:17: parameters.n: the constant overflows"),
        (("upper:", "parameters: {n: 1e999}\nupper:"), "4:17: parameters.n: a number too large for float64"),
        (("upper:", "parameters: {n: .inf}\nupper:"), "4:17: parameters.n: a parameter is finite"),
        (
            ("upper:", "parameters: {n: [1]}\nupper:"),
            "4:17: parameters.n: must be a number or an expression of parameters, not a list",
        ),
        (("upper:", "parameters: {n: m}\nupper:"), "4:17: parameters.n: unknown name 'm'"),
        (
            ("upper:", "parameters: {sum: 3}\nupper:"),
            "4:14: parameters.sum: 'sum' is a function of the expression language; choose another name",
        ),
        (
            ("upper:", "parameters: {pi: 3}\nupper:"),
            "4:14: parameters.pi: 'pi' is a constant of the expression language; choose another name",
        ),
        (("upper:", "parameters: {if: 3}\nupper:"), "4:14: parameters.if: 'if' cannot be a name in an expression; "),
        (("upper:", "parameters: {a-b: 3}\nupper:"), "4:14: parameters.a-b: a name has up to 64 letters, digits and _"),
        (
            ("upper:", "parameters: {x: 3}\nupper:"),
            "6:15: upper.variables.x: 'x' is a parameter already; choose another name",
        ),
        (("upper:", "data: {x: [1]}\nupper:"), "6:15: upper.variables.x: 'x' is data already; choose another name"),
        (
            ("shape: 2,", "shape: 1e9,"),
            "5:26: upper.variables.x.shape: a variable has at most 10000000 elements, not 1000000000",
        ),
        (("shape: 2,", "shape: 2.5,"), "5:26: upper.variables.x.shape: a length is a whole number from 1 on, not 2.5"),
        (("shape: 2,", "shape: 0,"), "5:26: upper.variables.x.shape: a length is a whole number from 1 on, not 0"),
        (("shape: 2,", "shape: .inf,"), "5:26: upper.variables.x.shape: a length is a whole number from 1 on, not inf"),
        (("shape: 2,", "shape: [2, k],"), "5:30: upper.variables.x.shape[1]: unknown name 'k'"),
        (
            ("shape: 2,", "shape: [1, 2, 3],"),
            "5:26: upper.variables.x.shape: at most two lengths: variables are scalars [], "
            "vectors n or matrices [m, n]",
        ),
        ((START, "start: [1, 2, 3]"), "5:36: upper.variables.x.start: has shape (3,), and cannot fill (2,)"),
        ((START, "start: [1, [2]]"), "5:36: upper.variables.x.start: a list needs entries, all of one length"),
        ((START, "start: [[[1]]]"), "5:36: upper.variables.x.start: lists nested deeper than 2"),
        ((START, "start: [.inf, 1]"), "5:36: upper.variables.x.start: a start is finite"),
        ((START, "start: true"), "5:36: upper.variables.x.start: must be a number, a list of numbers, an expression"),
        (
            (START, "lower: 3, upper: 2"),
            "5:36: upper.variables.x.lower: the lower bound 3 and the upper bound 2 leave no room at element 0",
        ),
        (
            ("{y: {shape: 2}}", "{y: {shape: 2}, x: {}}"),
            "8:30: lower.variables.x: 'x' is a variable of the upper level already; choose another name",
        ),
        (
            (START, "set: cone"),
            "5:34: upper.variables.x.set: must be simplex, or one of simplex, ball, affine, polyhedron",
        ),
        (
            (START, "set: {simplex: 1, ball: {radius: 1}}"),
            "5:34: upper.variables.x.set: must name one set: simplex, ball",
        ),
        ((START, "set: {simplex: -1}"), "5:44: upper.variables.x.set.simplex: a total is positive and finite, not -1"),
        ((START, "set: {ball: {radius: r}}"), "5:50: upper.variables.x.set.ball.radius: unknown name 'r'"),
        (
            (START, "set: {bal: {radius: 1}}"),
            "5:35: upper.variables.x.set.bal: unknown key; did you mean 'ball'? (keys here: "
            "simplex, ball, affine, polyhedron)",
        ),
        (
            (START, "set: simplex, lower: 0"),
            "5:34: upper.variables.x.set: a set and bounds together have no cheap projection; put one in subject_to",
        ),
        (
            (START, "set: {affine: {A: [[1, 1, 1]], b: 1}}"),
            "5:47: upper.variables.x.set.affine.A: has shape (1, 3); needs 2 columns, one for "
            "each element of the variable",
        ),
        ((MINIMIZE, "x - y"), "6:13: upper.minimize: must be a single number, and has shape (2,); sum(...) makes one"),
        ((MINIMIZE, "x == y"), "6:13: upper.minimize: a comparison, where a value is needed"),
        (("== 0", "< 0"), "11:14: lower.subject_to.balance: a solver cannot tell '<' from '<='; write '<='"),
        (("sum(x) + sum(y) == 0", "1 == 0"), "11:14: lower.subject_to.balance: the constraint has no variable in it"),
        (("sum(x) + sum(y) == 0", "3 <= x <= 2"), "11:"),
        (("balance:", "a b:"), "11:5: lower.subject_to.a b: a name has up to 64 letters, digits and _"),
        (
            ("solverkit: 1", "solverkit: 1\nexpect: {point: {z: 1}}"),
            "2:18: expect.point.z: no such variable (variables here: x, y)",
        ),
        (
            ("solverkit: 1", "solverkit: 1\nexpect: {point: {x: [1, 2, 3]}}"),
            "2:21: expect.point.x: has shape (3,), and cannot",
        ),
        (("solverkit: 1", "solverkit: 1\nexpect: {tol: 1}"), "2:10: expect.tol: unknown key (keys here: objective, "),
        (("kind: bilevel", "kind: bilvel"), "2:7: kind: unknown kind 'bilvel' (did you mean 'bilevel'?)"),
        (
            (MINIMIZE, '{python: "model.py:F"}'),
            "6:13: upper.minimize: 'model.py:F' is Python code, which is not run unless you "
            "allow it: --allow-python on the "
            "command line, allow_python=True in Python",
        ),
    ],
)
def test_one_defect(errors, change, expected):
    found = errors(change)
    assert len(found) == 1, found
    assert found[0].startswith(f"problem.yaml:{expected}")
    assert "pydantic" not in found[0].lower()


def test_the_example_of_the_design(errors):
    found = errors(("  minimize: 0.5*sum(y**2)", "  minimize: 0.5*sum(y3**2)"))
    assert found == ["problem.yaml:9:21: lower.minimize: unknown name 'y3' (variables here: x, y); did you mean 'y'?"]


def test_all_defects_at_once_in_the_order_of_the_file(errors):
    found = errors(
        ("name: small", "name: 3\nfoo: 1"),
        ("start: 1", "lower: 2, upper: 1"),
        ("  minimize: 0.5*sum((", "  minimise: y3 + 0.5*sum(("),
        ("sum(x) +", "sum(q) +"),
    )
    assert [line.split(": ", 1)[1] for line in found] == [
        "name: must be text, not a number; put it in quotes",
        f"foo: unknown key (keys here: {TOP})",
        "upper.variables.x.lower: the lower bound 2 and the upper bound 1 leave no room at element 0",
        "upper.minimise: unknown key; did you mean 'minimize'? (keys here: variables, minimize, samples, subject_to)",
        "upper.minimize: unknown name 'y3' (variables here: x, y); did you mean 'y'?",
        "lower.subject_to.balance: unknown name 'q' (variables here: x, y)",
    ]
    assert [line.split(": ")[0] for line in found] == [
        "problem.yaml:3:7",
        "problem.yaml:4:1",
        "problem.yaml:6:36",
        "problem.yaml:7:3",
        "problem.yaml:7:13",
        "problem.yaml:12:18",
    ]


def test_a_missing_version_hides_nothing(errors):
    found = errors(("solverkit: 1\n", ""), ("sum(x) +", "sum(q) +"))
    assert found == [
        "problem.yaml:1:1: solverkit: this key is needed",
        "problem.yaml:10:18: lower.subject_to.balance: unknown name 'q' (variables here: x, y)",
    ]


def test_wrong_shape_in_every_expression(errors):
    found = errors(("{y: {shape: 2}}", "{y: {shape: 3}}"))
    assert [line.split(": ", 1)[0] for line in found] == ["problem.yaml:6:26", "problem.yaml:9:29"]
    assert all("shapes (2,) and (3,) do not match" in line for line in found)


def test_a_variable_without_a_shape_raises_no_false_alarm(errors):
    found = errors(("{y: {shape: 2}}", "{y: {shape: k}}"))
    assert [line.split(": ", 1)[0] for line in found] == ["problem.yaml:8:26"]


def test_expression_deep_in_brackets(errors):
    (found,) = errors((MINIMIZE, "(" * 4000 + "x" + ")" * 4000))
    assert found.startswith("problem.yaml:6:")
    assert "nested deeper" in found


def test_missing_level(errors, good):
    found = errors(text=good[: good.index("lower:")])
    assert found[0] == "problem.yaml:1:1: lower: this key is needed"


def test_missing_file(folder):
    with pytest.raises(InvalidProblem, match=r"^nowhere\.yaml: no such file$"):
        load("nowhere.yaml")


def test_unknown_suffix(folder):
    with pytest.raises(UsageError, match=r"'a\.txt': no reader for '\.txt'; problem files end in \.yaml, \.yml"):
        load("a.txt")


def test_folder_instead_of_a_file(folder):
    (folder / "a.yaml").mkdir()
    with pytest.raises(InvalidProblem, match=r"^a\.yaml: "):
        load("a.yaml")


class Ball(Schema):
    """A part of a schema that has two forms."""

    radius: float


class Plain(Schema):
    """The schema of a kind whose author wrote a plain union."""

    name: str
    size: int | Ball
    rows: list[int]


@pytest.mark.parametrize(
    "value",
    [
        {"name": "a", "size": {"radius": "text"}, "rows": [1]},
        {"name": "a", "size": [], "rows": [1, "x", 3]},
        {"name": 3, "size": "x", "rows": "y"},
        {"nam": "a"},
    ],
)
def test_any_schema_of_another_author_gives_defects_and_no_traceback(tmp_path, value):
    source = FileSource(yaml.parse(b"solverkit: 1\n", "problem.yaml"), tmp_path)
    validate(Plain, value, source)
    assert source.defects
    with pytest.raises(InvalidProblem):
        source.check()


def test_a_list_in_a_file_with_a_wrong_entry(folder):
    text = "solverkit: 1\nkind: dag\nname: small\nsamples: [[1, 2], [3, 4]]\ntiers: [[a], {}]\n"
    (folder / "problem.yaml").write_text(text)
    with pytest.raises(InvalidProblem, match=r"^problem.yaml:5:14: tiers\[1\]: "):
        load("problem.yaml")


def test_a_kind_that_trips_over_what_stands_in_is_not_heard_but_without_a_defect_it_is(
    errors, good, folder, monkeypatch
):
    def tripping(*arguments):
        raise RuntimeError("tripped")

    monkeypatch.setattr(type(registry.kind("bilevel")), "build", tripping)
    assert errors(("sum(x) +", "sum(q) +"), ("name: small", "name: small\nfoo: 1")) == [
        f"problem.yaml:4:1: foo: unknown key (keys here: {TOP})"
    ]
    (folder / "problem.yaml").write_text(good)
    with pytest.raises(RuntimeError, match="tripped"):
        load("problem.yaml")


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (
            "kind: inclusion\ngame: {rows: {matrix: [[1]], rhs: 1}}\n",
            "problem.yaml:4:1: game.payoff: this key is needed",
        ),
        ("kind: [1]\nnl: model.nl\n", "problem.yaml:3:7: kind: must be the name of a kind of problem, not a list"),
    ],
)
def test_of_what_is_missing_or_wrong_nothing_more_is_said(errors, rest, expected):
    assert errors(text=f"solverkit: 1\nname: small\n{rest}") == [expected]
