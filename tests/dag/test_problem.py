"""Files, Python, data frames, and what is wrong with them; generators; exact graph questions."""

from __future__ import annotations

from pathlib import Path

import networkx
import numpy as np
import pandas as pd
import pytest

from solverkit.errors import InvalidProblem, UsageError
from solverkit.formats.load import load
from solverkit.kinds.dag import dag
from solverkit.kinds.dag.acyclic import closure, topological_order
from solverkit.kinds.dag.generators import NOISES, linear_sem, logistic_sem, mlp_sem, random_graph
from solverkit.kinds.dag.gram import moments
from solverkit.kinds.dag.knowledge import Knowledge
from solverkit.kinds.dag.varsortability import varsortability

PROBLEMS = Path(__file__).parents[2] / "problems" / "dag"
X = np.random.default_rng(0).normal(size=(50, 3)) @ np.array([[1.0, 2, 0], [0, 1, 1], [0, 0, 1]])


@pytest.mark.parametrize("path", sorted(PROBLEMS.glob("*/problem.yaml")), ids=lambda path: path.parent.name)
def test_shipped_files_load(path):
    problem = load(path)
    start = problem.start(np.random.default_rng(0))
    assert start["W"].shape == (problem.d, problem.d)
    assert problem.known.allows(start["order"].astype(int))
    assert problem.score == "mlp" or np.isfinite(problem.objective(start))


def test_a_gram_matrix_asks_the_same_as_its_samples():
    whole = dag(X)
    half = dag(gram=whole.gram, count=50)
    W = np.triu(np.ones((3, 3)), 1)
    assert half.score_of(W) == whole.score_of(W)
    assert half.provides == whole.provides - {"samples"}


def test_frames_bring_their_names():
    problem = dag(pd.DataFrame(X, columns=["age", "dose", "effect"]), tiers=[["age"], ["dose", "effect"]])
    assert problem.names == ("age", "dose", "effect")
    assert problem.known.forbidden[1, 0]
    assert not problem.known.forbidden[0, 1]
    with pytest.raises(UsageError, match="'colour' hold no numbers"):
        dag(pd.DataFrame({"a": [1.0, 2.0], "colour": ["red", "blue"]}))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "give `samples`, or `gram` and `count`"),
        ({"samples": np.array([[1.0, np.nan], [0, 1]])}, r"\[0,1\] is nan: remove or fill in missing values"),
        ({"samples": np.column_stack([X, np.ones(50)])}, "constant columns.*remove column 3"),
        ({"samples": X, "score": "logistic"}, "for 0 and 1"),
        ({"samples": X, "variables": ["a", "b"]}, "names 2 variables, and the data have 3 columns"),
        ({"samples": X, "variables": ["a", "b", "a"]}, "'a' is named twice"),
        ({"samples": X, "forbidden": [("x0", "x9")]}, "no variable 'x9'"),
        ({"samples": X, "required": [("x0", "x1"), ("x1", "x0")]}, "required edges have a cycle"),
        ({"samples": X, "required": [("x0", "x1")], "forbidden": [("x0", "x1")]}, "required and forbidden"),
        ({"samples": X, "tiers": [["x0"], ["x0"]]}, "in two tiers"),
        ({"gram": np.eye(3)}, "needs `count`"),
        ({"gram": -np.eye(3), "count": 5}, "never varies"),
        ({"gram": np.array([[1, 2.0], [2, 1]]), "count": 5}, "eigenvalue"),
        ({"gram": np.array([[1, 0.5], [0, 1]]), "count": 5}, "not symmetric"),
        ({"gram": np.eye(3), "count": 5, "score": "mlp"}, "needs `samples`"),
        ({"samples": X, "gram": np.eye(3)}, "goes without `samples`"),
        ({"samples": X, "penalty": {"l1": -1}}, "0 or more"),
        ({"samples": X, "score": "bge"}, "'least-squares', 'bic', 'logistic' or 'mlp'"),
    ],
)
def test_bad_input_is_one_clear_error(arguments, text):
    with pytest.raises(InvalidProblem, match=text):
        dag(**arguments)


def test_a_file_names_the_place(tmp_path):
    (tmp_path / "s.csv").write_text("a,b\n1,2\n3,x\n")
    (tmp_path / "p.yaml").write_text("solverkit: 1\nkind: dag\nname: p\nsamples: X\ndata: {X: {file: s.csv}}\n")
    with pytest.raises(InvalidProblem, match=r"s\.csv:3:3"):
        load(tmp_path / "p.yaml")


def test_pieces_give_the_moments_of_the_whole():
    rng = np.random.default_rng(1)
    table = rng.normal(size=(1000, 4)) * [1, 10, 1e-3, 5] + [0, 1e6, 3, -2]
    for center in (True, False):
        found = moments(np.array_split(table, 7), center=center)
        apart = table - table.mean(axis=0) if center else table
        np.testing.assert_allclose(found.gram, apart.T @ apart / 1000, rtol=1e-9)
        assert found.n == 1000
    with pytest.raises(UsageError, match="row 3, column 1 is nan"):
        moments([np.zeros((2, 2)), np.array([[0, 0], [0, np.nan]])])
    with pytest.raises(UsageError, match="no samples"):
        moments([])


def test_a_streamed_million_rows_need_no_million_rows_of_memory():
    import tracemalloc

    rng = np.random.default_rng(0)
    tracemalloc.start()
    found = moments(rng.normal(size=(5000, 20)) for _ in range(40))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.n == 200_000
    assert peak < 5 * 5000 * 20 * 8


@pytest.mark.parametrize("graph", ["ER", "SF"])
def test_random_graphs_have_the_edges_that_were_asked_for(graph):
    rng = np.random.default_rng(0)
    masks = [random_graph(rng, 30, 3, graph) for _ in range(40)]
    assert all(topological_order(mask) is not None for mask in masks)
    assert np.mean([mask.sum() for mask in masks]) == pytest.approx(90, rel=0.1)
    with pytest.raises(ValueError, match="at most"):
        random_graph(rng, 4, 3, graph)


@pytest.mark.parametrize("noise", NOISES)
def test_linear_samples_have_the_covariance_of_the_model(noise):
    made = linear_sem(d=6, edges=1.5, n=200_000, noise=noise, seed=3)
    A = np.linalg.inv(np.eye(6) - made["W"])
    np.testing.assert_allclose(np.cov(made["X"].T), A.T @ A, rtol=0.05, atol=0.15)


def test_other_models_depend_on_parents_alone():
    made = logistic_sem(d=4, edges=1, n=20_000, seed=0)
    assert set(np.unique(made["X"])) == {0.0, 1.0}
    roots = np.flatnonzero(~(made["W"] != 0).any(axis=0))
    assert made["X"][:, roots].mean(axis=0) == pytest.approx(0.5, abs=0.02)
    nonlinear = mlp_sem(d=5, edges=1, n=100, seed=1)
    assert topological_order(nonlinear["W"] != 0) is not None
    np.testing.assert_array_equal(nonlinear["X"], mlp_sem(d=5, edges=1, n=100, seed=1)["X"])


def test_paths_and_orders_against_networkx():
    rng = np.random.default_rng(2)
    for _ in range(20):
        mask = rng.random((9, 9)) < 0.15
        graph = networkx.from_numpy_array(mask, create_using=networkx.DiGraph)
        order = topological_order(mask)
        assert (order is not None) == networkx.is_directed_acyclic_graph(graph)
        if order is None:
            continue
        expected = networkx.to_numpy_array(networkx.transitive_closure(graph)).astype(bool)
        np.testing.assert_array_equal(closure(mask), expected)
        place = np.argsort(order)
        assert (place[:, None] < place[None, :])[mask].all()


def test_orders_keep_to_tiers_and_required_edges():
    known = Knowledge.of(6, required=[(5, 0)], tiers=[[4, 5], [2, 3]])
    for seed in range(20):
        order = list(known.order(np.random.default_rng(seed)))
        assert order.index(5) < order.index(0)
        assert max(order.index(4), order.index(5)) < min(order.index(2), order.index(3))


def test_varsortability_counts_paths():
    edges = np.zeros((3, 3), dtype=bool)
    edges[0, 1] = edges[1, 2] = True
    assert varsortability(np.diag([1.0, 2, 3]), edges) == 1
    assert varsortability(np.diag([3.0, 2, 1]), edges) == 0
    assert varsortability(np.diag([1.0, 1, 1]), edges) == 0.5
    assert varsortability(np.diag([1.0, 3, 2]), edges) == pytest.approx(2 / 3)
    assert np.isnan(varsortability(np.eye(3), edges & False))
