"""The conformance kit: hold a method against SolverKit's contract, as `check_estimator` does for scikit-learn.

In a plugin's tests, one class; every check becomes a test on every problem, and a failure says what the check means,
what was seen and how to mend it:

    from solverkit.testing import SolverConformance

    class TestMine(SolverConformance):
        method = "my-method"                                   # as registered by the plugin's hook
        problems = ["problems/one/problem.yaml", "two.yaml"]   # or problems, or functions that make one
        options = {"step": 0.5}
        expected_failures = {"answer": "two.yaml has two solutions"}

Or anywhere else, without pytest:

    from solverkit.testing import check_solver
    print(check_solver("my-method", ["two.yaml"]))             # raises ConformanceError with every failure

`list_checks()` lists the names with their meaning. Without `problems`, the examples of the method's kind are taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit.testing.report import ConformanceError, Outcome, Report, Verdict
    from solverkit.testing.runner import check_solver
    from solverkit.testing.subject import Budget
    from solverkit.testing.suite import SolverConformance

__all__ = [
    "Budget",
    "ConformanceError",
    "Outcome",
    "Report",
    "SolverConformance",
    "Verdict",
    "check_solver",
    "list_checks",
]

_HOMES = {
    "Budget": "subject",
    "ConformanceError": "report",
    "Outcome": "report",
    "Report": "report",
    "SolverConformance": "suite",
    "Verdict": "report",
    "check_solver": "runner",
}


def list_checks() -> dict[str, str]:
    """Every check by name, with the part of the contract that it stands for."""
    from solverkit.testing.catalogue import catalogue

    return {name: check.means for name, check in catalogue().items()}


def __getattr__(name: str) -> Any:
    """Names are imported on first use: pytest only where `SolverConformance` is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
