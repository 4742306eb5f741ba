"""Files that are right load, and come out as what they say."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from solverkit.errors import InvalidProblem
from solverkit.formats import load
from solverkit.kinds.bilevel import Bilevel, bilevel
from solverkit.operators.sets import Box, Free, Product, Simplex

PROBLEMS = sorted((Path(__file__).parents[2] / "problems" / "bilevel").glob("*/problem.yaml"))


@pytest.mark.parametrize("path", PROBLEMS, ids=lambda path: path.parent.name)
def test_every_problem_of_the_collection_loads(path):
    problem = load(path)
    assert problem.name == path.parent.name
    assert problem.fingerprint() == load(path).fingerprint()
    assert np.isfinite(problem.objective(problem.start(np.random.default_rng(0))))
    if "point" in problem.expected:
        point = problem.expected["point"]
        assert problem.objective(point) == pytest.approx(problem.expected["objective"], abs=1e-3)


@pytest.fixture
def problem(folder, good):
    """The problem of the good text after changes."""

    def problem(*changes: tuple[str, str]) -> Bilevel:
        text = good
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (folder / "problem.yaml").write_text(text)
        return load("problem.yaml")

    return problem


def test_the_small_problem(problem):
    small = problem()
    assert (small.name, small.n, small.m) == ("small", 2, 2)
    z = np.array([1.0, 2.0, 3.0, 5.0])
    assert small.upper(z) == 0.5 * (4 + 9)
    assert small.lower(z) == 0.5 * (9 + 25) - 13
    np.testing.assert_array_equal(small.lower_rows(z), [11])
    assert small.lower_constraints.names == ("balance",)
    np.testing.assert_array_equal(small.start(np.random.default_rng(0))["x"], [1, 1])
    assert isinstance(small.upper_set, Free)
    assert small.convex is None
    assert small.expected == {}
    assert small.to("cpu", "float64") is small


def test_scalars_are_the_default_shape(problem):
    scalar = problem(("{shape: 2, start: 1}", "{}"), ("{shape: 2}", "{start: 3}"), ("dot(x, y)", "x*y"))
    assert [block.shape for block in (*scalar.upper_blocks, *scalar.lower_blocks)] == [(), ()]
    assert scalar.start(np.random.default_rng(0))["y"].shape == ()


def test_parameters_in_every_number(problem):
    found = problem(
        ("upper:", "parameters: {k: 1, n: 2*k, big: 1e3}\nupper:"),
        ("shape: 2, start: 1", "shape: n, start: [k, 2*k], lower: -big, upper: [.inf, big]"),
        ("{shape: 2}", "{shape: [n, k]}"),
        ("(x - y)**2", "(x - y[:, 0])**2"),
        ("dot(x, y)", "dot(x, y[:, 0])"),
        ("== 0", "<= n"),
    )
    assert isinstance(found.upper_set, Box)
    np.testing.assert_array_equal(found.upper_set.lower, [-1000, -1000])
    np.testing.assert_array_equal(found.upper_set.upper, [np.inf, 1000])
    np.testing.assert_array_equal(found.upper_blocks[0].start, [1, 2])
    assert found.lower_blocks[0].shape == (2, 1)
    np.testing.assert_array_equal(found.lower_constraints.bound, [2])


def test_data_in_starts_bounds_and_expressions(folder, problem):
    np.save(folder / "a.npy", np.array([0.5, 2.0]))
    found = problem(
        ("upper:", "data: {a: {file: a.npy}, M: [[1, 2], [3, 4]]}\nupper:"),
        ("start: 1", "start: a, lower: 0, upper: 2*a"),
        ("dot(x, y)", "dot(M @ x, y)"),
    )
    np.testing.assert_array_equal(found.upper_blocks[0].start, [0.5, 2])
    np.testing.assert_array_equal(found.upper_set.upper, [1, 4])
    assert found.lower(np.array([1.0, 0.0, 1.0, 1.0])) == 1 - 4


def test_a_start_may_lie_outside_of_its_set(problem):
    assert problem(("start: 1", "start: 5, upper: 3")).upper_blocks[0].start.tolist() == [5, 5]


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("simplex", [0.5, 0.5], [1, 1]),
        ("{simplex: 2*3}", [6, 0], [1, 0]),
        ("{ball: {radius: 2}}", [0, 2], [2, 2]),
        ("{ball: {center: [1, 1], radius: 1}}", [2, 1], [2.5, 1]),
        ("{affine: {A: [[1, 1]], b: 3}}", [1, 2], [1, 1]),
        ("{affine: {A: M, b: [3, 7]}}", [1, 1], [0, 1]),
        ("{polyhedron: {A: M, upper: [3, 7]}}", [1, 1], [2, 2]),
        ("{polyhedron: {A: [[1, 1]], lower: 0, upper: 1}}", [0, 1], [-1, 0]),
    ],
)
def test_sets(problem, entry, inside, outside):
    found = problem(("upper:", "data: {M: [[1, 2], [3, 4]]}\nupper:"), ("start: 1", f"set: {entry}")).upper_set
    assert found.violation(np.array(inside, dtype=float)) < 1e-12
    assert found.violation(np.array(outside, dtype=float)) > 0.1


def test_sets_of_several_blocks(problem):
    found = problem(("{x: {shape: 2, start: 1}}", "{x: {shape: 2, set: simplex}, w: {}, v: {shape: 2, lower: 0}}"))
    assert isinstance(found.upper_set, Product)
    assert [(part.start, part.stop, type(one)) for part, one in found.upper_set.parts] == [(0, 2, Simplex), (3, 5, Box)]


def test_set_whose_numbers_contradict_each_other(errors):
    (found,) = errors(("start: 1", "set: {affine: {A: [[1, 1], [1, 1]], b: [0, 1]}}"))
    assert found.startswith("problem.yaml:5:34: upper.variables.x.set: ")


def test_rows_have_names(problem):
    found = problem(("\n    balance: sum(x) + sum(y) == 0", ' {a: x <= y, b: "0 <= x[0] <= 1", c: "x <= y <= 2"}'))
    assert sorted(found.lower_constraints.names) == sorted(
        ["a[0]", "a[1]", "b", "b", "c.1[0]", "c.1[1]", "c.2[0]", "c.2[1]"]
    )


def test_expected_answer(problem):
    found = problem(
        (
            "solverkit: 1",
            "solverkit: 1\nparameters: {n: 2}\nexpect: {objective: 0.5*n, lower_objective: 3, "
            "point: {x: n}, tolerance: 1e-3}",
        )
    ).expected
    assert found["point"]["x"].tolist() == [2, 2]
    assert {name: value for name, value in found.items() if name != "point"} == {
        "objective": 1.0,
        "lower_objective": 3.0,
        "tolerance": 1e-3,
    }


def test_empty_sections(problem):
    found = problem(
        ("upper:", "parameters:\ndata:\nsource:\nexpect:\nupper:"), ("\n    balance: sum(x) + sum(y) == 0", "")
    )
    assert found.lower_constraints.count == 0


def test_numbers_as_expressions(problem):
    assert problem(("0.5*sum((x - y)**2)", "3")).upper(np.zeros(4)) == 3


def test_a_file_elsewhere_finds_its_data(folder, good):
    (folder / "sub").mkdir()
    np.save(folder / "sub" / "a.npy", np.ones(2))
    (folder / "sub" / "problem.yml").write_text(good.replace("upper:", "data: {a: {file: a.npy}}\nupper:", 1))
    assert load("sub/problem.yml").n == 2
    (folder / "sub" / "a.npy").write_bytes(b"")
    with pytest.raises(InvalidProblem, match=r"^sub/problem\.yml:4:11: data\.a: 'a\.npy': not a \.npy file"):
        load("sub/problem.yml")


# -- from Python

LOWER = {"variables": {"y": {"shape": 2}}, "minimize": "0.5*sum(y**2) - dot(x, y)"}
UPPER = {"variables": {"x": {"shape": 2, "start": np.ones(2)}}, "minimize": "sum((x - y)**2)"}


def test_built_from_texts_equals_the_file(problem):
    lower = {**LOWER, "subject_to": {"balance": "sum(x) + sum(y) == 0"}}
    built = bilevel(upper={**UPPER, "minimize": "0.5*sum((x - y)**2)"}, lower=lower, name="other")
    assert built.fingerprint() == problem().fingerprint()


def test_built_with_data_and_parameters():
    built = bilevel(
        upper={**UPPER, "minimize": "k*sum(A @ x) + sum(y)"},
        lower=LOWER,
        data={"A": np.eye(2)},
        parameters={"k": 3},
        expect={"objective": "2*k", "point": {"x": 1}},
    )
    assert built.upper(np.array([1.0, 1, 1, 1])) == 8
    assert built.expected["objective"] == 6


def test_built_from_torch_functions():
    pytest.importorskip("torch")
    built = bilevel(
        upper={**UPPER, "minimize": lambda x, y: ((x - y) ** 2).sum()},
        lower={
            **LOWER,
            "minimize": {"python": lambda x, y: 0.5 * (y * y).sum() - x @ y, "degree": 2},
            "subject_to": {
                "inequality": {"python": lambda x, y: x.sum() - y.sum() - 1, "degree": 1},
                "equality": {"python": lambda x, y: x - y, "degree": 1},
            },
        },
    )
    z = np.array([1.0, 2.0, 3.0, 5.0])
    assert built.upper(z) == 13
    assert {"quadratic-lower", "affine-constraints"} <= built.provides
    np.testing.assert_array_equal(built.lower_rows(z), [-6, -2, -3])
    assert built.lower_constraints.inequalities == 1
    assert built.lower_constraints.names == ("inequality[0]", "equality[0]", "equality[1]")
    np.testing.assert_array_equal(built.lower_rows_jacobian(z).toarray()[0], [1, 1, -1, -1])


def test_a_false_degree_is_refused():
    pytest.importorskip("torch")
    cubic = {"python": lambda x, y: (x**3).sum(), "degree": 2}
    with pytest.raises(InvalidProblem, match=r"^bilevel: upper\.minimize: is not of degree 2: its derivatives differ"):
        bilevel(upper={**UPPER, "minimize": cubic}, lower=LOWER)
    with pytest.raises(InvalidProblem, match=r"^bilevel: upper\.minimize\.degree: must be 0, 1 \(affine\) or 2"):
        bilevel(upper={**UPPER, "minimize": {**cubic, "degree": 3}}, lower=LOWER)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"minimize": "sum(q)"}, "upper.minimize: unknown name 'q' (variables here: x, y)"),
        ({"minimise": "x"}, "upper.minimise: unknown key; did you mean 'minimize'?"),
        ({"minimize": {"python": "model.py:F"}}, "upper.minimize: needs the function itself here"),
        ({"minimize": lambda x, z: x.sum()}, "upper.minimize: the Python function cannot be used: UsageError: "),
        ({"variables": {"x": {"shape": 2, "start": np.array([1.0, np.nan])}}}, "upper.variables.x.start: NaN is not"),
        ({"variables": {"x": {"shape": 2, "start": "abc"}}}, "upper.variables.x.start: unknown name 'abc'"),
        ({"subject_to": {"a": lambda x, y: x}}, "upper.subject_to.a: beside Python constraints there are only"),
    ],
)
def test_defects_of_built_problems(change, expected):
    with warnings.catch_warnings(), pytest.raises(InvalidProblem) as caught:
        bilevel(upper={**UPPER, **change}, lower=LOWER)
    assert str(caught.value).startswith(f"bilevel: {expected}")


def test_names_of_data_are_checked():
    with pytest.raises(InvalidProblem, match=r"^bilevel: data\.sum: 'sum' is a function"):
        bilevel(upper=UPPER, lower=LOWER, data={"sum": np.ones(2)})
