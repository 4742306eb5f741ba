"""Which of SciPy's tests apply, and why the others do not."""

from __future__ import annotations

import re

MODULES = ("test_minimize_constrained", "test_slsqp", "test_cobyla", "test_cobyqa", "test_constraint_conversion")
"""Of scipy.optimize.tests: those that minimize under bounds or constraints."""

_TEXT = "asks for the words of SciPy's message"
_NAMED = "about an option that is refused by name"
_KEEP = "keep_feasible is refused by name"
_WARNS = "asks for a warning about what SciPy's method cannot do"
_WRONG = "its constraint's Jacobian is twice the derivative, which the certificate refuses (test_wrong_jacobian)"

OTHERS = {
    r"::test_list_of_problems\[.*-prob4\]": _WRONG,
    r"TestTrustRegionConstr::test_args$": _WRONG,
    r"::test_raise_exception$": "asks that differences of differences are refused; here they are taken",
    r"::test_issue_9044$": "counts the iterations of trust-constr",
    r"::test_issue_15093$": _KEEP,
    r"::test_gh11649$": _KEEP,
    r"::test_gh20665_": _TEXT,
    r"::test_issue_18882$": "asks that no feasible point is found, where there is one",
    r"TestBoundedNelderMead::test_invalid_bounds$": _TEXT,
    r"TestBoundedNelderMead::test_outside_bounds_warning$": _WARNS,
    r"TestSLSQP::test_callback$": _TEXT,
    r"TestCobyla::test_minimize_constraint_violation$": _NAMED,
    r"TestCobyla::test_f_target$": _NAMED,
    r"TestCOBYQA::test_minimize_(maxfev|f_target)$": _NAMED,
    r"Test(Cobyla|COBYQA)::test_minimize_simple$": "counts the calls of SciPy's method",
    r"TestCOBYQA::test_minimize_array$": "asks that a function's mistake is raised; here it ends the run and is named",
    r"TestCOBYQA::test_minimize_maxiter$": "asks that two iterations are too few",
    r"::test_warn_": _WARNS,
}
"""A pattern of a test's name, and why it does not apply."""

LONG = (
    "test_nested_minimization",
    "TestNewToOldCobyla::test_list_of_problems",
    "test_individual_constraint_objects",
    "test_minimize_bounded_constraint",
)
"""Tests of more than a second, left out of the short form; it also takes every 25th of the products of problems."""

UNCALLED = "never calls minimize"
"""Why a test that passed without us does not apply: fmin_slsqp, fmin_cobyla and the like."""


KNOWN = {
    "test_infeasible_initial": "x to 1e-10; ends 1e-9 from a bound that is active",
    "test_new_bounds_type": "a zero to 1e-7 of itself; ends 2e-5 from a bound that is active without a force",
    "test_nested_minimization": "zeros to 1e-7 of themselves; ends at 2e-23",
}
"""Tests that ask for more digits than the certificate. They fail with sketched-newton, the choice for these problems,
which goes through the interior; SLSQP ends at bounds and zeros to the last digit."""


def reason(name: str) -> str:
    """Why a test does not apply; empty where it does. name : as pytest has it, `module.py::Class::test[parameters]`"""
    return next((why for pattern, why in OTHERS.items() if re.search(pattern, name)), "")
