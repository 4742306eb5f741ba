"""A pytest plugin for an installation without all optional packages: what needs one that is absent is skipped, by name.

Loaded by `-p partial` in the environments of `make packages`, and nowhere else: in a full environment a missing
package is a failure.
"""

from __future__ import annotations

import re
from importlib.util import find_spec

import pytest

OPTIONAL = (
    "casadi", "causallearn", "cvxpy", "dagma", "distributed", "highspy", "joblib", "jsonschema", "jupytext",
    "latex2mathml", "markdown", "matplotlib", "mkdocs", "nbclient", "networkx", "numba", "pandas", "playwright",
    "pyamg", "pyomo", "qdldl", "scs", "sklearn", "solverkit_baselines", "solverkit_bilevel", "solverkit_dag",
    "solverkit_halpern", "solverkit_sketched_newton", "solverkit_sliding", "solverkit_sor", "torch", "yaml",
)  # fmt: skip

ABSENT = (
    re.compile(rf"No module named '({'|'.join(OPTIONAL)})\b"),
    re.compile(r"pip install ('?\"?[\w\[\],=.-]+)"),  # the end of every MissingPackage
    re.compile(r"unknown (?:method|generator|source) '([\w-]+)'"),
    re.compile(r"no method for (\w+(?: \w+)?)"),
    re.compile(r"([Nn]o methods? (?:is|are) installed)"),
)

INDIRECT = {
    "tests/cli/test_completion.py": "solverkit_baselines",
    "tests/registry/test_published.py": "solverkit_baselines",
    "tests/packages/": "build",
    "tests/scaffold/": "casadi",
    "tests/bench/": "joblib",
    "tests/degenerate/": "solverkit_halpern",
    "tests/degenerate/test_impossible.py": "highspy",
    "::test_none_is_certified_and_no_proof_is_false": "cvxpy",
    "tests/display/": "matplotlib",
    "tests/docs/": "solverkit_baselines",
    "tests/formats/test_safety.py": "casadi",
    "tests/fuzz/": "solverkit_sor",
    "tests/methods/": "solverkit_baselines",
    "tests/reduction/": "casadi",
    "tests/supply/": "mkdocs",
    "::test_the_package_is_light_and_complete": "torch",
}
"""Tests that meet an absence in another process, where the error is only an exit code: what they need."""


def absent(error: BaseException) -> str:
    """What is not there that the error complains of, itself or where it came from; empty where it is something else."""
    seen: BaseException | None = error
    while seen is not None:
        for pattern in ABSENT:
            if found := pattern.search(f"{seen} {getattr(seen, 'stderr', '')}"):
                return found.group(1)
        seen = seen.__cause__ or seen.__context__
    return ""


def _skipping(run):
    """The result of `run`; a skip where it fails for something that is absent."""
    try:
        return (yield from run)
    except Exception as error:
        if what := absent(error):
            pytest.skip(f"absent: {what}", allow_module_level=True)
        raise


def pytest_collection_modifyitems(items):
    for item in items:
        for part, package in INDIRECT.items():
            if part in item.nodeid and find_spec(package) is None:
                item.add_marker(pytest.mark.skip(reason=f"absent: {package}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    return (yield from _skipping(_result()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup():
    return (yield from _skipping(_result()))


def _result():
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makemodule():
    module = yield
    importing = module._getobj

    def getobj():
        try:
            return importing()
        except Exception as error:
            if what := absent(error):
                pytest.skip(f"absent: {what}", allow_module_level=True)
            raise

    module._getobj = getobj
    return module
