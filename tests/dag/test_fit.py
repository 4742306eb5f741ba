"""`sk.dag.fit`: what it gives, under the names that users of scikit-learn and pandas expect."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import solverkit as sk
from solverkit.kinds.dag.generators import linear_sem

MADE = linear_sem(d=6, edges=1.5, n=800, seed=5)
NAMES = ["age", "dose", "heart rate", "salt", "pressure", "outcome"]


def test_names_and_shapes_come_through(tmp_path):
    learnt = sk.dag.fit(pd.DataFrame(MADE["X"], columns=NAMES))
    assert learnt.result_.success
    assert list(learnt.feature_names_in_) == NAMES
    assert learnt.n_features_in_ == 6
    assert learnt.distances(MADE["W"]).shd == 0
    np.testing.assert_allclose(learnt.adjacency_[MADE["W"] != 0], MADE["W"][MADE["W"] != 0], atol=0.2)
    assert set(learnt.graph_.nodes) == set(NAMES)
    assert list(learnt.to_frame().columns) == NAMES
    assert learnt.weights_.shape == learnt.cpdag_.shape == (6, 6)
    assert sorted(learnt.order_) == list(range(6))
    assert learnt.score_ == learnt.result_.fun
    assert learnt.varsortability_ > 0.8
    assert "heart rate" in learnt._repr_svg_()
    learnt.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"result.json", "graph.graphml", "edges.csv", "graph.svg"}


def test_bootstraps_give_shares_of_edges():
    learnt = sk.dag.fit(MADE["X"], bootstraps=8, seed=1)
    assert learnt.frequencies_.shape == (6, 6)
    assert set(np.unique(learnt.frequencies_ * 8)) <= set(range(9))
    assert (learnt.frequencies_[MADE["W"] != 0] > 0.5).all()
    again = sk.dag.fit(MADE["X"], bootstraps=8, seed=1)
    np.testing.assert_array_equal(learnt.frequencies_, again.frequencies_)
    assert "100 %" in learnt._repr_svg_()


def test_knowledge_binds():
    frame = pd.DataFrame(MADE["X"], columns=NAMES)
    i, j = np.argwhere(MADE["W"] != 0)[0]
    learnt = sk.dag.fit(frame, tiers=[[NAMES[j]], [name for name in NAMES if name != NAMES[j]]], score="bic")
    assert learnt.result_.success
    assert not learnt.adjacency_[:, j].any()
    assert learnt.adjacency_[j, i] != 0


def test_what_cannot_be_learnt_is_refused():
    with pytest.raises(sk.InvalidProblem, match="constant columns"):
        sk.dag.fit(np.ones((10, 3)))
    with pytest.raises(sk.UsageError, match="bootstraps is a number"):
        sk.dag.fit(MADE["X"], bootstraps=-1)
