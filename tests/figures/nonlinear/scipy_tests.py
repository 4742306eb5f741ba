"""SciPy's own tests of constrained minimization, with our methods in place of SciPy's.

passed, failed: of the tests that apply. other: those that do not, with the reasons in tests/scipy_tests/applicable.py.
skipped: by SciPy itself. The last lines name what failed.
"""

from __future__ import annotations

from tests.scipy_tests.run import run

CASES = [("", 1e-6), ("", 1e-8), ("ipopt", 1e-6), ("slsqp", 1e-6)]
"""(method, tol of the certificate); no name for the method that fits. trust-constr is left out: its nested minimization
takes more than five minutes."""


def main() -> None:
    counts = ("passed", "failed", "other", "skipped")
    print(f"{'method':<14}{'tol':>7}" + "".join(f"{name:>9}" for name in counts))
    failures: dict[str, list[str]] = {}
    for method, tol in CASES:
        found = run(*([method] if method else []), "--tol", str(tol))
        print(f"{method or '(chosen)':<14}{tol:>7.0e}" + "".join(f"{found[name]:>9}" for name in counts), flush=True)
        for name in found["failures"]:
            failures.setdefault(f"{method or '(chosen)'} {tol:.0e}", []).append(name.partition("::")[2])
    for label, names in failures.items():
        print(f"\n{label}: {', '.join(names)}")
