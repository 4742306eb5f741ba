"""A metric, the same for the same seed, and usable from a problem file."""

from pathlib import Path

import numpy as np
from city_distances.source import distances

import solverkit as sk

FILE = """solverkit: 1
kind: nonlinear
name: nearest
data: {D: {generate: city-distances, size: 6, seed: 1}}
variables: {w: {shape: 6, start: 1}}
minimize: dot(w, D @ w)
"""


def test_it_is_a_metric() -> None:
    D = distances(12, seed=4)
    assert np.allclose(D, D.T)
    assert np.allclose(np.diag(D), 0)
    assert (D[:, :, None] <= D[:, None, :] + D[None, :, :].transpose(0, 2, 1) + 1e-9).all()
    assert D.max() <= np.pi * 6371
    assert np.array_equal(D, distances(12, seed=4))
    assert not np.array_equal(D, distances(12, seed=5))


def test_problem_files_generate_it(tmp_path: Path) -> None:
    (tmp_path / "problem.yaml").write_text(FILE)
    problem = sk.load(tmp_path / "problem.yaml")
    assert np.isclose(problem.objective({"w": np.ones(6)}), distances(6, 1).sum())
