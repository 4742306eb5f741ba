"""A third party's plugin for the tests of the conformance kit: a tiny kind, one good method, and many bad ones."""

from __future__ import annotations

from solverkit.plugin import KindSpec, SolverSpec, hookimpl

KIND = "toy-quadratic"

BAD = {
    "bad_api:NoDescription": "options",
    "heavy:HeavyOptions": "light_options",
    "bad_api:OtherOptions": "spec",
    "bad_api:WrongShape": "point",
    "bad_api:TextReport": "report",
    "bad_api:ClaimByNumber": "converged",
    "bad_api:SharedBuffer": "reading",
    "bad_api:Lambda": "state",
    "bad_api:Remembers": "stateless",
    "bad_answer:GivesUp": "answer",
    "bad_honesty:AtOnce": "claim",
    "bad_honesty:PastTheCounter": "counts",
    "bad_honesty:PastTheOracles": "raw_functions",
    "bad_hygiene:MutatesStart": "start_untouched",
    "bad_hygiene:MutatesProblem": "problem_untouched",
    "bad_hygiene:GlobalRandom": "global_random",
    "bad_hygiene:Single": "dtype",
    "bad_hygiene:Threads": "threads",
    "bad_hygiene:Prints": "silence",
    "bad_hygiene:PrintsBelow": "silence",
    "bad_hygiene:Filters": "settings",
    "bad_hygiene:Environ": "settings",
    "bad_hygiene:Writes": "files",
    "bad_robustness:SwallowsNan": "oracle_nan",
    "bad_robustness:SwallowsErrors": "oracle_exception",
    "bad_robustness:Reshapes": "oracle_nonsense",
    "bad_robustness:SwallowsInterrupts": "interrupt",
    "bad_reproducibility:WallClock": "same_seed",
    "bad_reproducibility:SetOrder": "other_process",
    "bad_resume:HidesState": "resume",
    "bad_limits:Deaf": "max_iter",
    "bad_limits:SlowFinish": "max_time",
}
"""Each bad method by its place in this package, and the one check that is to catch it."""

OPTIONS = {"NoDescription": "options:Bare", "HeavyOptions": "heavy:Heavy"}


def named(place: str) -> str:
    """The name under which a bad method is registered."""
    return f"bad-{place.partition(':')[2]}"


def spec(name: str, target: str, options: str = "options:Step") -> SolverSpec:
    """A record of one method of the toy kind."""
    summary, dtypes = "Gradient descent on a quadratic, for tests.", ("float64", "float32")
    places = f"{__name__}.{target}", f"{__name__}.{options}"
    return SolverSpec(name, KIND, summary, *places, requires=("gradient",), dtypes=dtypes)


@hookimpl
def solverkit_problem_kinds() -> list[KindSpec]:
    """The toy kind."""
    return [KindSpec(KIND, "min x'Qx / 2 - c'x, for tests", f"{__name__}.kind:ToyKind")]


@hookimpl
def solverkit_solvers() -> list[SolverSpec]:
    """Two good methods, and the bad ones."""
    good = [spec("toy-good", "good:Good"), spec("toy-once", "good:Once")]
    bad = [spec(named(place), place, OPTIONS.get(place.partition(":")[2], "options:Step")) for place in BAD]
    return good + bad
