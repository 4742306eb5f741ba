"""The five Pyomo models: IPOPT at 1e-10 and the default method, against the expected answers."""

from __future__ import annotations

from pathlib import Path

import solverkit as sk

ROOT = Path(__file__).parents[3] / "problems" / "nonlinear"


def main() -> None:
    print(f"{'model':<28} {'n':>4} {'m':>4}  {'method':<16} {'objective':>20} {'off by':>8} {'steps':>5}  verdict")
    for path in sorted(ROOT.glob("pyomo-*/problem.yaml")):
        problem = sk.load(path)
        for method, tol in (("ipopt", 1e-10), (None, 1e-8)):
            result = sk.solve(problem, method, tol=tol)
            off = abs(result.fun - problem.expected["objective"])
            print(
                f"{problem.name:<28} {problem.n:>4} {problem.m:>4}  {result.method:<16} {result.fun:>20.13g} "
                f"{off:>8.1e} {result.nit:>5}  {result.point_status.name} at {tol:g}"
            )
