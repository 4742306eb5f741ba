"""Markov classes, distances, pruning, pictures and files, against enumeration and linear algebra."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from xml.etree import ElementTree

import networkx
import numpy as np
import pytest

from solverkit.kinds.dag import dag
from solverkit.kinds.dag.acyclic import topological_order
from solverkit.kinds.dag.drawing import draw
from solverkit.kinds.dag.export import digraph, edge_list, graphml
from solverkit.kinds.dag.findings import files, remarks
from solverkit.kinds.dag.generators import linear_sem
from solverkit.kinds.dag.markov import consistent_extension, cpdag
from solverkit.kinds.dag.metrics import distances, shd, sid
from solverkit.kinds.dag.prune import pruned
from tests.dag.cases import problem, refitted


def every_dag(d):
    pairs = [(i, j) for i in range(d) for j in range(i)]
    for chosen in product((0, 1, 2), repeat=len(pairs)):
        edges = np.zeros((d, d), dtype=bool)
        for (i, j), way in zip(pairs, chosen, strict=True):
            edges[i, j], edges[j, i] = way == 1, way == 2
        if topological_order(edges) is not None:
            yield edges


def independences(edges):
    """Skeleton and v-structures: what a Markov class shares."""
    joined = edges | edges.T
    structures = {
        (i, k, j)
        for k in range(len(edges))
        for i in np.flatnonzero(edges[:, k])
        for j in np.flatnonzero(edges[:, k])
        if i < j and not joined[i, j]
    }
    return joined.tobytes(), frozenset(structures)


def test_classes_are_what_all_members_share():
    classes = defaultdict(list)
    for edges in every_dag(4):
        classes[independences(edges)].append(edges)
    assert len(classes) == 185
    for members in classes.values():
        for member in members:
            np.testing.assert_array_equal(cpdag(member), np.any(members, axis=0))


def test_a_member_of_every_class_is_found_and_of_nothing_else():
    for edges in every_dag(4):
        member = consistent_extension(cpdag(edges))
        assert independences(member) == independences(edges)
        assert topological_order(member) is not None
    square = np.zeros((4, 4), dtype=bool)  # undirected: whatever its directions, it has a collider or a cycle
    for i in range(4):
        square[i, (i + 1) % 4] = square[(i + 1) % 4, i] = True
    assert consistent_extension(square) is None
    assert consistent_extension(np.roll(np.eye(3, dtype=bool), 1, axis=1)) is None


def effects_wrong(found, truth, rng):
    """By covariances of a random linear model: regression on the parents against the effect itself."""
    d = len(truth)
    W = np.where(truth, rng.uniform(0.5, 2, (d, d)) * rng.choice([-1, 1], (d, d)), 0)
    A = np.linalg.inv(np.eye(d) - W)
    S, wrong = A.T @ A, 0
    for i, j in product(range(d), repeat=2):
        if i != j:
            use = [i, *np.flatnonzero(found[:, i])]
            claimed = 0.0 if found[j, i] else np.linalg.solve(S[np.ix_(use, use)], S[use, j])[0]
            wrong += abs(claimed - A[i, j]) > 1e-9
    return wrong


def random_dag(rng, d):
    edges, order = np.zeros((d, d), dtype=bool), rng.permutation(d)
    edges[np.ix_(order, order)] = np.triu(rng.random((d, d)) < 0.4, 1)
    return edges


def test_intervention_distance_counts_wrong_effects():
    rng = np.random.default_rng(0)
    for _ in range(150):
        found, truth = random_dag(rng, 6), random_dag(rng, 6)
        assert sid(found, truth) == effects_wrong(found, truth, rng)


def test_distances_of_small_graphs():
    chain = np.zeros((3, 3), dtype=bool)
    chain[0, 1] = chain[1, 2] = True
    assert distances(chain, chain) == type(distances(chain, chain))(0, 0, 0, 1.0, 1.0)
    backward = distances(chain.T, chain)
    assert (backward.shd, backward.cpdag_shd) == (2, 0)
    assert backward.precision == backward.recall == 0
    assert shd(np.zeros((3, 3), dtype=bool), chain) == 2


@pytest.mark.parametrize("score", ["least-squares", "bic"])
def test_pruning_finds_the_graph_of_the_true_order(score):
    subject = problem(d=12, n=2000, seed=6, score=score)
    order = topological_order(subject.truth != 0)
    kept = pruned(subject, refitted(subject, order))
    extra = (kept != 0) & (subject.truth == 0)
    assert not ((kept == 0) & (subject.truth != 0)).any()
    assert extra.sum() <= (0 if score == "least-squares" else 4)
    for j in range(12):
        parents = np.flatnonzero(kept[:, j])
        slopes = np.linalg.lstsq(subject.samples[:, parents], subject.samples[:, j], rcond=None)[0]
        np.testing.assert_allclose(kept[parents, j], slopes, rtol=1e-8)


def test_many_parents_are_pruned_alike(monkeypatch):
    """Idle parents may go together first, and the graph that is left is the one of going one by one."""
    made = linear_sem(d=60, edges=3, n=1000, seed=2)
    subject = dag(made["X"], truth=made["W"])
    W = refitted(subject, topological_order(made["W"] != 0))
    together = pruned(subject, W)
    monkeypatch.setattr("solverkit.kinds.dag.prune.MANY", 10_000)
    np.testing.assert_array_equal(together != 0, pruned(subject, W) != 0)


def test_dependent_columns_do_not_break_pruning():
    made = linear_sem(d=4, edges=1, n=300, seed=0)
    X = np.column_stack([made["X"], made["X"][:, 0]])
    subject = dag(X)
    W = np.triu(np.ones((5, 5)), 1)
    assert np.isfinite(pruned(subject, W)).all()


def test_files_are_read_by_others(tmp_path):
    W = np.array([[0, 1.5, 0], [0, 0, -0.25], [0, 0, 0]])
    names = ("dose <mg>", "=cmd()", "effect")
    text = graphml(W, names)
    (tmp_path / "g.graphml").write_text(text)
    graph = networkx.read_graphml(tmp_path / "g.graphml")
    assert [graph.nodes[node]["name"] for node in graph] == list(names)
    assert graph.edges["n0", "n1"]["weight"] == 1.5
    assert edge_list(W, names).splitlines()[1:] == ["dose <mg>,'=cmd(),1.5,given", "'=cmd(),effect,-0.25,given"]
    assert dict(digraph(W, names).edges) == {
        ("dose <mg>", "=cmd()"): {"weight": 1.5},
        ("=cmd()", "effect"): {"weight": -0.25},
    }


def test_the_picture_has_every_variable_and_edge():
    W = np.array([[0, 1.5, 0, 0], [0, 0, -0.25, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    root = ElementTree.fromstring(draw(W, ("a", "<b>", "c" * 40, "alone"), np.full((4, 4), 0.5)))
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("50 %") == 2
    assert {"a", "<b>", "alone"} <= set(texts)
    with pytest.raises(ValueError, match="cycle"):
        draw(W + W.T, ("a", "b", "c", "d"))


def test_remarks_warn_of_sorted_variances_and_measure_against_the_truth():
    subject = problem(d=8, n=1000, seed=3)
    W = refitted(subject, topological_order(subject.truth != 0))
    said = " ".join(remarks(subject, {"W": W}))
    assert "varsortability 1.00" in said or "varsortability 0.9" in said
    assert "SHD 0" in said
    assert set(files(subject, {"W": W})) == {"graph.graphml", "edges.csv", "graph.svg"}
    scaled = dag(subject.samples, standardize=True, score="bic")
    assert "varsortability" not in " ".join(remarks(scaled, {"W": W}))
    assert "0 edges" in remarks(subject, {"W": np.ones((8, 8))})[0]
