"""What is measured, and by which tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    """Files of `solverkit/`, as globs, and the tests that are to take each of their branches."""

    files: tuple[str, ...]
    tests: tuple[str, ...]


def _kind(name: str, *modules: str, tests: tuple[str, ...] = ()) -> Area:
    """A kind's certificate and the modules that it alone calls."""
    files = tuple(f"kinds/{name}/{module}.py" for module in ("certificate", *modules))
    return Area(files, (f"tests/{name}", *tests))


AREAS = {
    "expressions": Area(("expressions/*.py",), ("tests/expressions", "tests/formats")),
    "formats": Area(("formats/*.py", "formats/*/*.py"), ("tests/formats", "tests/nl")),
    "checkpoints": Area(
        tuple(f"engine/{name}.py" for name in ("archive", "checkpoint", "files", "tree")),
        ("tests/engine", "tests/api", "tests/soak"),
    ),
    "maps": Area(("kinds/maps.py", "kinds/oracles.py"), ("tests/verdicts", "tests/composite", "tests/inclusion")),
    "bilevel": _kind(
        "bilevel", "consistency", "curvature", "local", "lower_solve", "multipliers", "optimistic", "spectrum",
        "stationarity", tests=("plugins/solverkit-bilevel/tests",),
    ),
    "composite": _kind("composite", "bound", "dual_steps", "level", "polish"),
    "dag": _kind(
        "dag", "acyclic", "graph_moves", "neighbourhood", "orders", "root", "stationarity", "varsortability",
        tests=("plugins/solverkit-dag/tests",),
    ),
    "inclusion": _kind("inclusion", "consistency", "gap", "linear", "local", "rays", tests=("tests/verdicts",)),
    "linear_sequence": _kind("linear_sequence", "regret"),
    "nonlinear": _kind(
        "nonlinear", "consistency", "curvature", "degenerate", "evidence", "local", "multipliers", "probe", "rows",
        tests=("tests/nonlinear_problems",),
    ),
}  # fmt: skip
