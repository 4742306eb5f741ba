"""Data as they come: a right answer, or one clear error, from a frame, from a file and from the command line."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import solverkit as sk
from solverkit.cli.run import run
from solverkit.formats.load import load
from solverkit.kinds.dag import dag
from solverkit.kinds.dag.findings import remarks
from solverkit.kinds.dag.generators import linear_sem

X = linear_sem(d=5, edges=1, n=100, seed=0)["X"]
RNG = np.random.default_rng(0)
HOLES = np.where(RNG.random(X.shape) < 0.02, np.nan, X)
SCORES = ("least-squares", "bic")


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        (np.column_stack([X, np.ones(100)]), sk.InvalidProblem, "constant columns.*column 5"),
        (pd.DataFrame({"a": X[:, 0], "b": 1.0}), sk.InvalidProblem, "constant columns.*'b'"),
        (HOLES, sk.InvalidProblem, r"\[\d+,\d\] is nan, as are \d+ others: remove or fill in"),
        (pd.DataFrame(HOLES), sk.InvalidProblem, "is nan, as are"),
        (pd.DataFrame({"a": [1, None, 3], "b": [2, 3, 5]}, dtype="Int64"), sk.InvalidProblem, "is nan"),
        (np.where(X[0, 0] == X, np.inf, X), sk.InvalidProblem, r"\[0,0\] is inf"),
        (X[:1], sk.InvalidProblem, "there is one sample"),
        (X[:0], sk.InvalidProblem, "there are no rows"),
        (X[:, :0], sk.InvalidProblem, "rows by columns"),
        (X[:, 0], sk.InvalidProblem, "rows by columns"),
        (X * [1e160, 1e-160, 1, 1, 1], sk.InvalidProblem, "squares of column 0, column 1 do not fit"),
        (X + 1j, sk.UsageError, "hold complex128"),
        (np.array([["a", "b"], ["c", "d"]]), sk.UsageError, "only real numbers"),
        ([[1.0, 2.0], [3.0]], sk.UsageError, "rows of different lengths"),
        (pd.DataFrame({"a": X[:, 0], "c": pd.Categorical(RNG.choice(["x", "y"], 100))}), sk.UsageError, "'c' hold no"),
        (pd.DataFrame(X).astype(object), sk.UsageError, "infer_objects"),
        (pd.DataFrame(X, columns=list("aabcd")), sk.InvalidProblem, "'a' is named twice"),
        (pd.DataFrame(X, columns=["x" * 500, *"abcd"]), sk.InvalidProblem, "1 to 200 characters, not 500"),
    ],
)
def test_what_cannot_be_used_is_one_error(given, error, text, score):
    with pytest.raises(error, match=text) as caught:
        sk.dag.fit(given, score=score)
    assert len(getattr(caught.value, "defects", [0])) == 1


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    "given",
    [
        X[:, :1],
        X[:, :2],
        X.tolist(),
        X.astype(np.float32),
        pd.DataFrame((10 * X).astype(int)),
        pd.DataFrame((10 * X).astype(int)).astype("Int64"),
        pd.DataFrame(X > 0),
    ],
    ids=["one", "two", "lists", "float32", "integers", "nullable", "bool"],
)
def test_what_can_be_used_is_certified(given, score):
    learnt = sk.dag.fit(given, score=score)
    assert learnt.result_.point_status.name == "CERTIFIED"
    assert np.isfinite(learnt.adjacency_).all()


@pytest.mark.parametrize("score", SCORES)
def test_units_do_not_break_anything_and_do_not_matter_to_bic(score):
    units = np.array([1e12, 1e-9, 1, 1e6, 1e-3])
    learnt = sk.dag.fit(X * units, score=score)
    assert learnt.result_.point_status.name == "CERTIFIED"
    if score == "bic":
        plain = sk.dag.fit(X, score="bic")
        np.testing.assert_allclose(learnt.adjacency_ * units[:, None] / units, plain.adjacency_, atol=1e-8)


def test_fewer_samples_than_variables_and_duplicates():
    few = linear_sem(d=12, edges=1, n=8, seed=0)["X"]
    learnt = sk.dag.fit(few)
    assert learnt.result_.point_status.name == "CERTIFIED"
    assert "8 samples of 12 variables" in " ".join(remarks(learnt.problem_, learnt.result_.point))
    twice = np.column_stack([X, X[:, 0]])
    assert sk.dag.fit(twice).result_.point_status.name == "CERTIFIED"
    for given, named in ((few, "8 samples, 12 variables"), (twice, "nothing is left of x5")):
        with pytest.raises(sk.UsageError, match=named):
            sk.dag.fit(given, score="bic")


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_constant_binary_columns_are_refused(value):
    with pytest.raises(sk.InvalidProblem, match="constant columns"):
        dag(np.column_stack([X > 0, np.full(100, value)]), score="logistic")


def test_names_with_anything_in_them_come_through_all_outputs(tmp_path):
    names = ["a,b", "<b>&amp;</b>", '"quoted"', "=cmd()", "x" * 200]
    learnt = sk.dag.fit(pd.DataFrame(X, columns=names))
    assert list(learnt.feature_names_in_) == names
    learnt.save(tmp_path)
    ElementTree.fromstring((tmp_path / "graph.svg").read_text())
    told = pd.read_csv(tmp_path / "edges.csv")
    assert set(told["from"]) | set(told["to"]) <= {name.replace("=", "'=") for name in names}
    graph = ElementTree.parse(tmp_path / "graph.graphml").getroot()
    assert [node[0].text for node in graph.iter("{http://graphml.graphdrawing.org/xmlns}node")] == names


FILE = "solverkit: 1\nkind: dag\nname: p\nsamples: X\ndata: {X: {file: s.csv}}\nscore: bic\n"


def written(folder, header, rows):
    lines = [header] if header else []
    lines += [",".join(map(str, row)) for row in rows]
    (folder / "s.csv").write_text("\n".join(lines) + "\n")
    (folder / "p.yaml").write_text(FILE)
    return folder / "p.yaml"


def test_a_header_names_the_variables(tmp_path):
    rows = X[:, :3].tolist()
    assert load(written(tmp_path, 'age,"dose, mg",effect', rows)).names == ("age", "dose, mg", "effect")
    assert load(written(tmp_path, "", rows)).names == ("x0", "x1", "x2")
    path = written(tmp_path, "age,dose,effect", rows)
    path.write_text(FILE + "variables: [a, b, c]\n")
    assert load(path).names == ("a", "b", "c")
    with pytest.raises(sk.InvalidProblem, match="the header: 'age' is named twice; give `variables:`"):
        load(written(tmp_path, "age,age,effect", rows))


@pytest.mark.parametrize(
    ("header", "rows", "text"),
    [
        ("a,b", [[1, 2], [3, "nan"], [4, 5]], "s.csv:3:3"),
        ("a,b", [[1, 2], [3, ""], [4, 5]], "s.csv:3:3"),
        ("a,b", [[1, "red"], [2, "blue"]], "'red' is not a number"),
        ("a,b", [[1, 7], [2, 7], [3, 7]], "constant columns explain nothing and are explained by nothing: remove 'b'"),
        ("a,b", [[1, 2]], "there is one sample"),
        ("a", [[1], [2], [4]], "rows by columns"),
    ],
)
def test_the_command_line_says_the_same(tmp_path, capsys, header, rows, text):
    assert run(["solve", str(written(tmp_path, header, rows))]) != 0
    said = " ".join(capsys.readouterr().err.split())
    assert text in said
    assert "Traceback" not in said


def test_the_command_line_learns_from_a_table(tmp_path, capsys):
    path = written(tmp_path, "a,b,c", X[:, :3].tolist())
    assert run(["solve", str(path), "--out", str(tmp_path / "r"), "--quiet"]) == 0
    assert "CERTIFIED" in capsys.readouterr().out
    assert (tmp_path / "r" / "edges.csv").read_text().startswith("from,to,weight,direction")
