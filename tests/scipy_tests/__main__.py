"""Run SciPy's tests with one of our methods, and print what came out as JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.scipy_tests.applicable import LONG, MODULES, UNCALLED, reason
from tests.scipy_tests.patched import Patched


@dataclass
class Run:
    """A pytest plugin: patches, leaves out what does not apply, counts the rest."""

    minimize: Patched
    short: bool
    passed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # test -> last line of why
    skipped: list[str] = field(default_factory=list)  # by SciPy itself
    other: dict[str, str] = field(default_factory=dict)  # test -> why it does not apply
    _before: int = 0

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        kept, left = [], []
        for item in items:
            why = reason(_name(item.nodeid))
            if why:
                self.other[_name(item.nodeid)] = why
            (left if why else kept).append(item)
        if self.short:
            kept = [item for item in kept if not item.nodeid.endswith(LONG)]
            kept = [item for k, item in enumerate(kept) if "test_list_of_problems[" not in item.nodeid or k % 25 == 0]
        config.hook.pytest_deselected(items=left)
        items[:] = kept

    def pytest_runtest_setup(self) -> None:
        self._before = self.minimize.calls

    def pytest_runtest_logreport(self, report: Any) -> None:
        name = _name(report.nodeid)
        if report.skipped:
            self.skipped.append(name)
        elif report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.failed[name] = " ".join((crash.message if crash else str(report.longrepr)).split())[:300]
        elif report.when == "call" and self.minimize.calls == self._before:
            self.other[name] = UNCALLED
        elif report.when == "call":
            self.passed.append(name)


def _name(nodeid: str) -> str:
    return nodeid.rpartition("/")[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.scipy_tests")
    parser.add_argument("method", nargs="?", help="one of ours; left out, the one that fits")
    parser.add_argument("--tol", type=float, help="of the certificate; left out, the default")
    parser.add_argument("--short", action="store_true", help="leave out what takes long")
    asked = parser.parse_args()
    run = Run(Patched(asked.method, asked.tol), asked.short)
    modules = [importlib.import_module(f"scipy.optimize.tests.{name}") for name in MODULES]
    for module in modules:
        module.minimize = run.minimize
    arguments = ["--pyargs", *(module.__name__ for module in modules), "-q", "--no-header", "-p", "no:cacheprovider"]
    pytest.main([*arguments, "-c", "/dev/null", "--tb=short"], plugins=[run])
    counts = {name: len(getattr(run, name)) for name in ("passed", "failed", "skipped", "other")}
    print("\n" + json.dumps(counts | {"failures": run.failed, "reasons": sorted(set(run.other.values()))}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
