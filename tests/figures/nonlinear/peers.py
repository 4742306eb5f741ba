"""sketched-newton beside IPOPT, trust-constr and SLSQP: the 41 equality problems, then everything else, at 1e-8.

One process, one thread, one problem object for all methods. `ms` is the median of five solves after a first one,
which compiles, or that of one where it takes more than half a second; repetitions of the methods alternate. `first`
is that first solve on a freshly loaded problem, compilation included. Calls are all oracle calls: f, gradient, c,
Jacobian, Hessian, each once a point. `ipopt` calls the same Python oracles as the other methods, `ipopt-native`
evaluates the CasADi graphs in C.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import solverkit as sk
from solverkit.bench.environment import pin
from solverkit.bench.suite import load_suite
from solverkit.kinds.base import PointStatus

SUITES = Path(__file__).parents[3] / "problems" / "suites"
TOL, REPEATS, MAX_TIME, LONG = 1e-8, 5, 10.0, 0.5
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "sketched-newton": ("sketched-newton", {}),
    "ipopt-native": ("ipopt", {"functions": "native"}),
    "ipopt": ("ipopt", {}),
    "trust-constr": ("trust-constr", {}),
    "slsqp": ("slsqp", {}),
}
COUNTERS = ("nfev", "njev", "ncev", "nhev", "nhvp")


@dataclass(frozen=True)
class Row:
    """One method on one problem."""

    result: Any
    elsewhere: bool  # certified, at another objective than the file expects
    first: float  # seconds
    seconds: float

    @property
    def certified(self) -> bool:
        return self.result.point_status is PointStatus.CERTIFIED

    @property
    def calls(self) -> int:
        return sum(self.result.counts.values())

    def __str__(self) -> str:
        mark = "" if self.certified else " F"
        mark += " †" if self.elsewhere else ""
        return f"{self.result.nit}/{self.calls}/{1e3 * self.seconds:.1f}{mark}"


def solve(problem: Any, label: str) -> Any:
    """One solve."""
    method, options = METHODS[label]
    return sk.solve(problem, method=method, options=options, tol=TOL, max_time=MAX_TIME)


def rows(make: Callable[[], Any]) -> dict[str, Row]:
    """Every method on one problem."""
    problem = make()
    firsts = {label: solve(make(), label) for label in METHODS}
    results = {label: solve(problem, label) for label in METHODS}
    once = {label: result.timing["solve"] for label, result in results.items()}
    times = {label: [seconds] if seconds > LONG else [] for label, seconds in once.items()}
    for _ in range(REPEATS):
        for label in METHODS:
            if once[label] <= LONG:
                times[label].append(solve(problem, label).timing["solve"])
    expected = problem.expected.get("objective")
    made = {}
    for label, result in results.items():
        off = expected is not None and abs(result.fun - expected) > 1e-6 * max(1.0, abs(expected))
        certified = result.point_status is PointStatus.CERTIFIED
        made[label] = Row(result, off and certified, firsts[label].timing["solve"], statistics.median(times[label]))
    return made


def cases(suite: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The problems of a suite: a name, and how to load it afresh."""
    for case in load_suite(SUITES / f"{suite}.yaml")[1]:
        numbers = "".join(f" {name}={value:g}" for name, value in case.parameters.items())
        given = {"parameters": dict(case.parameters)} if case.parameters else {}
        yield Path(case.file).parent.name + numbers, partial(sk.load, case.file, **given)


def equalities() -> None:
    """The 41, and medians over them."""
    print("iterations/calls/ms; F: not certified; †: certified at another minimum than the file expects\n")
    print(f"{'problem':<10}" + "".join(f"{label:>22}" for label in METHODS))
    table = {}
    for name, make in cases("nonlinear-41"):
        table[name] = rows(make)
        print(f"{name:<10}" + "".join(f"{row!s:>22}" for row in table[name].values()), flush=True)
    print(f"\n{'median of 41':<16} {'certified':>9} {'elsewhere':>9} {'iterations':>10} {'calls':>6}", end="")
    print("".join(f" {counter:>5}" for counter in COUNTERS) + f" {'ms':>7} {'first ms':>8} {'ms to native':>12}")
    for label in METHODS:
        mine, native = [table[name][label] for name in table], [table[name]["ipopt-native"] for name in table]
        ratio = statistics.geometric_mean(a.seconds / b.seconds for a, b in zip(mine, native, strict=True))
        counts = [statistics.median(row.result.counts.get(counter, 0) for row in mine) for counter in COUNTERS]
        print(
            f"{label:<16} {sum(row.certified for row in mine):>9} {sum(row.elsewhere for row in mine):>9} "
            f"{statistics.median(row.result.nit for row in mine):>10g} "
            f"{statistics.median(row.calls for row in mine):>6g}"
            + "".join(f" {count:>5g}" for count in counts)
            + f" {1e3 * statistics.median(row.seconds for row in mine):>7.2f}"
            f" {1e3 * statistics.median(row.first for row in mine):>8.1f} {ratio:>12.2f}"
        )


def others() -> None:
    """What each method says of the other problems: termination and status."""
    print("\nwhat the run claims/what the certificate found, iterations; †: at another minimum than the file expects\n")
    shown = [label for label in METHODS if label != "ipopt-native"]
    print(f"{'problem':<19}" + "".join(f"{label:>30}" for label in shown))
    certified = dict.fromkeys(shown, 0)
    for name, make in cases("nonlinear-peers"):
        problem = make()
        expected = problem.expected.get("objective")
        cells = []
        for label in shown:
            result = solve(problem, label)
            good = result.point_status is PointStatus.CERTIFIED
            certified[label] += good
            off = good and expected is not None and abs(result.fun - expected) > 1e-6 * max(1.0, abs(expected))
            claim = f"{result.termination.name.lower()}/{result.point_status.name.lower()} {result.nit}"
            cells.append(claim + (" †" if off else ""))
        print(f"{name:<19}" + "".join(f"{cell:>30}" for cell in cells), flush=True)
    print(f"{'certified':<19}" + "".join(f"{count:>30}" for count in certified.values()))


def main() -> None:
    pin(1)
    equalities()
    others()
