"""The core keeps what it promises to plugins; and a core that breaks it on purpose is found out."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from solverkit import plugin
from solverkit.engine import loop
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit.registry import hookspecs
from tests.promise.content import RECORDS, differences, promise, stored

ROOT = Path(__file__).parents[2]
REMEDY = (
    "The promise to plugins changed. What is gone or other breaks them: raise API in solverkit/registry/specs.py and "
    "say so in docs/reference/plugin-promise.md. What is new does not. Then: python -m tests.promise"
)


def broken() -> list[str]:
    """What a plugin's author would notice."""
    return differences(stored(), json.loads(json.dumps(promise())))


def test_the_promise_is_kept():
    assert not broken(), REMEDY


def test_a_field_of_a_record_is_renamed(monkeypatch):
    fields = [(field.name, field.type, field) for field in dataclasses.fields(plugin.KindSpec)]
    renamed = [("title" if name == "summary" else name, kind) for name, kind, _ in fields]
    other = dataclasses.make_dataclass("KindSpec", renamed, frozen=True)
    monkeypatch.setattr("tests.promise.content.RECORDS", (plugin.SolverSpec, other))
    assert {"records.KindSpec.summary is gone", "records.KindSpec.title is new"} <= set(broken())


def test_fields_of_a_record_change_places(monkeypatch):
    swapped = [(name, str) for name in ("name", "target", "summary")]
    other = dataclasses.make_dataclass("KindSpec", [*swapped, ("api", int, 1)], frozen=True)
    monkeypatch.setattr("tests.promise.content.RECORDS", (plugin.SolverSpec, other, *RECORDS[2:]))
    order = "was name, summary, target, api, is name, target, summary, api"
    assert broken() == [f"the order of records.KindSpec {order}"]


def test_a_hook_is_dropped_or_asks_for_more(monkeypatch):
    monkeypatch.delattr(hookspecs, "solverkit_sources")
    monkeypatch.setattr(hookspecs, "solverkit_solvers", lambda config: [])
    assert {"hooks.solverkit_sources is gone", "hooks.solverkit_solvers was '()', is '(config)'"} <= set(broken())


def test_an_argument_of_a_method_is_added(monkeypatch):
    def step(self, problem, state, ctx, clock):
        raise NotImplementedError

    monkeypatch.setattr(plugin.Solver, "step", step)
    assert any(line.startswith("protocols.Solver.step was") for line in broken())


def test_what_a_kind_relies_on_is_taken_away(monkeypatch):
    monkeypatch.delattr(plugin.Certificate, "__getitem__")
    monkeypatch.delitem(plugin.Problem.__annotations__, "oracles")
    monkeypatch.setattr(plugin.Kind, "certify", lambda self, problem, point, tol: None)
    assert set(broken()) == {
        "protocols.Certificate.__getitem__ is gone",
        "protocols.Problem.oracles is gone",
        "protocols.Kind.certify was '(self, problem, point, tol, seed)', is '(self, problem, point, tol)'",
    }


def test_an_oracle_of_the_core_is_renamed_or_counted_elsewhere(monkeypatch):
    others = {"function" if name == "value" else name: word for name, word in Nonlinear.oracles.items()}
    monkeypatch.setattr(Nonlinear, "function", Nonlinear.value, raising=False)
    monkeypatch.delattr(Nonlinear, "value")
    monkeypatch.setattr(Nonlinear, "oracles", {**others, "gradient": "nfev"})
    gone = "problems.nonlinear.value is gone"
    counted = "problems.nonlinear.gradient was '(self, x), njev', is '(self, x), nfev'"
    assert {gone, "problems.nonlinear.function is new", counted} <= set(broken())


def test_calls_of_the_oracles_are_no_longer_counted(monkeypatch):
    monkeypatch.setattr("solverkit.engine.counting.Ledger.counts", lambda self: {})
    assert any(line.startswith("calls.a run was") and "0 calls" in line for line in broken())


def test_the_driver_calls_in_another_order(monkeypatch):
    finish = loop.StepLoop.finish

    def twice(self, outcome):
        finish(self, outcome)
        return finish(self, outcome)

    monkeypatch.setattr(loop.StepLoop, "finish", twice)
    assert any(line.startswith("calls.a run was") for line in broken())


@pytest.mark.parametrize("name", ["Stop", "hookimpl"])
def test_a_public_name_is_taken_away(name, monkeypatch):
    monkeypatch.setattr(plugin, "__all__", [each for each in plugin.__all__ if each != name])
    assert any(line.startswith("names was") for line in broken())


IMPORT = re.compile(r"^\s*(?:from (solverkit[\w.]*) import|import (solverkit[\w.]*))", re.MULTILINE)
WRITTEN = [
    *ROOT.glob("solverkit/scaffold/templates/*/*.py.in"),
    *ROOT.glob("docs/examples/plugins/*/src/*/*.py"),
    *ROOT.glob("docs/examples/plugins/*/tests/*.py"),
]


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: str(file.relative_to(ROOT)))
def test_our_own_examples_import_what_is_promised(file):
    modules = {first or second for first, second in IMPORT.findall(file.read_text())}
    assert modules <= {"solverkit", "solverkit.plugin", "solverkit.testing"}
