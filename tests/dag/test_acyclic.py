"""Orders, paths and varsortability against networkx and powers of the matrix of edges."""

from __future__ import annotations

import networkx
import numpy as np
import pytest

from solverkit.kinds.dag.acyclic import closure, topological_order
from solverkit.kinds.dag.varsortability import varsortability

SIZES = [1, 2, 7, 8, 9, 17]  # bits are packed in bytes


def random_graph(rng, d, share=0.3):
    edges, order = np.zeros((d, d), dtype=bool), rng.permutation(d)
    edges[np.ix_(order, order)] = np.triu(rng.random((d, d)) < share, 1)
    return edges


def graph_of(edges):
    return networkx.from_numpy_array(edges, create_using=networkx.DiGraph)


@pytest.mark.parametrize("d", SIZES)
def test_the_free_variable_of_least_index_comes_first(d):
    rng = np.random.default_rng(d)
    for _ in range(10):
        edges = random_graph(rng, d)
        given = edges.copy()
        expected = list(networkx.lexicographical_topological_sort(graph_of(edges)))
        assert topological_order(edges).tolist() == expected
        np.testing.assert_array_equal(edges, given)


@pytest.mark.parametrize("d", SIZES)
def test_the_closure_is_every_path(d):
    rng = np.random.default_rng(d)
    for share in (0.0, 0.1, 0.3, 1.0):
        edges = random_graph(rng, d, share)
        given, found = edges.copy(), closure(edges)
        graph = graph_of(edges)
        for i in range(d):
            assert set(np.flatnonzero(found[i])) == networkx.descendants(graph, i)
        np.testing.assert_array_equal(edges, given)


@pytest.mark.parametrize("cycle", [[(0, 0)], [(0, 1), (1, 0)], [(3, 4), (4, 5), (5, 3)], [(0, 5), (5, 4), (4, 5)]])
def test_a_cycle_has_neither_order_nor_closure(cycle):
    edges = np.zeros((6, 6), dtype=bool)
    edges[2, 3] = True
    for edge in cycle:
        edges[edge] = True
    assert topological_order(edges) is None
    with pytest.raises(ValueError, match="cycle"):
        closure(edges)


def sorted_share(variance, edges):
    """Reisach and others, section 3: for each length the pairs that a path of it joins."""
    d, good, total, paths = len(edges), 0.0, 0.0, edges.astype(int)
    for _ in range(1, d):
        for i, j in np.argwhere(paths > 0):
            total += 1
            good += 0.5 if variance[i] == variance[j] else variance[i] < variance[j]
        paths = paths @ edges.astype(int)
    return good / total


def test_varsortability_is_the_share_of_paths_along_which_variance_grows():
    rng = np.random.default_rng(0)
    for _ in range(40):
        d = int(rng.integers(2, 9))
        edges = random_graph(rng, d, 0.6)
        if edges.any():
            variance = rng.integers(1, 5, d).astype(float)
            for unit in (1e-8, 1.0, 1e8):
                found = varsortability(np.diag(unit * variance), edges)
                assert found == pytest.approx(sorted_share(variance, edges), abs=1e-14)


@pytest.mark.parametrize(("growth", "share"), [(1e-12, 0.5), (-1e-12, 0.5), (1e-6, 1.0), (-1e-6, 0.0)])
def test_variances_that_differ_by_rounding_are_tied(growth, share):
    edge = np.array([[False, True], [False, False]])
    assert varsortability(np.diag([7.0, 7.0 * (1 + growth)]), edge) == share


def test_without_edges_there_is_no_varsortability():
    assert np.isnan(varsortability(np.eye(3), np.zeros((3, 3), dtype=bool)))
