"""The 50-dimensional quadratic with answer 1/2: every bilevel method here, and the operations of the BOAT toolkit."""

from __future__ import annotations

import importlib
import os
import statistics
import sys
from typing import Any

import numpy as np

import solverkit as sk
from solverkit.errors import SolverKitError
from solverkit.kinds.bilevel.build import bilevel
from solverkit.kinds.bilevel.problem import Bilevel

METHODS = ("lv-hba", "penalty", "bo-rep", "implicit-gradient", "nested")
FOLDER = "SOLVERKIT_BOAT"  # environment variable: where the toolkit was installed
INSTALL = f"pip install --no-deps --target FOLDER boat-torch==1.1.1 higher, then {FOLDER}=FOLDER"
ITERATIONS, REPEATS = 300, 5


def problem(n: int = 50) -> Bilevel:
    """F = |y - 1|^2 / 2 + |x|^2 / 2, f = |y - x|^2 / 2, from zero."""
    return bilevel(
        upper={"variables": {"x": {"shape": n}}, "minimize": "0.5*normsq(y - 1) + 0.5*normsq(x)"},
        lower={"variables": {"y": {"shape": n}}, "minimize": "0.5*normsq(y - x)", "convex": True},
    )


def main() -> None:
    print(f"{'method':<30} {'status':>10} {'error of x':>11} {'error of y':>11} {'steps':>6} {'ms':>9}")
    ours = []
    for method in METHODS:
        try:
            results = [sk.solve(problem(), method=method, tol=1e-6) for _ in range(REPEATS)]
        except SolverKitError as error:
            print(f"{method:<30} {str(error)[:80]}")
            continue
        result, ms = results[0], 1e3 * statistics.median(r.timing["solve"] for r in results)
        errors = [float(np.abs(result.point[name] - 0.5).max()) for name in ("x", "y")]
        print(
            f"{method:<30} {result.point_status.name:>10} {errors[0]:>11.1e} {errors[1]:>11.1e} "
            f"{result.nit:>6} {ms:>9.2f}"
        )
        if result.point_status.name == "CERTIFIED":
            ours.append((ms, method))
    boat = _boat()
    if boat is None:
        print(f"\nBOAT is not here: {INSTALL}")
        return
    from tests.figures.bilevel import _boat as toolkit

    theirs = []
    print(f"\nBOAT, {ITERATIONS} iterations, 10 lower steps, steps .05 and .1; nothing there checks an answer")
    for name in toolkit.OPERATIONS:
        try:
            of_x, of_y, seconds = toolkit.run(boat, name, 50, ITERATIONS)
        except Exception as error:  # a foreign toolkit: its failures are part of the table
            print(f"{name:<30} {type(error).__name__}: {str(error)[:80]}")
            continue
        print(f"{name:<30} {'-':>10} {of_x:>11.1e} {of_y:>11.1e} {ITERATIONS:>6} {1e3 * seconds:>9.2f}")
        if np.isfinite(of_x):
            theirs.append((of_x, 1e3 * seconds, name))
    if theirs and ours:
        (error, ms, name), (best, method) = min(theirs), min(ours)
        print(f"\nBOAT's nearest: {name}, error {error:.1e} in {ms:.0f} ms; {method}: certified in {best:.2f} ms")
        print(f"ratio of times {ms / best:.0f}")


def _boat() -> Any:
    """The toolkit, from the folder that the environment names."""
    folder = os.environ.get(FOLDER)
    if folder:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module("boat_torch")
    except ImportError:
        return None
    finally:
        if folder:
            sys.path.remove(folder)
