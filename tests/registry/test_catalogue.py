"""Look-ups in one process: names, fits, defaults, generators, threads."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from solverkit.errors import MissingPackage, Unsuitable, UsageError
from solverkit.plugin import SolverSpec, SourceSpec, hookimpl
from solverkit.registry import Registry, registry
from solverkit.registry.packages import PIP_NAMES, missing, pip_line
from solverkit.registry.versions import core_range, within


def spec(name, **more):
    """A bilevel method; only what a test is about is given."""
    return SolverSpec(name, "bilevel", "s", "a.b:C", "a.b:D", **more)


class Plugin:
    """Methods (and generators) as a plugin."""

    def __init__(self, *methods, sources=()):
        self.methods, self.sources = list(methods), list(sources)

    @hookimpl
    def solverkit_solvers(self):
        return self.methods

    @hookimpl
    def solverkit_sources(self):
        return self.sources


def problem(*provides):
    """As much of a problem as the registry looks at."""
    return SimpleNamespace(kind="bilevel", name="p", provides=frozenset(provides))


@pytest.fixture
def fresh(monkeypatch):
    """A registry of its own, without what happens to be installed."""
    found = Registry()
    monkeypatch.setattr("solverkit.registry.discovery.entry_points", list)
    return found


def test_the_default_is_the_preferred_one_that_fits_and_is_installed(fresh):
    methods = (
        spec("best", priority=9, requires=("hvp",)),
        spec("absent", priority=5, packages=("no_such_package_here",)),
        spec("plain", priority=1),
        spec("other", priority=1, backends=("cuda",)),
    )
    with fresh.using(Plugin(*methods)):
        assert [found.name for found in fresh.methods("bilevel")] == ["best", "absent", "other", "plain"]
        assert fresh.default(problem("hvp")).name == "best"
        assert fresh.default(problem()).name == "plain"
        assert fresh.default(problem(), device="cuda:1").name == "other"
        with pytest.raises(Unsuitable, match=r"(?s)best.*does not run on tpu.*plain"):
            fresh.default(problem(), device="tpu")
    with fresh.using(Plugin(methods[1])), pytest.raises(MissingPackage, match="pip install no_such_package_here"):
        fresh.default(problem())
    with pytest.raises(Unsuitable, match="no method for bilevel problems is installed"):
        fresh.default(problem())


def test_reasons_end_in_the_next_step(fresh):
    needy = spec("needy", requires=("gradient", "hvp"))
    with fresh.using(Plugin(needy, spec("plain"))):
        (reason,) = fresh.fits(needy, problem("gradient"))
        assert reason == (
            "method 'needy' needs 'hvp'; problem 'p' provides gradient. "
            "Write the problem as expressions, which bring all derivatives, or: Methods that fit: plain"
        )
        other = SimpleNamespace(kind="dag", name="p\x1b", provides=frozenset())
        (reason,) = fresh.fits(needy, other)
        assert reason.startswith("method 'needy' solves bilevel problems, 'p?' is dag. No methods for dag problems")
        assert "Use --dtype float64" in fresh.fits(spec("x"), problem(), dtype="float32")[0]


def test_what_register_refuses(fresh):
    with fresh.using(Plugin(spec("one")), "first"):
        for plugin, name, text in (
            (Plugin(spec("one")), "second", "method 'one' is offered by plugin 'first' and plugin 'second'"),
            (Plugin(spec("two")), "first", "already registered"),
            (Plugin(spec("three", api=7)), "second", "another plugin API"),
            (object(), "second", "implements no hook"),
        ):
            with pytest.raises(UsageError, match=text):
                fresh.register(plugin, name)
        assert [found.name for found in fresh.methods()] == ["one"]
    assert fresh.methods() == []


def test_generators_are_found_by_name(fresh):
    source = SourceSpec("join", "Joins paths.", "os.path:join")
    with fresh.using(Plugin(sources=[source])):
        assert fresh.source("join")("a", "b") == str(Path("a", "b"))
        assert source in fresh.sources()
        with pytest.raises(UsageError, match=r"unknown source 'jion'.*did you mean 'join'"):
            fresh.source("jion")


def test_kinds_are_made_once(fresh):
    assert fresh.kind("bilevel") is fresh.kind("bilevel")
    with pytest.raises(UsageError, match="did you mean 'bilevel'"):
        fresh.kind("bilevl")


def test_many_threads_load_once_and_agree(monkeypatch):
    shared, loads, found = Registry(), [], []
    monkeypatch.setattr("solverkit.registry.discovery.entry_points", lambda: loads.append(1) or [])
    barrier = threading.Barrier(16)

    def ask(number):
        barrier.wait()
        with shared.using(Plugin(spec(f"m{number}")), f"plugin{number}"):
            found.append((shared.kind("bilevel"), shared.method(f"m{number}").name == f"m{number}"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert [right for _, right in found] == [True] * 16
    assert shared.methods() == []


def test_the_pip_line_agrees_with_the_constraints():
    constraints = Path(__file__).parents[2] / "requirements" / "constraints.txt"
    assert PIP_NAMES["torch"] in constraints.read_text().splitlines()
    assert pip_line(["torch", "sklearn.svm", "numba"]) == "pip install torch==2.13.0 scikit-learn numba"


def test_missing_imports_nothing():
    before = set(sys.modules)
    assert missing(["json", "no_such_package_here.deep"]) == ["no_such_package_here.deep"]
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    "specifier",
    [">=0.1", ">=0.1,<1", "<0.2", "==0.1.0", "==0.1", "!=0.2", ">0.0.9", "<=0.1.0", "~=0.1", "==0.1.*", ">=0.2",
     "<0.1", "!=0.1", ">0.1", "==0.1.1", ">=1a1", "nonsense", ">=0.1,nonsense"],
)  # fmt: skip
@pytest.mark.parametrize("version", ["0.1.0", "0.1", "0.1.0rc1"])
def test_versions_compare_as_packaging_does(specifier, version):
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        expected = SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier:
        expected = False
    assert within(version, specifier) == expected


def test_the_range_is_found_among_other_requirements():
    lines = ["numpy>=2", "solverkit-bilevel>=1", "SolverKit[torch] (>=0.1,<1) ; python_version > '3'"]
    assert core_range(lines) == ">=0.1,<1"
    assert core_range(["solverkit", "solverkit>=2; extra == 'x'"]) == ""


def test_the_registry_of_the_process_is_one():
    assert isinstance(registry, Registry)
    from solverkit.registry.catalogue import registry as same

    assert registry is same
