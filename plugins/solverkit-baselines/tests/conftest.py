"""One way to run a peer on a shipped problem, without installed entry points."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from solverkit.engine.driver import run
from solverkit.engine.limits import Limits
from solverkit.formats.load import load
from solverkit.kinds.base import Certificate
from solverkit.kinds.bilevel.kind import BilevelKind
from solverkit_baselines.plugin import solverkit_solvers

PROBLEMS = Path(__file__).parents[3] / "problems" / "bilevel"
SPECS = {spec.name: spec for spec in solverkit_solvers()}


def resolve(target):
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


class Uncertified(BilevelKind):
    """Spares a test the time of certificates that it does not look at."""

    def certify(self, problem, point, tol, seed):
        return Certificate((), unverified="not asked for")


@pytest.fixture
def shipped():
    return lambda name: load(PROBLEMS / name / "problem.yaml")


@pytest.fixture
def peer():
    """peer(method, problem, max_time=..., seed=..., certify=..., **options) -> Result"""

    def solve(method, problem, max_time=60.0, seed=0, certify=True, **options):
        spec = SPECS[method]
        solver = resolve(spec.target)(resolve(spec.options)(**options))
        kind = BilevelKind() if certify else Uncertified()
        return run(problem, spec, solver, kind, limits=Limits(max_time=max_time), seed=seed)

    return solve
