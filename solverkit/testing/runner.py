"""Running checks: one on one problem, or all of them on several."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from solverkit.errors import MissingPackage, UsageError
from solverkit.registry import registry
from solverkit.testing.catalogue import Check, catalogue, known
from solverkit.testing.report import Failed, Outcome, Report, Skipped, Verdict
from solverkit.testing.subject import Budget, Subject, label


def check_solver(
    method: str,
    problems: Iterable[Any] | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    tol: float = 1e-6,
    checks: Iterable[str] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    budget: Budget | None = None,
    raise_failures: bool = True,
) -> Report:
    """Hold a registered method against the contract, on each of `problems`.

    A problem is a `Problem`, the path of a problem file, or a function without arguments that makes one; the checks
    that need another process need a path or a function of a module. Without `problems`, those are taken that the
    method's kind offers by `examples()` and that the method fits. `checks` names the checks to run, all by default.
    `expected_failures` maps names of checks to the reason why they may fail.

    Raises ConformanceError with every failure, unless `raise_failures` is False; UsageError for a method or a check
    that does not exist.
    """
    expected = dict(expected_failures or {})
    wanted = list(checks) if checks is not None else list(catalogue())
    known([*expected, *wanted])
    registry.method(method)
    outcomes = []
    for source in examples(method) if problems is None else problems:
        subject = Subject(method, source, dict(options or {}), tol, budget or Budget())
        memory: dict[str, Outcome] = {}
        outcomes += [declared(outcome_of(name, subject, memory), expected) for name in wanted]
    report = Report(method, tuple(outcomes))
    if raise_failures:
        report.raise_for_failures()
    return report


def examples(method: str) -> list[Any]:
    """The problems that the method's kind offers and that the method fits. UsageError where there is none."""
    spec = registry.method(method)
    offered: list[Any] = getattr(registry.kind(spec.kind), "examples", list)()
    fitting = [problem for problem in offered if not registry.fits(spec, problem)]
    if not fitting:
        raise UsageError(f"kind {spec.kind!r} offers no example that fits {method!r}: give problems=[...]")
    return fitting


def outcome_of(name: str, subject: Subject, memory: dict[str, Outcome]) -> Outcome:
    """The outcome of one check; `memory` holds those of this subject so far."""
    if name not in memory:
        check = catalogue()[name]
        memory[name] = _blocked(check, subject, memory) or _outcome(check, subject)
    return memory[name]


def declared(outcome: Outcome, expected: Mapping[str, str]) -> Outcome:
    """The outcome in the light of declared failures."""
    if outcome.verdict is not Verdict.FAILED or outcome.check not in expected:
        return outcome
    reason = f"{expected[outcome.check]}; {outcome.seen}"
    return Outcome(outcome.check, outcome.problem, Verdict.EXPECTED, reason, outcome.means, outcome.mend)


def _blocked(check: Check, subject: Subject, memory: dict[str, Outcome]) -> Outcome | None:
    """Not checked, where a check that this one presupposes failed; without a class to import all presuppose `spec`."""
    needs = check.needs if check.name == "spec" or subject.importable else ("spec",)
    for need in needs:
        before = outcome_of(need, subject, memory)
        if before.verdict is Verdict.FAILED or before.blocked:
            cause = before.blocked or need
            seen = f"mend {cause!r} first"
            return Outcome(check.name, label(subject.source), Verdict.SKIPPED, seen, blocked=cause)
    return None


def _outcome(check: Check, subject: Subject) -> Outcome:
    problem = label(subject.source)
    try:
        check.run(subject)
    except Skipped as reason:
        return Outcome(check.name, problem, Verdict.SKIPPED, str(reason))
    except MissingPackage as absent:  # says where the problem's own functions cannot be made here, and the pip line
        return Outcome(check.name, problem, Verdict.SKIPPED, str(absent))
    except Failed as failure:
        return Outcome(check.name, problem, Verdict.FAILED, str(failure), check.means, check.mend)
    except Exception as error:
        place = "".join(traceback.format_exception(error)[-3:]).strip()
        return Outcome(check.name, problem, Verdict.FAILED, f"it raised\n{place}", check.means, check.mend)
    return Outcome(check.name, problem, Verdict.PASSED)
