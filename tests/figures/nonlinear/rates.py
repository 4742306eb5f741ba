"""sketched-newton: the last three ratios of scaled KKT errors on the 41 equality problems.

Runs go on to 1e-12; errors count up to the first below 1e-10, as later ratios are rounding. A run is superlinear where
its last ratio is below a tenth and either smaller than the one before it or below 1e-3; one step is, too.
"""

from __future__ import annotations

from itertools import pairwise

import solverkit as sk
from tests.figures.nonlinear._table import EQUALITIES, shipped

ROUNDING = 1e-10


def errors(name: str) -> list[float]:
    """Scaled KKT errors of all iterates, up to the first that rounding may have shaped."""
    result = sk.solve(shipped(name), method="sketched-newton", tol=1e-8, max_iter=200, options={"converge": 1e-12})
    by_iteration = {record["nit"]: record["report"]["merit"] for record in result.trace if "report" in record}
    values = [by_iteration[nit] for nit in sorted(by_iteration)]
    small = [position for position, value in enumerate(values) if value <= ROUNDING]
    return values[: small[0] + 1] if small else values


def main() -> None:
    print("| problem | iterations | last ratios | superlinear |\n|---|---|---|---|")
    fast = 0
    for name in EQUALITIES:
        values = errors(name)
        ratios = [after / before for before, after in pairwise(values)][-3:]
        superlinear = len(values) <= 2 or (ratios[-1] <= 0.1 and (ratios[-1] <= 1e-3 or ratios[-1] < ratios[-2]))
        fast += superlinear
        shown = ", ".join(f"{ratio:.1e}" for ratio in ratios)
        print(f"| {name} | {len(values) - 1} | {shown} | {'yes' if superlinear else 'no'} |")
    print(f"\nsuperlinear on {fast} of {len(EQUALITIES)}")
