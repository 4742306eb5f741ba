"""The checks as a pytest class: subclass it, and each check is one test on each problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from solverkit.testing.catalogue import catalogue, known
from solverkit.testing.report import Outcome, Verdict
from solverkit.testing.runner import declared, examples, outcome_of
from solverkit.testing.subject import Budget, Subject, label


class SolverConformance:
    """Subclass it with a name that begins with `Test`, and set what is below."""

    method: ClassVar[str] = ""
    problems: ClassVar[Sequence[Any] | None] = None  # problems, paths of files, or functions; None: the kind's examples
    options: ClassVar[Mapping[str, Any]] = {}
    expected_failures: ClassVar[Mapping[str, str]] = {}  # name of a check -> why it may fail
    tol: ClassVar[float] = 1e-6
    budget: ClassVar[Budget] = Budget()

    _memory: ClassVar[dict[str, tuple[Subject, dict[str, Outcome]]]]

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls._memory = {}
        known(cls.expected_failures)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Each check runs on each problem; other processes are asked on one problem of the class alone."""
        if "conformance_problem" in metafunc.fixturenames and self.method:
            sources = self._sources()
            metafunc.parametrize("conformance_problem", sources, ids=[label(source) for source in sources])

    def _sources(self) -> Sequence[Any]:
        return examples(self.method) if self.problems is None else self.problems

    def _verdict(self, name: str, source: Any) -> Outcome:
        key = f"{label(source)} {id(source)}"
        if key not in self._memory:
            first = label(source) == label(self._sources()[0])
            self._memory[key] = Subject(self.method, source, dict(self.options), self.tol, self.budget, first), {}
        return declared(outcome_of(name, *self._memory[key]), self.expected_failures)


def _test(name: str, means: str) -> Callable:
    def test(self: SolverConformance, conformance_problem: Any) -> None:
        outcome = self._verdict(name, conformance_problem)
        if outcome.verdict is Verdict.SKIPPED:
            pytest.skip(outcome.seen)
        if outcome.verdict is Verdict.EXPECTED:
            pytest.xfail(outcome.seen)
        if outcome.verdict is Verdict.FAILED:
            pytest.fail(f"{self.method}: {outcome}", pytrace=False)

    test.__name__, test.__doc__ = f"test_{name}", means
    return test


for _name, _check in catalogue().items():
    setattr(SolverConformance, f"test_{_name}", _test(_name, _check.means))
