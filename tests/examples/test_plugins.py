"""The example plugins of the docs: what they register works, in the process. `make packages` installs them."""

from __future__ import annotations

import importlib
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

import solverkit as sk
from solverkit.registry import registry

PLUGINS = Path(__file__).parents[2] / "docs" / "examples" / "plugins"
NAMES = sorted(path.parent.name for path in PLUGINS.glob("*/pyproject.toml"))


@pytest.fixture
def plugins(monkeypatch):
    """All of them, registered."""
    before = set(sys.modules)
    with ExitStack() as stack:
        for name in NAMES:
            monkeypatch.syspath_prepend(PLUGINS / name / "src")
            stack.enter_context(registry.using(importlib.import_module(f"{name.replace('-', '_')}.plugin"), name))
        yield
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {each.replace("-", "_") for each in NAMES}:
            del sys.modules[name]


def test_there_is_one_of_each_sort(plugins):
    assert {spec.name for spec in registry.kinds()} >= {"assignment"}
    assert {spec.name for spec in registry.methods("assignment")} == {"auction", "shortest-augmenting-paths"}
    assert {spec.name for spec in registry.sources()} >= {"city-distances"}
    assert {spec.name for spec in registry.commands()} >= {"list-runs"}


def test_a_kind_a_method_and_a_source_work_together(plugins, tmp_path):
    file = tmp_path / "problem.yaml"
    file.write_text(
        "solverkit: 1\nkind: assignment\nname: trips\n"
        "data: {D: {generate: city-distances, size: 12, seed: 3}}\ncost: D\n"
    )
    problem = sk.load(file)
    results = [sk.solve(problem, name) for name in ("auction", "shortest-augmenting-paths")]
    assert all(result.success for result in results)
    assert results[0].fun == pytest.approx(results[1].fun, abs=1e-5)
    assert problem.objective(problem.start(None)) == 0.0  # everybody stays at home
    wrong = dict(results[0].point)
    wrong["match"] = wrong["match"][::-1].copy()
    certificate = registry.kind("assignment").certify(problem, wrong, 1e-6, 0)
    assert certificate.status is not sk.PointStatus.CERTIFIED
